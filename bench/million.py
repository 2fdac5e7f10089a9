"""A million connections, as a discrete-event simulation."""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Self

import simpy

from bench import chart, scale
from bench.cloud.bill import dollars
from bench.cloud.server import DELIVERY_SECONDS, LATENCY_SECONDS
from bench.cloud.stack import SHARES
from bench.report import Row, Section, Table
from vitrina.channels import ClientType
from vitrina.config import Config
from vitrina.sender import MAX_PARALLEL_POSTS

MILLION = 1_000_000
FIRST_PAGE_POSTS, PAGE_SECONDS = 64, 0.5
QUOTAS = (10_000, 50_000, 100_000)
BURST_SECONDS = 0.5
"""AWS's burst is half a second's posts; a raised quota is assumed to keep that."""
SHARDS = (16, 32, 64)
WORKERS = (5, 10, 20, 50)
# SQS's event source starts with five workers and adds 300 a minute.
FIRST_WORKERS, WORKERS_PER_SECOND = 5, 300 / 60
COLD_START_SECONDS = 0.8
WORKER_GB = 1769 / 1024
POST_LATENCY_SECONDS = 0.02
# A worker's bucket holds a tenth of a second's posts; posts are simulated in steps.
BUCKET_SECONDS = 0.1
STEP_SECONDS = 0.01
GOOD_ENOUGH = 1.02
"""Among settings this close to the fastest, the cheapest are recommended."""

Process = Generator[simpy.Event, Any, None]


class _Bucket:
    """A token bucket of posts, for an account or a worker."""

    def __init__(self, env: simpy.Environment, per_second: float, capacity: float) -> None:
        self._env = env
        self._per_second = per_second
        self._capacity = self._tokens = capacity
        self._filled_at = env.now

    def take(self, wanted: float) -> float:
        """Take up to `wanted` tokens; return how many were taken."""
        brought = (self._env.now - self._filled_at) * self._per_second
        self._filled_at = self._env.now
        self._tokens = min(self._capacity, self._tokens + brought)
        taken = min(self._tokens, wanted)
        self._tokens -= taken
        return taken


@dataclass
class Simulation:
    """One event from its commit to its last delivery: the parameters, and what happened."""

    connections: int
    posts_per_second: int
    workers: int
    user_shards: int
    cpu_seconds_per_post: float
    latency_seconds: float = POST_LATENCY_SECONDS
    cold_start_seconds: float = COLD_START_SECONDS

    env: simpy.Environment = field(default_factory=simpy.Environment)
    seconds: float = 0
    """Until the last post."""
    tasks: int = 0
    posts: float = 0
    throttled: float = 0
    busy_seconds: float = 0
    """Of all workers together, as Lambda bills it."""
    busy_workers: set[int] = field(default_factory=set)

    @property
    def bound_seconds(self) -> float:
        """The time that the quota takes."""
        return max(0.0, self.connections / self.posts_per_second - BURST_SECONDS)

    def run(self) -> Self:
        quota = self.posts_per_second
        self.account = _Bucket(self.env, quota, quota * BURST_SECONDS)
        self.queue = simpy.Store(self.env)
        self.env.process(self._approve())
        for number in range(self.workers):
            self.env.process(self._work(number))
        # The simulation ends when no process is left.
        self.env.run()
        return self

    def _partitions(self) -> list[int]:
        """Return the connections of each partition; those of a type are equal."""
        shards = {ClientType.USER: self.user_shards, ClientType.SHOP: _default("shop_shards")}
        return [
            self.connections * share // 100 // shards.get(client_type, 1)
            for client_type, share in SHARES.items()
            for _ in range(shards.get(client_type, 1))
        ]

    def _approve(self) -> Process:
        """Commit, read the first pages, queue the next ones, post."""
        partitions = self._partitions()
        yield self.env.timeout(_taking("TransactWriteItems", "Query", "SendMessageBatch"))
        for connections in partitions:
            if connections > FIRST_PAGE_POSTS:
                self.queue.put(connections - FIRST_PAGE_POSTS)
        first = sum(min(FIRST_PAGE_POSTS, connections) for connections in partitions)
        quota = self.posts_per_second
        yield from self._post(first, _Bucket(self.env, quota, quota * BUCKET_SECONDS))

    def _work(self, number: int) -> Process:
        """Run one task after another, from the time that Lambda starts this worker."""
        yield self.env.timeout(max(0, number - FIRST_WORKERS + 1) / WORKERS_PER_SECOND)
        rate = self.posts_per_second / self.workers
        bucket = _Bucket(self.env, rate, max(1.0, rate * BUCKET_SECONDS))
        start = self.cold_start_seconds
        while True:
            left = yield self.queue.get()
            yield self.env.timeout(DELIVERY_SECONDS + start)
            start, began = 0.0, self.env.now
            self.busy_workers.add(number)
            yield from self._do(left, bucket)
            self.busy_seconds += self.env.now - began

    def _do(self, left: int, bucket: _Bucket) -> Process:
        """Read a page, queue the next one, post to this one."""
        self.tasks += 1
        yield self.env.timeout(_taking("BatchGetItem", "Query"))
        page = self.posts_per_second / self.workers * PAGE_SECONDS
        if left > page:
            yield self.env.timeout(_taking("SendMessageBatch"))
            self.queue.put(left - page)
        yield from self._post(min(left, page), bucket)

    def _post(self, left: float, bucket: _Bucket) -> Process:
        """Post as fast as the buckets, the processor and the open connections allow."""
        fastest = min(1 / self.cpu_seconds_per_post, MAX_PARALLEL_POSTS / self.latency_seconds)
        while left > 0:
            tried = bucket.take(min(left, fastest * STEP_SECONDS))
            sent = self.account.take(tried)
            left = max(0.0, left - sent)
            self.posts += sent
            self.throttled += tried - sent
            yield self.env.timeout(STEP_SECONDS if left > 0 else self.latency_seconds)
        self.seconds = max(self.seconds, self.env.now)


def _taking(*calls: str) -> float:
    return sum(LATENCY_SECONDS[call] for call in calls)


def _default(setting: str) -> int:
    """Return a default of the configuration; for shards, their only number."""
    default: int | tuple[int] = Config.model_fields[setting].default
    return default[0] if isinstance(default, tuple) else default


# --- The section of the page ----------------------------------------------------------------------


def measure(progress: Callable[[str], None]) -> Section:
    """Simulate a million connections, with the last figures of the scale benchmark."""
    if not scale.COSTS.exists():
        scale.measure(progress)
    costs = json.loads(scale.COSTS.read_text())
    cpu = costs["cpu_seconds_per_post"]
    progress("Simulating what was measured")
    checked = _as_measured(cpu).run()
    found: dict[int, list[Simulation]] = {}
    for quota in QUOTAS:
        progress(f"A million at {quota:,} posts/s")
        found[quota] = [
            Simulation(MILLION, quota, workers, shards, cpu).run()
            for shards in SHARDS
            for workers in WORKERS
        ]
    advice = [_best(tried) for tried in found.values()]
    _chart(advice)
    return Section(
        tables=[
            _check_table(costs["seconds"], checked.seconds),
            Table("A million", [_advice(each, costs["bill"]) for each in advice]),
            *(_sweep_table(quota, tried) for quota, tried in found.items()),
        ],
        notes=[
            f"A post takes {cpu * 1e6:.0f} µs of processor time and"
            f" {POST_LATENCY_SECONDS * 1000:.0f} ms of latency; a cold start takes"
            f" {COLD_START_SECONDS} s."
        ],
        versions={"simpy": version("simpy")},
    )


def _as_measured(cpu_seconds_per_post: float) -> Simulation:
    return Simulation(
        scale.LARGE,
        scale.POSTS_PER_SECOND,
        _default("fanout_workers"),
        _default("user_shards"),
        cpu_seconds_per_post,
        latency_seconds=scale.LATENCY_MS / 1000,
        cold_start_seconds=0,
    )


def _best(tried: list[Simulation]) -> Simulation:
    """Return the fewest workers, then shards, that are almost the fastest."""
    fastest = min(each.seconds for each in tried)
    good = [each for each in tried if each.seconds <= fastest * GOOD_ENOUGH]
    return min(good, key=lambda each: (each.workers, each.user_shards))


def _check_table(measured: float, simulated: float) -> Table:
    row = [
        ("s measured", f"{measured:.2f}"),
        ("s simulated", f"{simulated:.2f}"),
        ("difference", f"{simulated / measured - 1:+.1%}"),
    ]
    return Table(f"Check: {scale.LARGE:,} connections, as measured", [row])


def _advice(done: Simulation, bill: dict[str, float]) -> Row:
    return [
        ("quota, posts/s", f"{done.posts_per_second:,}"),
        ("workers", str(len(done.busy_workers))),
        ("shards", str(done.user_shards)),
        ("s to the last", f"{done.seconds:.1f}"),
        ("bound", f"{done.bound_seconds:.1f}"),
        ("×", f"{done.seconds / done.bound_seconds:.2f}"),
        ("429", f"{done.throttled / (done.posts + done.throttled):.2%}"),
        ("events an hour", f"{3600 / done.seconds:,.0f}"),
        ("$ an event", f"{sum(dollars(_bill(done, bill)).values()):.3f}"),
    ]


def _bill(done: Simulation, measured: dict[str, float]) -> dict[str, float]:
    """Scale the measured bill up to a million connections, except for the simulated counts."""
    times = MILLION / scale.LARGE
    growing = ("messages", "read_units", "log_bytes", "transfer_bytes")
    return measured | {
        **{name: measured[name] * times for name in growing},
        "invocations": done.tasks + 1,
        "queue_requests": 3 * done.tasks,
        "gb_seconds": done.busy_seconds * WORKER_GB,
    }


def _sweep_table(quota: int, tried: list[Simulation]) -> Table:
    seconds = {(each.user_shards, each.workers): each.seconds for each in tried}
    rows = [
        [("shards", str(n)), *((f"{w} workers", f"{seconds[n, w]:.1f}") for w in WORKERS)]
        for n in SHARDS
    ]
    return Table(f"Seconds to the last delivery at {quota:,} posts/s", rows)


def _chart(advice: list[Simulation]) -> None:
    by_quota = {f"{each.posts_per_second:,} posts/s": each for each in advice}
    panels = {
        "s to the last of a million, simulated": {q: it.seconds for q, it in by_quota.items()},
        "s that the quota takes": {q: it.bound_seconds for q, it in by_quota.items()},
    }
    chart.bars("million", panels, ours=next(iter(by_quota)))
