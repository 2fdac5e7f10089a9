"""The reference client of published events: it applies each once, in order, without a gap.

It has no I/O: it takes frames and returns the messages to send.
"""

from typing import Any

Event = dict[str, Any]
Position = dict[str, Any]
"""`{"epoch": …, "seq": …}`, as it is on the wire."""


def events_in(frame: Event) -> list[Event]:
    """Return the events of a batch, in their order; another frame is one event."""
    match frame:
        case {"event": "batch", "events": [*events]}:
            return events
    return [frame]


class Inbox:
    """A client's state, kept across all its connections."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        """All events applied so far."""
        self.positions: dict[str, Position] = {}
        self.rooms: set[str] = set()
        """Joined rooms, to be joined again on every connection."""
        self.refetches: list[str] = []
        """Channels that could not be recovered, once per failure: load their state over HTTP."""
        self._early: dict[str, dict[int, Event]] = {}
        self._asked: set[str] = set()
        """Channels with an unanswered `resume`, or that are recovered without one."""
        self._missing: set[str] = set()
        """Channels to request once the frame is taken."""
        self._open: set[str] = set()
        """Channels of this connection, rooms only after they were joined again."""
        self._renumbered: set[str] = set()
        """Channels with a new epoch, until `recovered` gives the position in it."""

    def open(self) -> str:
        """Begin a connection; return the positions for its handshake, as its query takes them.

        Rooms are joined later, so their positions are not among them.
        """
        self._asked, self._missing, self._open = set(), set(), set()
        known = (each for each in self.positions.items() if not each[0].startswith("room:"))
        return ",".join(f"{channel}:{at['epoch']}:{at['seq']}" for channel, at in known)

    def take(self, frame: Event) -> list[Event]:
        """Take a frame; return the messages to send in response.

        All events of a batch are taken first, so one `resume` is enough for all its gaps.
        """
        events = events_in(frame)
        joins = [join for event in events for join in self._take(event)]
        if any("seq" in event or event.get("event") == "recovered" for event in events):
            self._missing |= self._with_gaps() - self._asked
        missing, self._missing = self._missing, set()
        return joins + self._resume(missing)

    def _take(self, event: Event) -> list[Event]:
        """Take an event; return the rooms to join in response."""
        match event:
            case {"event": "connected", "data": data}:
                return self._connect(data["positions"], data.get("recovering", []))
            case {"event": "joined", "data": {"room": room, "channel": channel, "position": at}}:
                self.rooms.add(room)
                self._begin({channel: at})
            case {"event": "left", "data": {"room": room}}:
                self._leave(room)
            case {"event": "recovered", "data": {"channels": channels}}:
                self._recover(channels)
            case {"event": "error", "data": {"code": "recovery_interrupted"}}:
                self._missing |= self._asked
            case {"seq": _}:
                self._receive(event)
        return []

    def unanswered(self) -> list[Event]:
        """Return the requests to send again, after the wait that `too_many_requests` asks for."""
        return self._joins() + self._resume(self._asked)

    def _connect(self, positions: dict[str, Position], recovering: list[str]) -> list[Event]:
        self._missing = set()
        self._open = set()
        self._renumbered = set()
        joins = self._joins()
        self._begin(positions)
        self._asked = {channel for channel in recovering if channel in positions}
        self._missing -= self._asked
        return joins

    def _joins(self) -> list[Event]:
        """Request the rooms that this connection is not in."""
        away = sorted(room for room in self.rooms if f"room:{room}" not in self._open)
        return [{"type": "join", "room": room} for room in away]

    def _leave(self, room: str) -> None:
        """Forget the position of a room: joining it again starts from its current position."""
        self.rooms.discard(room)
        channel = f"room:{room}"
        for kept in (self.positions, self._early):
            kept.pop(channel, None)
        for channels in (self._asked, self._missing, self._open, self._renumbered):
            channels.discard(channel)

    def _begin(self, positions: dict[str, Position]) -> None:
        """Start at a channel's position, or continue from this client's."""
        self._open |= positions.keys()
        for channel, position in positions.items():
            if self.positions.setdefault(channel, {**position})["epoch"] != position["epoch"]:
                self._renumbered.add(channel)
                self._early.pop(channel, None)
            self._apply(channel)
        self._missing |= {name for name, at in positions.items() if self._is_behind(name, at)}

    def _is_behind(self, channel: str, position: Position) -> bool:
        mine = self.positions.get(channel, {"epoch": None})
        return bool(mine["epoch"] != position["epoch"] or mine["seq"] < position["seq"])

    def _receive(self, event: Event) -> None:
        """Apply an event, or keep it until the events before it arrive."""
        channel = event["channel"]
        self._early.setdefault(channel, {})[event["seq"]] = event
        self._apply(channel)

    def _apply(self, channel: str) -> None:
        if channel in self._renumbered:
            return
        early = self._early.setdefault(channel, {})
        position = self.positions.get(channel)
        while position and (event := early.pop(position["seq"] + 1, None)):
            self.events.append(event)
            position["seq"] += 1
        for seq in [seq for seq in early if position and seq <= position["seq"]]:
            del early[seq]  # a repeat

    def _with_gaps(self) -> set[str]:
        return {name for name, early in self._early.items() if early and name in self._open}

    def _resume(self, channels: set[str]) -> list[Event]:
        self._asked |= channels
        positions = {channel: {**self.positions[channel]} for channel in sorted(channels)}
        return [{"type": "resume", "positions": positions}] if positions else []

    def _recover(self, channels: dict[str, Any]) -> None:
        """Continue from the given position in channels that could not be recovered."""
        self._asked -= channels.keys()
        self._missing -= channels.keys()
        self._renumbered -= channels.keys()
        for channel, recovery in channels.items():
            if not recovery["recovered"] and self._is_behind(channel, recovery):
                self.refetches.append(channel)
                self.positions[channel] = {"epoch": recovery["epoch"], "seq": recovery["seq"]}
                self._apply(channel)
