"""The reference client of published events: it applies each once, in order, without a gap.

It has no I/O: it takes frames and returns the messages to send.
"""

from typing import Any

Event = dict[str, Any]
Position = dict[str, Any]
"""`{"epoch": …, "seq": …}`, as it is on the wire."""

MAX_EARLY_EVENTS = 1000
"""Events of a channel that wait for those before them; beyond it they are requested again."""


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
        """Channels whose position is not in the server's numbers, until `recovered` gives one."""
        self._dropped: set[str] = set()
        """Channels of which events were dropped, as too many waited."""

    def open(self) -> str:
        """Begin a connection; return the positions for its handshake, as its query takes them.

        Rooms are joined later, so their positions are not among them. Events that waited on an
        earlier connection come again: the positions are before them.
        """
        self._early, self._dropped = {}, set()
        self._asked, self._missing = set(), set()
        self._open, self._renumbered = set(), set()
        known = (each for each in self.positions.items() if not each[0].startswith("room:"))
        return ",".join(f"{channel}:{at['epoch']}:{at['seq']}" for channel, at in known)

    def take(self, frame: Event) -> list[Event]:
        """Take a frame; return the messages to send in response.

        All events of a batch are taken first, so one `resume` is enough for all its gaps.
        """
        events = events_in(frame)
        joins = [join for event in events for join in self._take(event)]
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
        joins = self._joins()
        self._asked -= positions.keys()
        self._begin(positions)
        self._asked |= {channel for channel in recovering if channel in positions}
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
        own = (self._asked, self._missing, self._open, self._renumbered, self._dropped)
        for channels in own:
            channels.discard(channel)

    def _begin(self, positions: dict[str, Position]) -> None:
        """Start at a channel's position, or continue from this client's.

        A channel may be behind what this client has read of it, in the same epoch, if the server's
        data was restored. A greeting that comes again is not: it finds the channel open.
        """
        for channel, position in positions.items():
            mine = self.positions.setdefault(channel, {**position})
            is_ahead = mine["seq"] > position["seq"] and channel not in self._open
            if mine["epoch"] != position["epoch"] or is_ahead:
                self._renumbered.add(channel)
            self._open.add(channel)
            self._apply(channel)
        behind = {name for name, at in positions.items() if self._is_behind(name, at)}
        self._missing |= behind | (self._renumbered & positions.keys())

    def _is_behind(self, channel: str, position: Position) -> bool:
        mine = self.positions.get(channel, {"epoch": None})
        return bool(mine["epoch"] != position["epoch"] or mine["seq"] < position["seq"])

    def _receive(self, event: Event) -> None:
        """Apply an event, or keep it until the events before it arrive."""
        channel = event["channel"]
        early = self._early.setdefault(channel, {})
        early[event["seq"]] = event
        self._apply(channel)
        if len(early) > MAX_EARLY_EVENTS:
            del early[event["seq"]]
            self._dropped.add(channel)

    def _apply(self, channel: str) -> None:
        """Apply the events that are next in a channel of this connection; the others wait."""
        if channel not in self._open or channel in self._renumbered:
            return
        early = self._early.setdefault(channel, {})
        position = self.positions.get(channel)
        while position and (event := early.pop(position["seq"] + 1, None)):
            self.events.append(event)
            position["seq"] += 1
        for seq in [seq for seq in early if position and seq <= position["seq"]]:
            del early[seq]  # a repeat

    def _with_gaps(self) -> set[str]:
        waiting = {name for name, early in self._early.items() if early}
        return (waiting | self._dropped) & self._open

    def _resume(self, channels: set[str]) -> list[Event]:
        self._asked |= channels
        self._dropped -= channels
        positions = {channel: {**self.positions[channel]} for channel in sorted(channels)}
        return [{"type": "resume", "positions": positions}] if positions else []

    def _recover(self, channels: dict[str, Any]) -> None:
        """Continue from the given position in channels that could not be recovered.

        If all was recovered and events are missing nevertheless, they are requested again.
        """
        self._asked -= channels.keys()
        self._missing -= channels.keys()
        renumbered = self._renumbered & channels.keys()
        self._renumbered -= renumbered
        for channel, recovery in channels.items():
            if channel not in self.positions:
                continue  # a room that was left meanwhile
            is_lost = not recovery["recovered"] and self._is_behind(channel, recovery)
            if is_lost or channel in renumbered:
                self.refetches.append(channel)
                self.positions[channel] = {"epoch": recovery["epoch"], "seq": recovery["seq"]}
            self._apply(channel)
            if self._is_behind(channel, recovery):
                self._missing.add(channel)
