"""Cold start: the time to a function's first response, compared with boto3 alone."""

import json
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from zipfile import ZipFile

from bench import machine, report, stub
from bench.cloud import first_calls, stack
from bench.cloud.server import LATENCY_SECONDS
from bench.report import Section, Table

REPETITIONS = 15
# The baseline is measured again after this many functions, so that both see the same load.
FUNCTIONS_BETWEEN = 3
EXPENSIVE = 5

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


class Ratio(NamedTuple):
    """A function's start ÷ the baseline's."""

    clock: float
    cpu: float


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
    load = machine.Load()
    with stack.running(calls_take=dict.fromkeys(LATENCY_SECONDS, 0.0)) as here:
        starts = _Starts(python, here.environment)
        first_calls.prepare(here)
        for n in range(REPETITIONS + 1):
            progress(f"{n} of {REPETITIONS}")
            _take_turns(here, starts)
        starts.forget_the_first()
        busy = load.others_share()
        profiles = {name: starts.profile(_function(name)) for name in first_calls.NAMES}
    return Section(
        tables=[_targets(starts), _times(starts), _expensive(profiles)],
        notes=_notes(starts, busy),
        versions={"Python": starts.version()},
    )


def _unpack() -> str:
    """Build the artifact for this machine and unpack it; return a Python of its version."""
    command = ["make", "--silent", "artifact", f"ARCHITECTURE={ARCHITECTURE}"]
    subprocess.run(command, cwd=machine.ROOT, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(ARTIFACT, ignore_errors=True)
    with ZipFile(INSTALLED.with_suffix(".zip")) as archive:
        archive.extractall(ARTIFACT)
    found = subprocess.run(
        ["make", "--silent", "lambda-python"], cwd=machine.ROOT, check=True, capture_output=True
    )
    return found.stdout.decode().strip()


class _Starts:
    """The started processes, by name of the program."""

    def __init__(self, python: str, environment: Mapping[str, str]) -> None:
        self._python = python
        self._environment = environment
        self._ratios: dict[str, list[Ratio]] = {}
        self.found: dict[str, list[Start]] = {}

    def run(self, name: str, program: Program) -> Start:
        """Start a process; raises RuntimeError with its standard error if it fails."""
        done = self._run(program, "-c", program.text)
        *began_to_done, answer = json.loads(done.stdout.splitlines()[-1])
        began, cpu_began, imported, _, ended, cpu_ended = began_to_done
        start = Start(imported - began, ended - imported, cpu_ended - cpu_began, answer)
        self.found.setdefault(name, []).append(start)
        return start

    def compare(self, name: str, start: Start, baseline: Start) -> None:
        ratio = Ratio(start.seconds / baseline.seconds, start.cpu / baseline.cpu)
        self._ratios.setdefault(name, []).append(ratio)

    def ratio(self, name: str) -> "Ratio":
        """Return the medians of a function's ratios to the baselines next to it."""
        return Ratio(*map(median, zip(*self._ratios[name], strict=True)))

    def forget_the_first(self) -> None:
        """Drop the first run, which filled the system's caches."""
        for starts in self.found.values():
            del starts[0]
        for ratios in self._ratios.values():
            del ratios[0]

    def profile(self, program: Program) -> "list[_Cost]":
        """Import once more; return the packages that took longest."""
        done = self._run(program, "-X", "importtime", "-c", program.imports)
        return sorted(_costs(done.stderr), key=lambda cost: -cost.own)[:EXPENSIVE]

    def version(self) -> str:
        return self._run(Program(ARTIFACT, ""), "--version").stdout.split()[1]

    def _run(self, program: Program, *arguments: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            machine.pinned(machine.CLIENT_CORE, [self._python, "-S", *arguments]),
            cwd=program.folder,
            env={**self._environment, "PYTHONPATH": program.path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program.imports}: {done.stderr}")
        return done


def _take_turns(here: stack.Stack, starts: _Starts) -> None:
    # The artifact contains botocore but not boto3.
    baseline = Program(ARTIFACT, "import boto3", f"{BASELINE} and None", str(INSTALLED))
    for n, name in enumerate(first_calls.NAMES):
        if n % FUNCTIONS_BETWEEN == 0:
            boto3 = starts.run(BASELINE, baseline)
            starts.compare(BASELINE, boto3, boto3)
        event = first_calls.event(here, name)
        start = starts.run(name, _function(name, event))
        first_calls.check(name, start.answer)
        starts.compare(name, start, boto3)
    installed = starts.run(_AS_INSTALLED, baseline._replace(folder=INSTALLED))
    starts.compare(_AS_INSTALLED, installed, boto3)


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


def _costs(importtime: str) -> Iterator[_Cost]:
    """Add up the lines of `-X importtime` by package.

    A module's line comes after those of its imports, which are indented more.
    """
    own: dict[str, float] = {}
    whole: dict[str, float] = {}
    above: list[tuple[int, str]] = []
    for depth, package, alone, cumulative in reversed([*_lines(importtime)]):
        while above and above[-1][0] >= depth:
            above.pop()
        own[package] = own.get(package, 0) + alone
        if package not in (name for _, name in above):
            whole[package] = whole.get(package, 0) + cumulative
        above.append((depth, package))
    return (_Cost(package, own[package], whole[package]) for package in own)


def _lines(importtime: str) -> Iterator[tuple[int, str, float, float]]:
    for line in importtime.splitlines():
        alone, cumulative, name = line.removeprefix("import time:").split("|")
        if alone.strip().isdigit():
            module = name.strip()
            yield (
                len(name) - len(module),
                module.partition(".")[0],
                int(alone) / 1000,
                int(cumulative) / 1000,
            )


# --- The section of the page ----------------------------------------------------------------------

_AS_INSTALLED = f"{BASELINE}, all services installed"


def _targets(starts: _Starts) -> Table:
    others = [name for name in first_calls.NAMES if name not in WAITED_FOR]
    worst = max(others, key=lambda name: starts.ratio(name).clock)
    names = {name: name for name in WAITED_FOR} | {worst: f"the slowest other, {worst}"}
    return report.targets(
        [
            report.at_most(f"{what} ÷ boto3", MAX_TIMES_BOTO3[name], starts.ratio(name).clock)
            for name, what in names.items()
        ]
    )


def _times(starts: _Starts) -> Table:
    columns = ["", "import, ms", "first call, ms", "both", "min–max", "CPU, ms"]
    columns += ["÷ boto3", "its CPU"]
    rows = [_row(starts, name) for name in (BASELINE, _AS_INSTALLED, *first_calls.NAMES)]
    return Table("From nothing to the first answer", columns, rows)


def _row(starts: _Starts, name: str) -> list[str]:
    found = starts.found[name]
    both = [start.seconds * 1000 for start in found]
    return [
        name,
        f"{median(start.importing for start in found) * 1000:.0f}",
        f"{median(start.calling for start in found) * 1000:.0f}",
        *report.spread(both),
        f"{median(start.cpu for start in found) * 1000:.0f}",
        *(f"{value:.2f}" for value in starts.ratio(name)),
    ]


def _expensive(profiles: Mapping[str, list[_Cost]]) -> Table:
    columns = ["", *(f"{n}." for n in range(1, EXPENSIVE + 1))]
    rows = [[name, *map(_cell, costs)] for name, costs in profiles.items()]
    return Table(
        "The most expensive imports: ms of its own (with what it imports first)", columns, rows
    )


def _cell(cost: _Cost) -> str:
    return f"{cost.package} {cost.own:.0f} ({cost.whole:.0f})"


def _notes(starts: _Starts, busy: float) -> list[str]:
    as_installed = starts.ratio(_AS_INSTALLED).clock
    return [
        "The artifact omits the services that no function calls, which makes the baseline faster"
        f" too: with all of them, as pip installs them, it takes {as_installed:.2f} times as long.",
        "First calls are "
        + ", ".join(f"`{name}`: {what}" for name, what in first_calls.DESCRIPTIONS.items())
        + ".",
        f"Other processes and the hypervisor used {busy:.0%} of the cores' time.",
    ]
