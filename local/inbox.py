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
        self.refetches: list[str] = []
        """Channels whose history did not reach back, each time: ask over HTTP what is true now."""
        self._early: dict[str, dict[int, Event]] = {}
        self._asked: set[str] = set()
        """Channels that a `resume` was sent for, until it is answered."""

    def take(self, event: Event) -> Event | None:
        """Take a frame; return the message to answer it with, if there is one."""
        if event["event"] == "connected":
            return self._connect(event["data"]["positions"])
        if event["event"] == "recovered":
            return self._recover(event["data"]["channels"])
        if event["event"] == "error" and event["data"]["code"] == "recovery_interrupted":
            return self._resume(self._asked)
        if "seq" in event:
            return self._receive(event)
        return None

    def _connect(self, positions: dict[str, Position]) -> Event | None:
        """Begin where a channel stands, or go on from where this client left it."""
        self._asked = set()
        for channel, position in positions.items():
            self.positions.setdefault(channel, {**position})
            self._apply(channel)
        return self._resume({name for name, at in positions.items() if self._is_behind(name, at)})

    def _is_behind(self, channel: str, position: Position) -> bool:
        mine = self.positions[channel]
        return bool(mine["epoch"] != position["epoch"] or mine["seq"] < position["seq"])

    def _receive(self, event: Event) -> Event | None:
        """Apply an event, or keep it until those before it have come."""
        channel = event["channel"]
        self._early.setdefault(channel, {})[event["seq"]] = event
        self._apply(channel)
        return self._resume(self._with_gaps() - self._asked)

    def _apply(self, channel: str) -> None:
        early = self._early.setdefault(channel, {})
        position = self.positions.get(channel)
        while position and (event := early.pop(position["seq"] + 1, None)):
            self.events.append(event)
            position["seq"] += 1
        for seq in [seq for seq in early if position and seq <= position["seq"]]:
            del early[seq]  # a repeat

    def _with_gaps(self) -> set[str]:
        return {name for name, early in self._early.items() if early and name in self.positions}

    def _resume(self, channels: set[str]) -> Event | None:
        self._asked |= channels
        positions = {channel: {**self.positions[channel]} for channel in sorted(channels)}
        return {"type": "resume", "positions": positions} if positions else None

    def _recover(self, channels: dict[str, Any]) -> Event | None:
        """Where history did not reach back, go on from where the channel stands now."""
        self._asked -= channels.keys()
        for channel, recovery in channels.items():
            if not recovery["recovered"]:
                self.refetches.append(channel)
                self.positions[channel] = {"epoch": recovery["epoch"], "seq": recovery["seq"]}
                self._apply(channel)
        return self._resume(self._with_gaps() - self._asked)
