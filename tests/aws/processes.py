"""Processes that stand still, go on or die before any call that they make.

A process is a thread, and one runs at a time: the test's own or the one that it lets go on. Its
calls are those of botocore's clients and those that a test counts itself.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient


class Killed(BaseException):
    """The process is gone: nothing catches this."""


_here = threading.local()


class Process:
    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._turn = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._left: int | None = 0
        self._is_killed = False
        self._fault: BaseException | None = None
        self.calls = 0
        self.has_ended = False
        self.answer: Any = None
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def run(self, calls: int | None = None) -> bool:
        """Let it make so many calls, or all; return whether it has ended. Raises what it raised."""
        if self.has_ended:
            return True
        self._left = calls
        self._turn.release()
        self._back.acquire()
        if self._fault:
            raise self._fault
        return self.has_ended

    def kill(self) -> None:
        """End it before its next call."""
        self._is_killed = True
        self.run()

    def _live(self) -> None:
        self._turn.acquire()
        _here.process = self
        try:
            if not self._is_killed:
                self.answer = self._work()
        except Killed:
            pass
        except BaseException as fault:  # noqa: BLE001 - raised again by `run`
            self._fault = fault
        self.has_ended = True
        self._back.release()

    def step(self) -> None:
        self.calls += 1
        if self._left == 0:
            self._back.release()
            self._turn.acquire()
        if self._is_killed:
            raise Killed
        if self._left is not None:
            self._left -= 1


def step() -> None:
    """Count a call of the process that runs now, if it is one."""
    process: Process | None = getattr(_here, "process", None)
    if process:
        process.step()


@contextmanager
def counted_calls() -> Iterator[None]:
    """Count every call of botocore's clients in processes, until the end of the block."""
    original: Callable[..., Any] = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, operation: str, request: Any) -> Any:
        step()
        return original(client, operation, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield
