"""The result of an engine's process, as a file for its parent process."""

import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

from fuzz.runner import Runner

_BEGAN = time.monotonic()


class Report(NamedTuple):
    cases: int
    seconds: float
    findings: list[str]
    """Files."""


def arguments() -> tuple[str, float, Path]:
    """Return this process's arguments: the handler, the seconds, the report's file."""
    name, seconds, file = sys.argv[1:]
    return name, float(seconds), Path(file)


def write(file: Path, runner: Runner) -> None:
    findings = [str(found) for found in runner.found.values()]
    file.write_text(json.dumps(Report(runner.cases, time.monotonic() - _BEGAN, findings)))


def read(file: Path) -> Report | None:
    """Return None when the process died before it wrote its report."""
    return Report(*json.loads(file.read_text())) if file.exists() else None
