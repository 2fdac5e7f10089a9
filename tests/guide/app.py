"""An app: the client package in Node, and everything it was told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Condition, Thread
from typing import Any

NODE = Path(sys.executable).with_name("node")
PATIENCE_SECONDS = 60

Report = dict[str, Any]


class App:
    def __init__(self, driver: Path, **configuration: Any) -> None:
        """Start the bundle of driver.mjs in Node; `configuration` is what it reads."""
        # Node is started by a small program of Python's, which would not pass a kill on to it:
        # both are in a group of their own.
        self._process = subprocess.Popen(
            [NODE, driver, json.dumps(configuration)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.reports: list[Report] = []
        self._changed = Condition()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._changed:
                self.reports.append(json.loads(line))
                self._changed.notify_all()

    def call(self, name: str, *args: Any, on: str = "app") -> Any:
        """Call a function of the driver, and return what it resolves to."""
        call = len(self.reports)
        assert self._process.stdin
        line = {"id": call, "on": on, "call": name, "args": args}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        return self.wait(lambda: self._of("answer", call))[0]["value"]

    def wait(self, read: Callable[[], Any]) -> Any:
        """Wait until what `read` returns is true, and return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := read()):
            assert time.monotonic() < deadline, self.reports
            with self._changed:
                self._changed.wait(0.01)  # what is read may be elsewhere, and change unnoticed
        return found

    def wait_for(self, **report: Any) -> None:
        """Wait until the app was told this."""
        self.wait(lambda: [one for one in self.reports if report.items() <= one.items()])

    def wait_for_events(self, *seqs: int) -> None:
        """Wait until exactly these were delivered, in this order."""
        self.wait(lambda: len(self.seqs) >= len(seqs))
        assert self.seqs == list(seqs)

    def _of(self, name: str, value: Any) -> list[Report]:
        return [report for report in self.reports if report.get(name) == value]

    def told(self, name: str) -> list[Any]:
        """Return what the app was told under a name, in order."""
        return [report[name] for report in list(self.reports) if name in report]

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.told("event")]

    @property
    def state(self) -> str:
        return str(self.told("state")[-1])

    def kill(self) -> None:
        """Kill it, as a phone does with an app when memory is short."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._reader.join()
        self._process.communicate()
