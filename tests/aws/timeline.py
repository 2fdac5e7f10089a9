"""Clients side by side in simulated time: the functions are real, and the waits are not.

Each client is a thread, of which one runs at a time. `time.sleep` hands over to the client that
wakes up first, and moves the clock to that moment. A run is the same each time.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count

import pytest


class Timeline:
    def __init__(self) -> None:
        self.now = time.time()
        self._sleeping: list[tuple[float, int, threading.Event]] = []
        self._order = count()
        self._threads: list[threading.Thread] = []
        self._faults: list[BaseException] = []

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Timeline"]:
        """Replace the clock of this process until the end of the block."""
        timeline = cls()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "sleep", timeline.sleep)
            for name in ("time", "monotonic"):
                patch.setattr(time, name, lambda: timeline.now)
            yield timeline

    def add(self, client: Callable[[], None], after_seconds: float = 0) -> None:
        """Add a client that begins so many seconds from now."""
        turn = self._wake_at(self.now + after_seconds)

        def live() -> None:
            turn.wait()
            try:
                client()
            except BaseException as fault:  # noqa: BLE001 - raised again by `play`
                self._faults.append(fault)
            self._hand_over()

        self._threads.append(threading.Thread(target=live, daemon=True))

    def play(self) -> None:
        """Let all clients live to their ends; raise what one of them has raised."""
        for thread in self._threads:
            thread.start()
        self._hand_over()
        for thread in self._threads:
            thread.join()
        for fault in self._faults:
            raise fault

    def sleep(self, seconds: float) -> None:
        turn = self._wake_at(self.now + seconds)
        self._hand_over()
        turn.wait()

    def _wake_at(self, moment: float) -> threading.Event:
        turn = threading.Event()
        heappush(self._sleeping, (moment, next(self._order), turn))
        return turn

    def _hand_over(self) -> None:
        if self._sleeping:
            self.now, _, turn = heappop(self._sleeping)
            turn.set()
