"""The fan-out queue on a clock: tasks wait as long as they say, without anybody waiting."""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

from functions.fanout.handler import handler as fanout
from functions.sweep.handler import handler as sweep
from harness.gateway_events import CONTEXT
from infra.cdk.fanout import VISIBILITY_SECONDS
from infra.cdk.queues import MAX_RECEIVE_COUNT


class _Message(NamedTuple):
    due: float
    number: int
    body: str
    receives: int = 0


class TimedQueue:
    """Takes the place of SQS, of its dead-letter queue, and of the schedule of the sweep."""

    def __init__(self, at: Callable[[float], None]) -> None:
        self._at = at
        self._numbers = count()
        self.now = 0.0
        self.waiting: list[_Message] = []
        self.dead_letters: list[str] = []

    def send_message_batch(self, **request: Any) -> Any:
        for entry in request["Entries"]:
            self._put(entry["MessageBody"], entry["DelaySeconds"])
        return {}

    def _put(self, body: str, wait: float, receives: int = 0) -> None:
        message = _Message(self.now + wait, next(self._numbers), body, receives)
        heapq.heappush(self.waiting, message)

    def run(self, until: float, *, sweeps: bool = False) -> None:
        """Do what is due by a moment, in seconds since the beginning, and set the clock to it."""
        while self.now < until:
            minute = (self.now // 60 + 1) * 60
            end = min(minute, until)
            while self.waiting and self.waiting[0].due <= end:
                self._work(heapq.heappop(self.waiting))
            self.set(end)
            if sweeps and end == minute:
                sweep({}, CONTEXT)

    def set(self, now: float) -> None:
        self.now = now
        self._at(now)

    def _work(self, message: _Message) -> None:
        self.set(max(self.now, message.due))
        answer = fanout({"Records": [{"messageId": "1", "body": message.body}]}, CONTEXT)
        if not answer["batchItemFailures"]:
            return
        if (receives := message.receives + 1) < MAX_RECEIVE_COUNT:
            self._put(message.body, VISIBILITY_SECONDS, receives)
        else:
            self.dead_letters.append(message.body)
