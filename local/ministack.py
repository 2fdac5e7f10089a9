"""Starts MiniStack with functions that start fast: they share unpacked archives and packages.

MiniStack unpacks the archive, two thousand files, for each process it starts, which takes longer
than the rest of a cold start. On AWS the code is read-only, so functions can share a copy.

Most of the rest is the import of packages, so functions are forks of a process that has them.

The emulator's Python runs this file, and has nothing of this project.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import zipfile
from multiprocessing.connection import wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class SharedZipFile(zipfile.ZipFile):
    """An archive that is unpacked once; further folders are links to the first."""

    _copies: dict[tuple[tuple[str, int], ...], str] = {}  # noqa: RUF012 - of all archives
    _unpacking = threading.Lock()

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        if members is not None or path is None or not Path(path).is_dir():
            super().extractall(path, members, pwd)
            return
        files = tuple((each.filename, each.CRC) for each in self.infolist())
        with self._unpacking:
            if files not in self._copies:
                copy = tempfile.mkdtemp(prefix="code-")
                super().extractall(copy, pwd=pwd)
                self._copies[files] = copy
        # The caller has made the folder, which is empty.
        Path(path).rmdir()
        Path(path).symlink_to(self._copies[files])


class FunctionProcess:
    """What MiniStack uses of `Popen`, for a fork of the process that has a copy's packages."""

    _parents: dict[Path, socket.socket] = {}  # noqa: RUF012 - of all functions
    _starting = threading.Lock()

    def __init__(self, script: str, folder: str, environment: dict[str, str]) -> None:
        stdin, for_stdin = os.pipe()
        (from_stdout, stdout), (from_stderr, stderr), (until_end, end) = (
            os.pipe() for _ in range(3)
        )
        with self._starting:
            parent = self._parent(Path(folder).resolve())
            socket.send_fds(parent, [b"1"], [stdin, stdout, stderr, end])
            self.pid = int(parent.recv(20))
        for each in (stdin, stdout, stderr, end):
            os.close(each)
        self.stdin = os.fdopen(for_stdin, "w", buffering=1)
        self.stdout, self.stderr = os.fdopen(from_stdout), os.fdopen(from_stderr)
        self._until_end = os.fdopen(until_end)
        self.stdin.write(json.dumps([script, folder, environment]) + "\n")

    @classmethod
    def _parent(cls, copy: Path) -> socket.socket:
        """Return a connection to the process that has a copy's packages, started the first time."""
        if copy not in cls._parents:
            cls._parents[copy], theirs = socket.socketpair()
            program = Path(__file__).with_name("function_parent.py")
            subprocess.Popen(
                [sys.executable, "-P", program, copy, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
            )
            theirs.close()
        return cls._parents[copy]

    def poll(self) -> int | None:
        return 0 if wait([self._until_end.fileno()], 0) else None

    def wait(self, timeout: float | None = None) -> int:
        if not wait([self._until_end.fileno()], timeout):
            raise TimeoutError
        return 0

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def start(command: list[str], **options: Any) -> Any:
    """Start what MiniStack's runtime of functions starts."""
    if command[0] == sys.executable:
        return FunctionProcess(command[1], options["cwd"], options["env"])
    return subprocess.Popen(command, **options)


if __name__ == "__main__":
    zipfile.ZipFile = SharedZipFile  # type: ignore[misc]
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    runtime.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": start})
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)
