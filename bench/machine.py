"""The measuring machine: its cores, one for the client and one for the stub, and its name."""

import os
import platform
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"

CORES = sorted(os.sched_getaffinity(0))
STUB_CORE = CORES[0]
CLIENT_CORE = CORES[-1]


def pinned(core: int, command: list[str]) -> list[str]:
    """Return the command that runs `command` on one core."""
    return ["taskset", "--cpu-list", str(core), *command]


def description() -> str:
    """Describe the machine: `AMD EPYC, 2 cores, Linux 6.1`."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "?")
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


class Load:
    """The load of all cores since this was made."""

    def __init__(self) -> None:
        self._began = _reading()

    def share(self) -> float:
        """Return the share of the cores' time that was in use, from 0 to 1."""
        now, began = _reading(), self._began
        return (now.busy - began.busy) / (now.total - began.total)

    def others_share(self) -> float:
        """Return the share that other processes and the hypervisor used; needs ended children."""
        now, began = _reading(), self._began
        others = (now.busy - now.own) - (began.busy - began.own)
        return max(0.0, others) / (now.total - began.total)


class _Reading(NamedTuple):
    """CPU seconds of all cores since boot."""

    busy: float
    total: float
    own: float
    """Of this process and its ended children."""


def _reading() -> _Reading:
    ticks = [int(field) for field in Path("/proc/stat").read_text().split()[1:9]]
    _user, _nice, _system, idle, waiting, *_interrupts_and_stolen = ticks
    second = os.sysconf("SC_CLK_TCK")
    busy = sum(ticks) - idle - waiting
    return _Reading(busy / second, sum(ticks) / second, sum(os.times()[:4]))
