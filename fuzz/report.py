"""What an engine's process tells the one that started it."""

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
    """Return what this process was told: which handler, for how long, where to write."""
    name, seconds, file = sys.argv[1:]
    return name, float(seconds), Path(file)


def write(file: Path, runner: Runner) -> None:
    findings = [str(found) for found in runner.found.values()]
    file.write_text(json.dumps(Report(runner.cases, time.monotonic() - _BEGAN, findings)))


def read(file: Path) -> Report | None:
    """Return None when the process died before it could write."""
    return Report(*json.loads(file.read_text())) if file.exists() else None
