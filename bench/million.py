"""Events an hour to a hundred thousand and a million connections: a simulation of rounds."""

import json
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, NamedTuple, Self

import simpy

from bench import bursts, chart, report, scale
from bench.cloud.bill import dollars
from bench.cloud.server import DELIVERY_SECONDS, LATENCY_SECONDS
from bench.cloud.stack import SHARES
from bench.report import Row, Section, Table
from vitrina.channels import ClientType
from vitrina.fanout_rate import LANES_SHARE, MIN_MEMBERS
from vitrina.frames import MAX_FRAME_BYTES
from vitrina.lanes import EMPTY_LANE_INTERVAL_SECONDS
from vitrina.partitions import Kind
from vitrina.rounds import MAX_PAGE_ROWS, MAX_ROUND_EVENTS, MAX_WORK_SECONDS, SLICE_SECONDS
from vitrina.sender import BURST_SECONDS, MAX_PARALLEL_POSTS

MILLION = 1_000_000
SIZES = (scale.LARGE, MILLION)
QUOTAS = (50_000, 100_000)
"""Raised ones."""
SETTINGS = ((5, 4, 1), (12, 8, 2), (24, 16, 4))
"""Workers, shards of users, shards of shops; the first line has the defaults."""
MIN_EVENTS_PER_HOUR = {scale.LARGE: 20_000, MILLION: 1_800}
FORMER_EVENTS_PER_HOUR = {scale.LARGE: 360, MILLION: 36}
"""By the same quota: each event took 10 s and 100 s."""
# SQS's event source starts with five workers and adds 300 a minute.
FIRST_WORKERS, WORKERS_PER_SECOND = 5, 300 / 60
COLD_START_SECONDS = 0.8
WORKER_GB = 1769 / 1024
POST_LATENCY_SECONDS = 0.02
MAX_ROUNDS_AFTER = 3
"""A rate is sustained if nothing is owed longer than so many rounds after the last event: the round
under way and one more, and what calls and restarts take. Otherwise it would grow."""
ROUNDS = 15
"""The duration of a simulation: events are published for this many rounds."""
MIN_SHARE_OF_THE_MOST = 0.97
"""Of the settings that sustain at least this share of the highest rate, the one with the fewest
workers is recommended."""
SAMPLES = 8
STEPS = 6
"""Of the search for the greatest rate that is sustained."""

Process = Generator[simpy.Event, Any, None]


class Costs(NamedTuple):
    """Processor time of a post: measured at two sizes of frames."""

    seconds: float
    seconds_per_byte: float
    event_bytes: float

    def of(self, frame_bytes: float) -> float:
        return self.seconds + frame_bytes * self.seconds_per_byte


@dataclass
class _Lane:
    rows: int
    """Of its partition, also those of the other kind of connections."""
    connections: int
    pending: list[int] = field(default_factory=list)
    """Events that are owed, by number."""
    round: list[int] = field(default_factory=list)
    """Events of the round under way."""
    left: float = 0
    """Connections that are still to be posted to in this round."""
    is_held: bool = False

    @property
    def weight(self) -> int:
        """As earlier rounds have counted."""
        return max(MIN_MEMBERS, self.connections)


@dataclass
class Simulation:
    """Events at a constant rate: the parameters, and what happened."""

    connections: int
    events_per_second: float
    seconds: float
    """For how long events are published."""
    costs: Costs
    posts_per_second: int = scale.POSTS_PER_SECOND
    workers: int = 5
    user_shards: int = 4
    shop_shards: int = 1
    latency_seconds: float = POST_LATENCY_SECONDS
    cold_start_seconds: float = COLD_START_SECONDS
    processors: float = math.inf
    """The processors that the workers share."""

    env: simpy.Environment = field(default_factory=simpy.Environment)
    delays: list[tuple[float, float]] = field(default_factory=list)
    """Seconds from commit to post, and the number of deliveries that took so long."""
    last_seconds: float = 0
    """From the last commit to the last post."""
    posts: float = 0
    deliveries: float = 0
    pieces: int = 0
    busy_seconds: float = 0
    """Of all workers together, as Lambda bills it."""

    @property
    def round_seconds(self) -> float:
        """The time of one post to each connection, at the lanes' rate."""
        return self.connections / (LANES_SHARE * self.posts_per_second)

    @property
    def per_hour(self) -> float:
        return self.events_per_second * 3600

    @property
    def is_sustained(self) -> bool:
        return self.last_seconds <= MAX_ROUNDS_AFTER * self.round_seconds

    @property
    def events(self) -> int:
        return max(1, round(self.events_per_second * self.seconds))

    def run(self) -> Self:
        self.queue = simpy.Store(self.env)
        self.active: dict[int, _Lane] = {}
        shards_of = {ClientType.USER: self.user_shards, ClientType.SHOP: self.shop_shards}
        self.lanes = [
            _Lane(rows, rows if kind is Kind.BATCH else 0)
            for channel, share in SHARES.items()
            for shards in [shards_of.get(channel, 1)]
            for rows in [self.connections * share // 100 // shards] * shards
            for kind in Kind
        ]
        self.committed: list[float] = []
        self.env.process(self._publish())
        for number in range(self.workers):
            self.env.process(self._work(number))
        # The simulation ends when no process has anything to do.
        self.env.run()
        return self

    def percentile(self, percent: float) -> float:
        """Return a percentile of the delays, in seconds."""
        reached, wanted = 0.0, self.deliveries * percent / 100
        for delay, count in sorted(self.delays):
            reached += count
            if reached >= wanted:
                return delay
        return math.nan

    def _publish(self) -> Process:
        """Commit events; each is owed by every lane, and wakes those that nobody holds."""
        for number in range(self.events):
            self.committed.append(self.env.now)
            self.env.process(self._owe(number))
            yield self.env.timeout(1 / self.events_per_second)

    def _owe(self, number: int) -> Process:
        yield self.env.timeout(
            _taking("TransactWriteItems", "Query", "UpdateItem", "SendMessageBatch")
        )
        for lane in self.lanes:
            lane.pending.append(number)
            if lane.is_held:
                continue
            if lane.connections:
                self._wake(lane)
            elif len(lane.pending) == 1:
                self.env.process(self._wake_later(lane))

    def _wake_later(self, lane: _Lane) -> Process:
        yield self.env.timeout(EMPTY_LANE_INTERVAL_SECONDS)
        self._wake(lane)

    def _wake(self, lane: _Lane) -> None:
        # A lane that is woken twice has no work for the second worker.
        if lane not in self.queue.items:
            self.queue.put(lane)

    def _work(self, number: int) -> Process:
        """Work on one lane after another, from the time that Lambda starts this worker."""
        yield self.env.timeout(max(0, number - FIRST_WORKERS + 1) / WORKERS_PER_SECOND)
        start = self.cold_start_seconds
        while True:
            lane = yield self.queue.get()
            yield self.env.timeout(DELIVERY_SECONDS + start)
            start, began = 0.0, self.env.now
            yield self.env.timeout(_taking("UpdateItem"))
            if not lane.is_held:
                self.pieces += 1
                lane.is_held = True
                yield from self._piece(number, lane)
                self.active.pop(number, None)
            self.busy_seconds += self.env.now - began

    def _piece(self, number: int, lane: _Lane) -> Process:
        """Post slices of rounds for two seconds, or until nothing is owed."""
        until = self.env.now + MAX_WORK_SECONDS[Kind.BATCH]
        share = LANES_SHARE * self.posts_per_second / self.workers
        if lane.round or lane.weight > share * SLICE_SECONDS[Kind.BATCH]:
            yield self.env.timeout(_taking("UpdateItem"))
            entered = self._enter(number, lane)
            share = entered if lane.round else min(share, entered)
        while lane.round or lane.pending:
            if not lane.round:
                # Reads the head, begins the round and reads its events.
                yield self.env.timeout(_taking("BatchGetItem", "UpdateItem", "Query"))
                lane.round = lane.pending[: self._max_events(lane)]
                del lane.pending[: len(lane.round)]
                lane.left = lane.connections
            if lane.connections:
                yield from self._slice(lane, share)
                share = self._enter(number, lane)
            else:
                yield from self._find_nobody(lane)
            if self.env.now > until and (lane.round or lane.pending):
                yield self.env.timeout(_taking("UpdateItem", "SendMessageBatch"))
                lane.is_held = False
                self._wake(lane)
                return
        lane.is_held = False

    def _max_events(self, lane: _Lane) -> int:
        """Return how many events a round takes: as many as are read, and fit into a frame."""
        most = MAX_ROUND_EVENTS[Kind.BATCH]
        if not lane.connections:
            return most
        return min(most, int(MAX_FRAME_BYTES // self.costs.event_bytes))

    def _enter(self, number: int, lane: _Lane) -> float:
        """Return a worker's share of the rate, by the members of the lanes that are active."""
        self.active[number] = lane
        everyone = sum(each.weight for each in self.active.values())
        return LANES_SHARE * self.posts_per_second * lane.weight / everyone

    def _find_nobody(self, lane: _Lane) -> Process:
        """Read a partition without members of this kind, and end the round."""
        pages = math.ceil(lane.rows / MAX_PAGE_ROWS)
        yield self.env.timeout(pages * _taking("Query") + _taking("UpdateItem"))
        lane.round = []

    def _slice(self, lane: _Lane, share: float) -> Process:
        """Read members, post to them, write the cursor, and read the share of the rate."""
        frame_bytes = len(lane.round) * self.costs.event_bytes
        posts = members = min(lane.left, max(1, share * SLICE_SECONDS[Kind.BATCH]))
        pages = math.ceil(members / MAX_PAGE_ROWS)
        # The cursor is written and the rate is read at the same time.
        calls = pages * _taking("Query") + _taking("UpdateItem")
        cpu = self.costs.of(frame_bytes)
        processors = min(1.0, self.processors / max(1, len(self.active)))
        fastest = min(processors / cpu, MAX_PARALLEL_POSTS / self.latency_seconds)
        # Posts that the token bucket saved meanwhile are sent at once.
        kept = min(calls + self.latency_seconds, BURST_SECONDS) * share
        posting = max(posts / fastest, (posts - kept) / share) + self.latency_seconds
        yield self.env.timeout(calls + posting)
        # A few of the events, which came at a constant rate, stand for all.
        sample = lane.round[:: max(1, len(lane.round) // SAMPLES)]
        count = members * len(lane.round) / len(sample)
        middle = self.env.now - posting / 2
        self.delays += ((middle - self.committed[event], count) for event in sample)
        self.posts += posts
        self.deliveries += members * len(lane.round)
        self.last_seconds = self.env.now - self.committed[-1]
        lane.left -= members
        if lane.left < 1:
            lane.round = []


def _taking(*calls: str) -> float:
    return sum(LATENCY_SECONDS[call] for call in calls)


def greatest(simulate: Callable[[float], Simulation], at_most: float) -> Simulation:
    """Return the simulation with the greatest rate of events that is sustained, by bisection."""
    low, high = 0.0, at_most
    found = simulate(at_most / 2**STEPS)
    for _ in range(STEPS):
        middle = (low + high) / 2
        tried = simulate(middle)
        if tried.is_sustained:
            low, found = middle, tried
        else:
            high = middle
    return found


# --- The section of the page ----------------------------------------------------------------------


def measure(progress: Callable[[str], None]) -> Section:
    """Simulate rounds with the figures of the last run of the benchmark `bursts`."""
    if not bursts.FIGURES.exists():
        raise RuntimeError("Run the benchmark `bursts` first.")
    loads = json.loads(bursts.FIGURES.read_text())
    costs = _costs(loads)
    progress("Simulating what was measured")
    checked = [_check(load, costs) for load in loads if not load["is_mixed"]]
    found: dict[int, list[Simulation]] = {}
    for size in SIZES:
        progress(f"The greatest rate for {size:,}")
        found[size] = [_greatest(size, scale.POSTS_PER_SECOND, each, costs) for each in SETTINGS]
    progress("Greater quotas")
    by_quota = {
        quota: [_greatest(MILLION, quota, each, costs) for each in SETTINGS] for quota in QUOTAS
    }
    by_quota = {scale.POSTS_PER_SECOND: found[MILLION], **by_quota}
    advice = [_best(tried) for tried in by_quota.values()]
    defaults = {size: tried[0] for size, tried in found.items()}
    targets = [
        report.at_least(
            f"events an hour to {size:,}", MIN_EVENTS_PER_HOUR[size], defaults[size].per_hour
        )
        for size in SIZES
    ]
    chart.bars(
        "million",
        {
            f"events an hour to {size:,}": {
                "each alone": FORMER_EVENTS_PER_HOUR[size],
                "rounds of frames": defaults[size].per_hour,
            }
            for size in SIZES
        },
        ours="rounds of frames",
    )
    return Section(
        tables=[
            Table("Targets", targets),
            Table("Check: as measured", checked),
            Table(
                "The greatest rate",
                [_greatest_row(each) for tried in found.values() for each in tried],
            ),
            Table("A million, by quota", [_quota_row(each) for each in advice]),
        ],
        notes=[
            f"An event has {costs.event_bytes:.0f} bytes. A post takes {costs.seconds * 1e6:.0f} µs"
            f" of processor time, and {costs.seconds_per_byte * 1024 * 1e6:.1f} µs for each KB; its"
            f" answer takes {POST_LATENCY_SECONDS * 1000:.0f} ms, a cold start"
            f" {COLD_START_SECONDS} s."
        ],
        versions={"simpy": version("simpy")},
    )


def _costs(loads: list[dict[str, Any]]) -> Costs:
    """Fit a post's processor time to the loads with the shortest and the longest frames."""
    alike = sorted(
        (load for load in loads if not load["is_mixed"]), key=lambda load: load["bytes_per_post"]
    )
    short, long = alike[0], alike[-1]
    more = long["cpu_seconds_per_post"] - short["cpu_seconds_per_post"]
    per_byte = max(0.0, more / (long["bytes_per_post"] - short["bytes_per_post"]))
    seconds = short["cpu_seconds_per_post"] - per_byte * short["bytes_per_post"]
    return Costs(seconds, per_byte, short["event_bytes"])


def _check(load: dict[str, Any], costs: Costs) -> Row:
    quota = round(scale.POSTS_PER_SECOND * load["scaled"])
    simulated = Simulation(
        load["connections"],
        load["per_second"],
        bursts.STEADY_SECONDS,
        costs,
        posts_per_second=quota,
        latency_seconds=scale.LATENCY_MS / 1000,
        cold_start_seconds=0,
    ).run()
    measured = load["delays"]["p99"]
    return [
        ("connections", f"{load['connections']:,}"),
        ("quota", f"{quota:,}"),
        ("events/s", f"{load['per_second']:g}"),
        ("p50 measured, s", f"{load['delays']['p50']:.1f}"),
        ("simulated", f"{simulated.percentile(50):.1f}"),
        ("p99 measured, s", f"{measured:.1f}"),
        ("simulated", f"{simulated.percentile(99):.1f}"),
        ("difference", f"{simulated.percentile(99) / measured - 1:+.0%}"),
    ]


def _greatest(size: int, quota: int, setting: tuple[int, int, int], costs: Costs) -> Simulation:
    workers, user_shards, shop_shards = setting
    in_a_frame = MAX_FRAME_BYTES / costs.event_bytes
    round_seconds = size / (LANES_SHARE * quota)

    def simulate(events_per_second: float) -> Simulation:
        return Simulation(
            size,
            events_per_second,
            ROUNDS * round_seconds,
            costs,
            posts_per_second=quota,
            workers=workers,
            user_shards=user_shards,
            shop_shards=shop_shards,
        ).run()

    return greatest(simulate, 1.1 * in_a_frame / round_seconds)


def _best(tried: list[Simulation]) -> Simulation:
    """Return the fewest workers that sustain almost the most events."""
    most = max(each.events_per_second for each in tried)
    good = [each for each in tried if each.events_per_second >= most * MIN_SHARE_OF_THE_MOST]
    return min(good, key=lambda each: each.workers)


def _greatest_row(done: Simulation) -> Row:
    return [
        ("connections", f"{done.connections:,}"),
        *_setting(done),
        ("× before", f"{done.per_hour / FORMER_EVENTS_PER_HOUR[done.connections]:.0f}"),
        *_outcome(done),
    ]


def _quota_row(done: Simulation) -> Row:
    return [
        ("quota, posts/s", f"{done.posts_per_second:,}"),
        *_setting(done),
        *_outcome(done),
    ]


def _setting(done: Simulation) -> Row:
    return [
        ("workers", str(done.workers)),
        ("shards", f"{done.user_shards}, {done.shop_shards}, 1"),
        ("events an hour", f"{done.per_hour:,.0f}"),
    ]


def _outcome(done: Simulation) -> Row:
    return [
        ("p50, s", f"{done.percentile(50):.0f}"),
        ("p99, s", f"{done.percentile(99):.0f}"),
        ("events/post", f"{done.deliveries / done.posts:.0f}"),
        ("$ an event", f"{_dollars(done):.4f}"),
    ]


def _dollars(done: Simulation) -> float:
    """Return the price of an event: its frames, the workers and the bytes."""
    counts = {
        "messages": done.posts,
        "gb_seconds": done.busy_seconds * WORKER_GB,
        "transfer_bytes": done.deliveries * done.costs.event_bytes,
        "invocations": done.pieces,
        "queue_requests": 3 * done.pieces,
    }
    return sum(dollars(counts).values()) / done.events
