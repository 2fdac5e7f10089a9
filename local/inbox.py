"""What a client does with published events: each once, in order, and none is missed.

The reference for every client: it has no I/O, and says what to send.
"""

from typing import Any

Event = dict[str, Any]
Position = dict[str, Any]
"""`{"epoch": …, "seq": …}`, as it is on the wire."""


class Inbox:
    """Kept by a client for as long as it lives, over all of its connections."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        """Everything applied so far."""
        self.positions: dict[str, Position] = {}
        self.rooms: set[str] = set()
        """What it has joined; to be joined again on every connection."""
        self.refetches: list[str] = []
        """Channels whose history did not reach back, each time: ask over HTTP what is true now."""
        self._early: dict[str, dict[int, Event]] = {}
        self._asked: set[str] = set()
        """Channels that a `resume` was sent for, until it is answered."""
        self._open: set[str] = set()
        """Channels of this connection: a room is one only when it was joined again."""
        self._renumbered: set[str] = set()
        """Channels of another epoch, until it is known where this client begins in it."""

    def take(self, event: Event) -> list[Event]:
        """Take a frame; return the messages to answer it with."""
        answers: list[Event] = []
        match event:
            case {"event": "connected", "data": {"positions": positions}}:
                answers = [{"type": "join", "room": room} for room in sorted(self.rooms)]
                answers += self._connect(positions)
            case {"event": "joined", "data": {"room": room, "channel": channel, "position": at}}:
                self.rooms.add(room)
                answers = self._begin({channel: at})
            case {"event": "left", "data": {"room": room}}:
                self._leave(room)
            case {"event": "recovered", "data": {"channels": channels}}:
                answers = self._recover(channels)
            case {"event": "error", "data": {"code": "recovery_interrupted"}}:
                answers = self._resume(self._asked)
            case {"seq": _}:
                answers = self._receive(event)
        return answers

    def _connect(self, positions: dict[str, Position]) -> list[Event]:
        self._asked = set()
        self._open = set()
        self._renumbered = set()
        return self._begin(positions)

    def _leave(self, room: str) -> None:
        """Forget where a room stands: whoever joins again begins there anew."""
        self.rooms.discard(room)
        channel = f"room:{room}"
        for kept in (self.positions, self._early):
            kept.pop(channel, None)
        for channels in (self._asked, self._open, self._renumbered):
            channels.discard(channel)

    def _begin(self, positions: dict[str, Position]) -> list[Event]:
        """Begin where a channel stands, or go on from where this client left it."""
        self._open |= positions.keys()
        for channel, position in positions.items():
            if self.positions.setdefault(channel, {**position})["epoch"] != position["epoch"]:
                self._renumbered.add(channel)
                self._early.pop(channel, None)
            self._apply(channel)
        return self._resume({name for name, at in positions.items() if self._is_behind(name, at)})

    def _is_behind(self, channel: str, position: Position) -> bool:
        mine = self.positions[channel]
        return bool(mine["epoch"] != position["epoch"] or mine["seq"] < position["seq"])

    def _receive(self, event: Event) -> list[Event]:
        """Apply an event, or keep it until those before it have come."""
        channel = event["channel"]
        self._early.setdefault(channel, {})[event["seq"]] = event
        self._apply(channel)
        return self._resume(self._with_gaps() - self._asked)

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

    def _recover(self, channels: dict[str, Any]) -> list[Event]:
        """Where history did not reach back, go on from where the channel stands now."""
        self._asked -= channels.keys()
        self._renumbered -= channels.keys()
        for channel, recovery in channels.items():
            if not recovery["recovered"]:
                self.refetches.append(channel)
                self.positions[channel] = {"epoch": recovery["epoch"], "seq": recovery["seq"]}
                self._apply(channel)
        return self._resume(self._with_gaps() - self._asked)
