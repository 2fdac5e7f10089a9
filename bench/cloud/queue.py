"""SQS: messages that become visible after a delay, until all of them are done."""

import heapq
import time
from itertools import count
from threading import Condition


class Queue:
    def __init__(self) -> None:
        self._changed = Condition()
        self._messages: list[tuple[float, int, str]] = []
        self._ticket = count()
        self._undone = 0
        self._is_closed = False

    def put(self, body: str, delay_seconds: float) -> None:
        with self._changed:
            visible_at = time.monotonic() + delay_seconds
            heapq.heappush(self._messages, (visible_at, next(self._ticket), body))
            self._undone += 1
            self._changed.notify()

    def get(self) -> str | None:
        """Wait for a message and take it; None when the queue has been closed."""
        with self._changed:
            while not self._is_closed:
                wait = self._messages[0][0] - time.monotonic() if self._messages else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._messages)[2]
                self._changed.wait(wait)
        return None

    def done(self) -> None:
        with self._changed:
            self._undone -= 1
            self._changed.notify_all()

    def wait_until_done(self, timeout_seconds: float) -> bool:
        """Wait until every message is done; return whether that happened in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._undone, timeout_seconds)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
