"""Bursts: many events at once, or events that follow faster than a fan-out completes.

The same loads also run with the former functions, which post each event alone.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from bench import arrivals, chart, former, machine, recovery, report, scale
from bench.arrivals import Arrivals, Seconds
from bench.cloud import requests
from bench.cloud.lambdas import Lambda, LambdaPool, check
from bench.cloud.stack import Stack
from bench.report import Row, Section, Table
from bench.scale import POSTS_PER_SECOND
from vitrina.channels import ClientType
from vitrina.fanout_rate import LANES_SHARE
from vitrina.partitions import Kind

SMALL, MIDDLE, LARGE = scale.SIZES
CHOSEN = os.environ.get("PARTS", "")
"""The only parts to run, separated by commas; the page is then not written."""

BULK = 100
"""Products of a bulk approval: the maximum of the API."""
BULK_REPETITIONS = 3
STOPPED_AFTER = 25
"""The former functions are stopped after this many times the duration of the present ones."""
STEADY_SECONDS = 60
DRAIN_SECONDS = 150
"""The maximum wait for remaining deliveries after the last approval."""
FEW = 10
PLAIN_EVERY = 10
HANGING_EVERY = 300
"""More than one of them in each page of about a thousand connections."""
ROOM = "room:sale"
ROOM_MEMBERS = 50
ANNOUNCEMENT_SECONDS = 10
RESUMED, RESUME_LATENCY_MS = 500, 20
TURNS = 2
MAX_APPROVERS = 4
"""Warm functions that approve at the same time."""
PERCENTILES = (50, 95, 99)

MAX_BULK_POSTS = 2.2
MAX_BULK_SHARE = 1 / 20
MAX_MIDDLE_SECONDS = 2.5
MAX_MIDDLE_LAST_SECONDS = 3
MAX_LARGE_SECONDS = 25
MAX_LARGE_LAST_ROUNDS = 2
MAX_THROTTLED = 0.01
MAX_TIMES_WITH_PLAIN = 1.1
MAX_ROOM_SECONDS = 6
MAX_ONE_SECONDS = {SMALL: 0.3, MIDDLE: 1.2}
MAX_TIMES_THE_BOUND = 1.2
MAX_RESUME_SECONDS = 0.3
MAX_REQUEST_SHARE = 0.65
MAX_REQUEST_CPU_SHARE = 0.5
MAX_TIMES_WITH_HANGING = 1.1

FIGURES = machine.BUILD / "bursts.json"
"""Figures of the last run, for the benchmark `million`."""


@dataclass
class Results:
    """The results of the parts that have run."""

    targets: list[Row] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    panels: dict[str, dict[str, float]] = field(default_factory=dict)

    def at_most(self, what: str, target: float, measured: float) -> None:
        self.targets.append(report.at_most(what, target, measured))


Former = Mapping[str, Any] | None
"""The arguments of `stack.running` for the former functions; None if they are not there."""


def measure(progress: Callable[[str], None]) -> Section:
    """Run all parts, or those in the environment variable PARTS; takes about 25 minutes."""
    before = former.extract()
    found = Results()
    if before is None:
        found.notes.append(
            f"This clone does not have the commit {former.COMMIT}: nothing is compared with it."
        )
    for name, part in PARTS.items():
        if not CHOSEN or name in CHOSEN.split(","):
            part(progress, found, before)
    if found.panels and not CHOSEN:
        chart.bars("bursts", found.panels, ours="now")
    targets = [Table("Targets", found.targets)] if found.targets else []
    return Section([*targets, *found.tables], found.notes, is_complete=not CHOSEN)


def _committed(here: Stack, channel: str, last: int) -> Seconds:
    """Return when the events of a channel were committed, by number; 0 has none."""
    times = (float(here.event(channel, seq)["created_at"]) / 1000 for seq in range(1, last + 1))
    return np.array([0.0, *times])


def _settle(here: Stack) -> None:
    """Wait until the first posts are done and the stub's burst is full, and forget the posts."""
    here.cloud.wait_until_done(DRAIN_SECONDS)
    time.sleep(scale.PAUSE_SECONDS)
    here.answers()


# --- A bulk approval ------------------------------------------------------------------------------


class Bulk(NamedTuple):
    seconds: float
    """From the first commit to the last post."""
    posts: float
    """For each connection."""
    is_stopped: bool
    """Whether it was stopped before its end."""
    missing: int


def _bulk(progress: Callable[[str], None], found: Results, code: Former) -> None:
    table = []
    for size in (SMALL, MIDDLE):
        progress(f"{BULK} products at once, {size:,}")
        now = _bulks(size, None, BULK_REPETITIONS)
        seconds, posts = median(each.seconds for each in now), median(each.posts for each in now)
        before = None
        if code:
            progress("The same with the former functions")
            [before] = _bulks(size, code, 1, STOPPED_AFTER * seconds)
        table.append(_bulk_row(size, now, before))
        found.at_most(f"posts/connection, bulk, {size:,}", MAX_BULK_POSTS, posts)
        if before:
            share = seconds / before.seconds
            found.at_most(f"bulk to {size:,}, s / the former", MAX_BULK_SHARE, share)
            if size == SMALL:
                found.panels[f"s for {BULK} products to {size:,}"] = {
                    "before": before.seconds,
                    "now": seconds,
                }
        missing = sum(each.missing for each in now)
        found.at_most(f"missing events, bulk, {size:,}", 0, missing)
    found.tables.append(Table(f"{BULK} products in one request", table))


def _bulks(
    size: int, code: Former, repetitions: int, at_most_seconds: float = DRAIN_SECONDS
) -> list[Bulk]:
    with scale.at_the_quota(size, **(code or {})) as here:
        approve, workers = here.function("approve"), here.fanout()
        firsts = range(1, repetitions * (BULK + 1) + 1, BULK + 1)
        done = [_one_bulk(here, approve, first, size, at_most_seconds) for first in firsts]
        workers.check()
        return done


def _one_bulk(here: Stack, approve: Lambda, first: int, size: int, at_most_seconds: float) -> Bulk:
    """Approve one product, which opens the connections, and then many at once."""
    check("approve", approve.invoke(requests.approval(here, first)).answer)
    _settle(here)
    last = first + BULK
    check("approve", approve.invoke(requests.approval(here, *range(first + 1, last + 1))).answer)
    is_done = here.cloud.wait_until_done(at_most_seconds)
    got = arrivals.read(here.lines())
    committed = float(_committed(here, ClientType.USER, last)[first + 1])
    everyone = np.ones(size, np.bool_)
    return Bulk(
        seconds=float(got.at.max()) - committed,
        posts=got.answers / size,
        is_stopped=not is_done,
        missing=got.missing(everyone, first + 1, last) if is_done else 0,
    )


def _bulk_row(size: int, now: list[Bulk], before: Bulk | None) -> Row:
    row = [
        ("connections", f"{size:,}"),
        *report.spread("s to the last post", [each.seconds for each in now], 2),
        ("posts/connection", f"{median(each.posts for each in now):.2f}"),
        ("missing", str(sum(each.missing for each in now))),
    ]
    if not before:
        return row
    more = "> " if before.is_stopped else ""
    times = before.seconds / median(each.seconds for each in now)
    return [
        *row,
        ("former, s", f"{more}{before.seconds:.1f}"),
        ("former posts/connection", f"{more}{before.posts:.1f}"),
        ("former ÷ now", f"{more}{times:.0f}"),
    ]


# --- Approvals in succession ----------------------------------------------------------------------


class Load(NamedTuple):
    """Approvals at a constant rate."""

    connections: int
    per_second: int
    is_mixed: bool = False
    """Whether one connection in ten is plain."""
    scaled: float = 1
    """The quota, as a share of the account's: with as much less of both, rounds take as long, and
    the machine has as much less to do."""

    def __str__(self) -> str:
        mixed = ", 10% plain" if self.is_mixed else ""
        scaled = f", {self.scaled:g} × the quota" if self.scaled != 1 else ""
        return f"{self.per_second}/s to {self.connections:,}{scaled}{mixed}"

    @property
    def round_seconds(self) -> float:
        """How long a round takes at the lanes' rate."""
        return self.connections / (LANES_SHARE * POSTS_PER_SECOND * self.scaled)


class Steady(NamedTuple):
    """What a load has led to."""

    load: Load
    delays: dict[str, float]
    """From commit to post, by percentile, in seconds: of connections that take batches."""
    last_seconds: float
    """From the last commit to the last post, to the same."""
    missing: int
    throttled: float
    """The share of 429."""
    posts_per_second: float
    events_per_post: float
    event_bytes: int
    room_seconds: float
    """The longest from an announcement's commit to its last post."""
    used: dict[str, float]
    """Processors, by who used them; the stand-in is this program."""
    cpu_seconds_per_post: float

    @property
    def bytes_per_post(self) -> float:
        return self.events_per_post * self.event_bytes

    @property
    def rounds(self) -> float:
        """The time after the last commit, in rounds."""
        return self.last_seconds / self.load.round_seconds


HALF = 0.5
LOADS = (
    Load(MIDDLE, 2),
    Load(LARGE, 1),
    Load(LARGE, 5),
    Load(LARGE, 1, is_mixed=True),
    Load(LARGE, 5, is_mixed=True),
    Load(LARGE // 2, 1, scaled=HALF),
    Load(LARGE // 2, 5, scaled=HALF),
    Load(LARGE // 2, 1, is_mixed=True, scaled=HALF),
    Load(LARGE // 2, 5, is_mixed=True, scaled=HALF),
)


def _succession(progress: Callable[[str], None], found: Results, _former: Former) -> None:
    done: dict[Load, Steady] = {}
    for load in LOADS:
        progress(f"{STEADY_SECONDS} s: {load}")
        done[load] = _steady(load)
    found.targets += [row for each in done.values() for row in _steady_targets(each, done)]
    found.tables += [
        Table("Approvals in succession", [_steady_row(each) for each in done.values()]),
        Table("The machine meanwhile", [_machine_row(each) for each in done.values()]),
    ]
    figures = [
        load._asdict() | each._asdict() | {"bytes_per_post": each.bytes_per_post}
        for load, each in done.items()
    ]
    FIGURES.write_text(json.dumps(figures, indent=2))


def _steady(load: Load) -> Steady:
    size, rate = load.connections, load.per_second
    plain = range(0, size, PLAIN_EVERY) if load.is_mixed else range(0)
    with scale.at_the_quota(size, load.scaled, plain=plain) as here:
        for number in range(size, size + ROOM_MEMBERS):
            here.join(ROOM, number)
        announce, workers = here.function("announce"), here.fanout()
        approvers = [here.function("approve") for _ in range(min(MAX_APPROVERS, rate))]
        warm = len(approvers)
        for n, approve in enumerate(approvers, 1):
            check("approve", approve.invoke(requests.approval(here, n)).answer)
        check("announce", announce.invoke(requests.announcement(here, ROOM)).answer)
        _settle(here)
        meter = _CpuByPart(here)
        last = warm + rate * STEADY_SECONDS
        announced = _approve_steadily(here, approvers, announce, [*range(warm + 1, last + 1)])
        _wait(here, load.is_mixed)
        workers.check()
        used = meter.read()
        got = arrivals.read(here.lines())
        committed = _committed(here, ClientType.USER, last)
        event_bytes = len(here.event(ClientType.USER, last)["body"].encode())
        room = _room_seconds(here, got, size, announced)
    takes_batches = np.ones(size + ROOM_MEMBERS, np.bool_)
    takes_batches[list(plain)] = takes_batches[size:] = False
    batches = got.to(takes_batches)
    delays = batches.delays(committed)
    events_per_post = float((batches.last - batches.first + 1).mean())
    return Steady(
        load=load,
        delays={f"p{percent}": delays.percentile(percent) for percent in PERCENTILES},
        last_seconds=float(batches.at.max() - committed[-1]),
        missing=batches.missing(takes_batches, warm + 1, last),
        throttled=got.throttled / got.answers,
        posts_per_second=len(got.at) / float(got.at.max() - got.at.min()),
        events_per_post=events_per_post,
        event_bytes=event_bytes,
        room_seconds=room,
        used=used,
        cpu_seconds_per_post=used["workers"] * meter.seconds / got.answers,
    )


class _CpuByPart:
    """The processors that are in use since this was made."""

    def __init__(self, here: Stack) -> None:
        here.cloud.bill.take()
        self._here = here
        self._usage = machine.CpuUsage()
        self._began = time.monotonic(), here.posts.cpu_seconds(), time.process_time()
        self.seconds = 0.0

    def read(self) -> dict[str, float]:
        """Return how many processors each part used, and all, with other programs, together."""
        began, stub_cpu, own_cpu = self._began
        self.seconds = time.monotonic() - began
        bill = self._here.cloud.bill.take()
        cpu = {
            "workers": bill["fanout_cpu_seconds"],
            "approvers": bill["approve_cpu_seconds"],
            "stub": self._here.posts.cpu_seconds() - stub_cpu,
            "stand-in": time.process_time() - own_cpu,
        }
        used = {part: seconds / self.seconds for part, seconds in cpu.items()}
        return {**used, "all": self._usage.share() * len(machine.CORES)}


def _approve_steadily(
    here: Stack, approvers: list[Lambda], announce: Lambda, product_ids: list[int]
) -> int:
    """Approve at a constant rate for the duration, and announce at times; return how often."""
    approve = LambdaPool(approvers)

    def invoke(event: dict[str, Any]) -> None:
        check("approve", approve.invoke(event).answer)

    def announce_at_times() -> int:
        for number in count():
            time.sleep(max(0.0, began + (number + 0.5) * ANNOUNCEMENT_SECONDS - time.monotonic()))
            if time.monotonic() - began > STEADY_SECONDS:
                return number
            check("announce", announce.invoke(requests.announcement(here, ROOM)).answer)
        raise AssertionError

    approvals = [requests.approval(here, product_id) for product_id in product_ids]
    began = time.monotonic()
    with ThreadPoolExecutor(len(approvers) + 1) as pool:
        announced = pool.submit(announce_at_times)
        waiting = []
        for number, request in enumerate(approvals):
            due = began + number * STEADY_SECONDS / len(approvals)
            time.sleep(max(0.0, due - time.monotonic()))
            waiting.append(pool.submit(invoke, request))
        for each in waiting:
            each.result()
        return announced.result()


def _wait(here: Stack, is_mixed: bool) -> None:
    """Wait until nothing is owed; with plain connections, until nothing is to the others."""
    deadline = time.monotonic() + DRAIN_SECONDS
    if not is_mixed:
        here.cloud.wait_until_done(DRAIN_SECONDS)
    while is_mixed and here.is_owed(Kind.BATCH) and time.monotonic() < deadline:
        time.sleep(0.2)


def _room_seconds(here: Stack, got: Arrivals, size: int, announced: int) -> float:
    """Return the longest time from an announcement to its last post in the room."""
    room = got.of(range(size, size + ROOM_MEMBERS))
    committed = _committed(here, ROOM, announced + 1)
    lasts = []
    for seq in range(2, announced + 2):
        at = room.at[(room.first <= seq) & (room.last >= seq)]
        if len(at) < ROOM_MEMBERS:
            return math.inf
        lasts.append(float(at.max() - committed[seq]))
    return max(lasts)


def _steady_targets(it: Steady, others: Mapping[Load, Steady]) -> Iterator[Row]:
    about = it.load
    p99 = it.delays["p99"]
    if about.connections == MIDDLE:
        yield report.at_most(f"{about}: p99, s", MAX_MIDDLE_SECONDS, p99)
        yield report.at_most(
            f"{about}: the last, s after the last approval",
            MAX_MIDDLE_LAST_SECONDS,
            it.last_seconds,
        )
    else:
        yield report.at_most(f"{about}: p99, s", MAX_LARGE_SECONDS, p99)
        yield report.at_most(
            f"{about}: the last, rounds after the last approval", MAX_LARGE_LAST_ROUNDS, it.rounds
        )
    if about.is_mixed:
        without = others[about._replace(is_mixed=False)].delays["p99"]
        yield report.at_most(f"{about}: p99 / without plain", MAX_TIMES_WITH_PLAIN, p99 / without)
    yield report.at_most(f"{about}: share of 429", MAX_THROTTLED, it.throttled)
    yield report.at_most(f"{about}: missing events", 0, it.missing)
    yield report.at_most(f"{about}: a room of {ROOM_MEMBERS}, s", MAX_ROOM_SECONDS, it.room_seconds)


def _load_cells(load: Load) -> Row:
    return [
        ("connections", f"{load.connections:,}"),
        ("quota", f"{POSTS_PER_SECOND * load.scaled:,.0f}"),
        ("approvals/s", str(load.per_second)),
        ("plain", "10%" if load.is_mixed else "0"),
    ]


def _steady_row(it: Steady) -> Row:
    return [
        *_load_cells(it.load),
        *((f"{name}, s", f"{delay:.1f}") for name, delay in it.delays.items()),
        ("the last after the last approval, s", f"{it.last_seconds:.1f}"),
        ("rounds", f"{it.rounds:.1f}"),
        ("events/post", f"{it.events_per_post:.1f}"),
        ("429", f"{it.throttled:.2%}"),
        ("missing", str(it.missing)),
        (f"room of {ROOM_MEMBERS}, s", f"{it.room_seconds:.2f}"),
    ]


def _machine_row(it: Steady) -> Row:
    return [
        *_load_cells(it.load),
        ("posts/s", f"{it.posts_per_second:,.0f}"),
        ("KB/post", f"{it.bytes_per_post / 1024:.1f}"),
        ("worker µs CPU/post", f"{it.cpu_seconds_per_post * 1e6:.0f}"),
        *((f"cores: {part}", f"{cores:.2f}") for part, cores in it.used.items()),
    ]


# --- One event, one resume, one request -----------------------------------------------------------


def _one_event(progress: Callable[[str], None], found: Results, _former: Former) -> None:
    table = []
    for size in scale.SIZES:
        progress(f"One event to {size:,}")
        runs = scale.approvals(size)
        seconds = [run.seconds for run in runs]
        bound = scale.bound(size, runs)
        table.append(
            [
                ("connections", f"{size:,}"),
                *report.spread("s to the last post", seconds, 2),
                ("bound", f"{bound:.2f}"),
                ("machine busy", f"{median(run.machine_busy for run in runs):.0%}"),
            ]
        )
        what = f"one event to {size:,}"
        if size in MAX_ONE_SECONDS:
            found.at_most(f"{what}, s", MAX_ONE_SECONDS[size], median(seconds))
        else:
            times = median(seconds) / bound
            found.at_most(f"{what} / the quota's bound", MAX_TIMES_THE_BOUND, times)
    found.tables.append(Table("One event", table))


def _resume(progress: Callable[[str], None], found: Results, _former: Former) -> None:
    progress(f"resume of {RESUMED}")
    runs = recovery.recover(RESUME_LATENCY_MS, takes_batches=True)[RESUMED]
    seconds = median(run.seconds for run in runs)
    what = f"`resume` of {RESUMED}, {RESUME_LATENCY_MS} ms a post, s"
    found.at_most(what, MAX_RESUME_SECONDS, seconds)


def _requests(progress: Callable[[str], None], found: Results, code: Former) -> None:
    if code is None:
        return
    table = []
    for size in (FEW, SMALL):
        progress(f"Approving requests, {size:,}, in turns")
        now, before = _in_turns(size, code)
        times = [[run.request_ms for run in runs] for runs in (now, before)]
        cpus = [[run.approver_cpu_ms for run in runs] for runs in (now, before)]
        table.append(
            [
                ("connections", f"{size:,}"),
                *report.spread("request, ms", times[0]),
                ("former, ms", f"{median(times[1]):.0f}"),
                *report.spread("CPU, ms", cpus[0]),
                ("former CPU, ms", f"{median(cpus[1]):.0f}"),
            ]
        )
        time_share, cpu_share = (median(both[0]) / median(both[1]) for both in (times, cpus))
        what = f"approving at {size:,}"
        found.at_most(f"{what}, time / the former", MAX_REQUEST_SHARE, time_share)
        found.at_most(f"{what}, CPU / the former", MAX_REQUEST_CPU_SHARE, cpu_share)
        found.panels[f"ms to approve at {size:,} connections"] = {
            "before": median(times[1]),
            "now": median(times[0]),
        }
    found.tables.append(Table("The approving request", table))


def _in_turns(
    size: int, other: Mapping[str, Any]
) -> tuple[list[scale.Approval], list[scale.Approval]]:
    """Approve with the usual arguments of `stack.running` and with others, in turns."""
    usual, others = [], []
    for _ in range(TURNS):
        usual += scale.approvals(size)
        others += scale.approvals(size, **other)
    return usual, others


def _hanging(progress: Callable[[str], None], found: Results, _former: Former) -> None:
    progress("A phone that hangs, in every page")
    without, hanging = (
        [run.seconds for run in runs]
        for runs in _in_turns(MIDDLE, {"hanging": range(0, MIDDLE, HANGING_EVERY)})
    )
    table: list[Row] = [
        [
            ("", phones),
            ("connections", f"{MIDDLE:,}"),
            *report.spread("s to the last of the others", seconds, 2),
        ]
        for phones, seconds in {"none": without, f"one in {HANGING_EVERY}": hanging}.items()
    ]
    found.tables.append(Table("Phones that hang", table))
    times = median(hanging) / median(without)
    found.at_most("with phones that hang / without", MAX_TIMES_WITH_HANGING, times)


PARTS = {
    "bulk": _bulk,
    "succession": _succession,
    "one": _one_event,
    "resume": _resume,
    "requests": _requests,
    "hanging": _hanging,
}
