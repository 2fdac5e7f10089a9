"""Starts MiniStack with one unpacked copy of each archive for all processes of functions.

MiniStack unpacks the archive, two thousand files, for each process it starts, which takes longer
than the rest of a cold start. On AWS the code is read-only, so functions can share a copy.

The emulator's Python runs this file, and has nothing of this project.
"""

import runpy
import tempfile
import threading
import zipfile
from pathlib import Path
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


if __name__ == "__main__":
    zipfile.ZipFile = SharedZipFile  # type: ignore[misc]
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)
