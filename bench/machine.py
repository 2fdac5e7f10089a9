"""The measuring machine: its cores, one for the client and one for the stub, and its name."""

import os
import platform
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"

CORES = sorted(os.sched_getaffinity(0))
STUB_CORE = CORES[0]
CLIENT_CORE = CORES[-1]

ACCESS_KEY, SECRET_KEY, REGION = "AKIDEXAMPLE", "example", "eu-central-1"


def pinned(core: int, command: list[str]) -> list[str]:
    """Return the command that runs `command` on one core."""
    return ["taskset", "--cpu-list", str(core), *command]


def description() -> str:
    """Describe the machine: `AMD EPYC, 2 cores, Linux 6.1`."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "?")
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def environment() -> dict[str, str]:
    """Return what a client gets: credentials that open nothing, and nobody's AWS set-up."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return mine | {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


class Others:
    """The CPU time that other processes and the hypervisor use from now on."""

    def __init__(self) -> None:
        self._began, self._taken = time.monotonic(), _taken_by_others()

    def share(self) -> float:
        """Return their share of all cores' time, 0 to 1; call it after all children have ended."""
        seconds = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        return max(0.0, _taken_by_others() - self._taken) / seconds


def _taken_by_others() -> float:
    """Return CPU seconds since boot, without those of this process and its ended children."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split()[1:9]]
    user, nice, system, _idle, _waiting, *interrupts_and_stolen = ticks
    taken = sum((user, nice, system, *interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")
    return taken - sum(os.times()[:4])
