"""Cold start: the time to a function's first response, compared with boto3 alone."""

import json
import platform
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from zipfile import ZipFile

from bench import machine, report, stub
from bench.cloud import first_calls, stack
from bench.cloud.lambdas import check
from bench.cloud.server import LATENCY_SECONDS
from bench.report import Row, Section, Table

REPETITIONS = 15
# The baseline is measured again after this many functions, so that both see the same load.
FUNCTIONS_BETWEEN = 3
MAX_IMPORTS = 5

BASELINE = 'boto3.client("dynamodb")'
WAITED_FOR = ("connect", "disconnect", "message")
"""Functions that phones wait for."""
MAX_TIMES_BOTO3 = dict.fromkeys(first_calls.NAMES, 1.6) | dict.fromkeys(WAITED_FOR, 1.25)

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
INSTALLED = machine.BUILD / "lambda" / ARCHITECTURE
"""The files before archiving: all that pip installs."""
ARTIFACT = machine.BUILD / "cold"

# Before the clock starts, nothing is imported but what Python itself imports.
_PROGRAM = """
import sys, time
class Context:
    function_name = "bench"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:bench"
    aws_request_id = "request"
def now():
    return time.perf_counter(), time.process_time()
began = now()
{imports}
imported = now()
if "vitrina.aws" in sys.modules:
    # The stub signs its certificate itself.
    sys.modules["vitrina.aws"].ca_bundle = lambda: {certificate!r}
answer = {call}
done = now()
import json
print("\\n" + json.dumps([*began, *imported, *done, answer]))
"""


class Start(NamedTuple):
    """One process: wall-clock seconds to import and to call, and CPU seconds for both."""

    importing: float
    calling: float
    cpu: float
    answer: Any

    @property
    def seconds(self) -> float:
        return self.importing + self.calling


class Program(NamedTuple):
    folder: Path
    imports: str
    call: str = "None"
    path: str = ""
    """A folder with packages that `folder` lacks."""

    @property
    def text(self) -> str:
        certificate = str(stub.CERTIFICATE)
        return _PROGRAM.format(imports=self.imports, call=self.call, certificate=certificate)


def measure(progress: Callable[[str], None]) -> Section:
    """Start every function, alternating with the baseline; takes about two minutes."""
    progress("the artifact")
    python = _unpack()
    usage = machine.CpuUsage()
    with stack.running(calls_take=dict.fromkeys(LATENCY_SECONDS, 0.0)) as here:
        starts = _Starts(python, here)
        first_calls.prepare(here)
        for n in range(REPETITIONS + 1):
            progress(f"{n} of {REPETITIONS}")
            starts.take_turns()
            if n == 0:
                # The first run filled the system's caches.
                starts.found.clear()
        busy = usage.others_share()
        profiles = {name: starts.profile(_function(name)) for name in first_calls.NAMES}
    report.write_figures("cold", {name: starts.lengths(name) for name in first_calls.NAMES})
    names = (BASELINE, _AS_INSTALLED, *first_calls.NAMES)
    return Section(
        tables=[
            Table("Targets", _targets(starts)),
            Table("From nothing to the first answer", [_times(starts, name) for name in names]),
            Table(
                "The most expensive imports: ms of its own (with what it imports first)",
                [_expensive(*each) for each in profiles.items()],
            ),
        ],
        notes=_notes(starts, busy),
        versions={"Python": starts.version()},
    )


def _unpack() -> str:
    """Build the artifact for this machine and unpack it; return a Python of its version."""
    command = ["make", "--silent", "artifact", f"ARCHITECTURE={ARCHITECTURE}"]
    machine.run(command)
    shutil.rmtree(ARTIFACT, ignore_errors=True)
    with ZipFile(INSTALLED.with_suffix(".zip")) as archive:
        archive.extractall(ARTIFACT)
    return machine.run(["make", "--silent", "lambda-python"]).stdout.strip()


class _Starts:
    """The started processes, by name of the program, each with the baseline next to it."""

    def __init__(self, python: str, here: stack.Stack) -> None:
        self._python = python
        self._here = here
        self.found: defaultdict[str, list[tuple[Start, Start]]] = defaultdict(list)

    def take_turns(self) -> None:
        """Start every program once."""
        # The artifact contains botocore but not boto3.
        baseline = Program(ARTIFACT, "import boto3", f"{BASELINE} and None", str(INSTALLED))
        for n, name in enumerate(first_calls.NAMES):
            if n % FUNCTIONS_BETWEEN == 0:
                boto3 = self._start(baseline)
                self.found[BASELINE].append((boto3, boto3))
            start = self._start(_function(name, first_calls.event(self._here, name)))
            check(name, start.answer)
            self.found[name].append((start, boto3))
        installed = self._start(baseline._replace(folder=INSTALLED))
        self.found[_AS_INSTALLED].append((installed, boto3))

    def lengths(self, name: str) -> dict[str, float]:
        """Return the medians of a program's imports and of its first calls, in milliseconds."""
        found = [start for start, _ in self.found[name]]
        return {
            "import_ms": round(median(start.importing for start in found) * 1000),
            "first_call_ms": round(median(start.calling for start in found) * 1000),
        }

    def clock_ratio(self, name: str) -> float:
        """Return the median of a program's starts ÷ the baselines next to them."""
        return median(start.seconds / boto3.seconds for start, boto3 in self.found[name])

    def profile(self, program: Program) -> "list[_Cost]":
        """Import once more; return the packages that took longest."""
        done = self._run(program, "-X", "importtime", "-c", program.imports)
        return sorted(_costs(done.stderr), key=lambda cost: -cost.own)[:MAX_IMPORTS]

    def version(self) -> str:
        return self._run(Program(ARTIFACT, ""), "--version").stdout.split()[1]

    def _start(self, program: Program) -> Start:
        done = self._run(program, "-c", program.text)
        *times, answer = json.loads(done.stdout.splitlines()[-1])
        began, cpu_began, imported, _, ended, cpu_ended = times
        return Start(imported - began, ended - imported, cpu_ended - cpu_began, answer)

    def _run(self, program: Program, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {**self._here.environment, "PYTHONPATH": program.path}
        command = [self._python, "-S", *arguments]
        pinned = machine.pinned(machine.CLIENT_CORE, command)
        return machine.run(pinned, cwd=program.folder, env=environment)


def _function(name: str, event: Any = None) -> Program:
    imports = f"from functions.{name}.handler import handler"
    return Program(ARTIFACT, imports, f"handler({event!r}, Context())")


# --- The cost of imports --------------------------------------------------------------------------


class _Cost(NamedTuple):
    """The import time of a package, in milliseconds."""

    package: str
    own: float
    whole: float
    """With the modules that it imported first."""


_IMPORT = re.compile(r"^import time: +(\d+) \| +(\d+) \|( +)(\w+)", re.MULTILINE)


def _costs(importtime: str) -> Iterator[_Cost]:
    """Add up the lines of `-X importtime` by package.

    A module's line comes after those of its imports, which are indented more.
    """
    own: dict[str, float] = defaultdict(float)
    whole: dict[str, float] = defaultdict(float)
    above: list[tuple[int, str]] = []
    for alone, cumulative, indent, package in reversed(_IMPORT.findall(importtime)):
        while above and above[-1][0] >= len(indent):
            above.pop()
        own[package] += int(alone) / 1000
        if package not in (name for _, name in above):
            whole[package] += int(cumulative) / 1000
        above.append((len(indent), package))
    return (_Cost(package, own[package], whole[package]) for package in own)


# --- The section of the page ----------------------------------------------------------------------

_AS_INSTALLED = f"{BASELINE}, all services installed"


def _targets(starts: _Starts) -> list[Row]:
    others = [name for name in first_calls.NAMES if name not in WAITED_FOR]
    worst = max(others, key=starts.clock_ratio)
    names = {name: name for name in WAITED_FOR} | {worst: f"the slowest other, {worst}"}
    return [
        report.at_most(f"{what} ÷ boto3", MAX_TIMES_BOTO3[name], starts.clock_ratio(name))
        for name, what in names.items()
    ]


def _times(starts: _Starts, name: str) -> Row:
    found = [start for start, _ in starts.found[name]]
    cpu_ratio = median(start.cpu / boto3.cpu for start, boto3 in starts.found[name])
    return [
        ("", name),
        ("import, ms", f"{median(start.importing for start in found) * 1000:.0f}"),
        ("first call, ms", f"{median(start.calling for start in found) * 1000:.0f}"),
        *report.spread("both", [start.seconds * 1000 for start in found]),
        ("CPU, ms", f"{median(start.cpu for start in found) * 1000:.0f}"),
        ("÷ boto3", f"{starts.clock_ratio(name):.2f}"),
        ("its CPU", f"{cpu_ratio:.2f}"),
    ]


def _expensive(name: str, costs: list[_Cost]) -> Row:
    cells = [f"{cost.package} {cost.own:.0f} ({cost.whole:.0f})" for cost in costs]
    return [("", name), *((f"{n}.", cell) for n, cell in enumerate(cells, 1))]


def _notes(starts: _Starts, busy: float) -> list[str]:
    as_installed = starts.clock_ratio(_AS_INSTALLED)
    return [
        "The artifact omits the services that no function calls, which makes the baseline faster"
        f" too: with all of them, as pip installs them, it takes {as_installed:.2f} times as long.",
        "First calls are "
        + ", ".join(f"`{name}`: {what}" for name, what in first_calls.DESCRIPTIONS.items())
        + ".",
        f"Other processes and the hypervisor used {busy:.0%} of the cores' time.",
    ]
