"""The measuring machine: its cores, one for the client and one for the stub, and its name."""

import json
import operator
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
PYTHON = str(BUILD / "venv/bin/python")
"""Of the functions, and of what deploys: the benchmarks' own environment has another boto3 and no
CDK."""
NODE = str(BUILD / "venv/bin/node")

CORES = sorted(os.sched_getaffinity(0))
STUB_CORE = CORES[0]
CLIENT_CORE = CORES[-1]


def pinned(core: int, command: list[str]) -> list[str]:
    """Return the command that runs `command` on one core."""
    return ["taskset", "--cpu-list", str(core), *command]


def run(command: list[str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a command, by default in the project's folder; raises RuntimeError if it fails."""
    options = {"cwd": ROOT} | options
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]}: {(done.stderr or done.stdout)[-1000:]}")
    return done


def result_of(module: str, *arguments: str) -> Any:
    """Run a module in the environment that deploys; return the JSON of its last line."""
    done = run([PYTHON, "-m", module, *arguments])
    return json.loads(done.stdout.splitlines()[-1])  # the log is before it


def description() -> str:
    """Describe the machine: `AMD EPYC, 2 cores, Linux 6.1`."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "?")
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


class CpuUsage:
    """The use of all cores since this was made."""

    def __init__(self) -> None:
        self._began = _reading()

    def share(self) -> float:
        """Return the share of the cores' time that was in use, from 0 to 1."""
        busy, total, _ = self._since()
        return busy / total

    def others_share(self) -> float:
        """Return the share that other processes and the hypervisor used; needs ended children."""
        busy, total, own = self._since()
        return max(0.0, busy - own) / total

    def _since(self) -> tuple[float, ...]:
        return tuple(map(operator.sub, _reading(), self._began))


def _reading() -> tuple[float, float, float]:
    """Return CPU seconds: busy and all of the cores since boot, own with ended children."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split()[1:9]]
    _user, _nice, _system, idle, waiting, *_interrupts_and_stolen = ticks
    second = os.sysconf("SC_CLK_TCK")
    busy = sum(ticks) - idle - waiting
    return busy / second, sum(ticks) / second, sum(os.times()[:4])
