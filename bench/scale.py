"""Scale: one approval for a thousand, ten thousand and a hundred thousand stored connections."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from statistics import median
from typing import Any, NamedTuple

from bench import chart, machine, report
from bench.cloud import requests, stack
from bench.cloud.bill import PRICES, dollars
from bench.cloud.lambdas import EventSources, Lambda
from bench.cloud.server import DELIVERY_SECONDS, LATENCY_SECONDS
from bench.cloud.stack import Stack
from bench.report import Section, Table
from harness import gateway_events
from vitrina.channels import ClientType

SIZES = (1_000, 10_000, 100_000)
SMALL, PRICED, LARGE = SIZES
REPETITIONS = 5
# Functions start and connections open during these runs, which are not measured.
WARM_UPS = 2
# The quota of an account, and the latency of its management API.
POSTS_PER_SECOND, BURST = 10_000, 5_000
LATENCY_MS = 5
# The stub's burst is full again after this pause.
PAUSE_SECONDS = 1
TIMEOUT_SECONDS = 120

MAX_TIMES_THE_BOUND = 1.15
MAX_THROTTLED = 0.01
MAX_TIMES_THE_SMALL_REQUEST = 1.5
MAX_WRITES = 2


class Approval(NamedTuple):
    """The measurements of one approval, from its commit to its last post."""

    seconds: float
    """From the commit to the last 200."""
    request_seconds: float
    posts: int
    throttled: int
    missing: int
    """Connections that did not receive the event."""
    duplicates: int
    bill: dict[str, float]
    approver_cpu_seconds: float
    approver_mb: float
    worker_mb: float
    machine_busy: float
    """The share of all processors that was in use, by any process."""

    @property
    def request_ms(self) -> float:
        return self.request_seconds * 1000

    @property
    def approver_cpu_ms(self) -> float:
        return self.approver_cpu_seconds * 1000

    @property
    def throttled_share(self) -> float:
        return self.throttled / self.posts


Runs = Mapping[int, list[Approval]]
"""The repetitions by the number of connections."""


def measure(progress: Callable[[str], None]) -> Section:
    """Approve with increasing numbers of connections; takes about two minutes."""
    runs = {}
    for size in SIZES:
        progress(f"{size:,} connections")
        runs[size] = approvals(size)
    progress("Connecting, disconnecting, counting")
    visits = _visits()
    chart.bars(
        "scale",
        {
            "ms from the commit to the last delivery": {
                f"{size:,}": median(run.seconds for run in runs[size]) * 1000 for size in SIZES
            },
            "ms that the quota takes": {
                f"{size:,}": bound(size, runs[size]) * 1000 for size in SIZES
            },
        },
        ours=f"{LARGE:,}",
    )
    latencies = (f"{seconds * 1000:.0f} ms for {call}" for call, seconds in LATENCY_SECONDS.items())
    return Section(
        tables=[
            _targets(runs, visits),
            Table("Delivery", [_times(*each) for each in runs.items()]),
            Table(
                "What one event takes",
                [_work(size, _typical(found)) for size, found in runs.items()],
            ),
            Table(
                f"Dollars for one event to {PRICED:,} connections", _prices(_typical(runs[PRICED]))
            ),
            Table("A connection comes and goes", [_visit(*each) for each in visits.items()]),
        ],
        notes=[
            f"The stand-in takes {', '.join(latencies)} and {DELIVERY_SECONDS * 1000:.0f} ms from"
            " the queue to a function; bench/cloud/server.py names the sources."
        ],
    )


@contextmanager
def at_the_quota(connections: int = 0, share: float = 1, **options: Any) -> Iterator[Stack]:
    """Run a stack whose account has the default quota, or a share of it.

    `options` has more arguments of `stack.running`.
    """
    with stack.running(
        connections=connections,
        latency_ms=LATENCY_MS,
        posts_per_second=round(POSTS_PER_SECOND * share),
        burst=round(BURST * share),
        **options,
    ) as here:
        yield here


def approvals(size: int, **options: Any) -> list[Approval]:
    """Approve products, one after another, with this many connections."""
    with at_the_quota(size, **options) as here:
        approve, workers = here.function("approve"), here.fanout()
        numbers = range(1, WARM_UPS + REPETITIONS + 1)
        return [_approval(here, approve, workers, size, n) for n in numbers][WARM_UPS:]


def bound(size: int, runs: list[Approval]) -> float:
    """Return the seconds that the quota takes, or the approving request if it takes longer."""
    left = max(0, size - BURST) / POSTS_PER_SECOND
    return max(left, median(run.request_seconds for run in runs))


def _approval(
    here: Stack, approve: Lambda, workers: EventSources, size: int, product_id: int
) -> Approval:
    request = requests.approval(here, product_id)
    time.sleep(PAUSE_SECONDS)
    here.cloud.bill.take()
    started, usage = time.perf_counter(), machine.CpuUsage()
    invocation = approve.invoke(request)
    request_seconds = time.perf_counter() - started
    # Connections that hang are tried again for minutes, from the other queue.
    workers.check(are_done=here.cloud.fanout_queue.wait_until_done(TIMEOUT_SECONDS))
    busy = usage.share()
    # Every approval is the next event of the channel.
    event = here.event(ClientType.USER, product_id)
    committed = float(event["created_at"]) / 1000
    answers = here.answers()
    taken = [post for post in answers if post.status == HTTPStatus.OK]
    got = Counter(post.connection_id for post in taken)
    here.cloud.bill.add("http_requests")
    here.cloud.bill.add("messages", got.total())
    here.cloud.bill.add("transfer_bytes", got.total() * len(event["body"].encode()))
    return Approval(
        seconds=max((post.at for post in taken), default=committed) - committed,
        request_seconds=request_seconds,
        posts=len(answers),
        throttled=sum(post.status == HTTPStatus.TOO_MANY_REQUESTS for post in answers),
        missing=size - len(got),
        duplicates=got.total() - len(got),
        bill=here.cloud.bill.take(),
        approver_cpu_seconds=invocation.cpu_seconds,
        approver_mb=invocation.peak_mb,
        worker_mb=workers.peak_mb,
        machine_busy=busy,
    )


def _typical(runs: list[Approval]) -> Approval:
    return sorted(runs)[len(runs) // 2]


# --- Connecting, disconnecting, counting ----------------------------------------------------------

Visits = dict[str, dict[str, float]]
"""What was billed, by function."""


def _visits() -> Visits:
    """Bill one connect, one disconnect, and one count of many connections."""
    with stack.running(connections=LARGE) as here:
        token = here.token(ClientType.USER)
        events = {
            "connect": gateway_events.websocket("CONNECT", "visitor=", token=token),
            "disconnect": gateway_events.websocket("DISCONNECT", "visitor="),
            "stats": gateway_events.http("GET", "/ws/stats"),
        }
        return {name: here.bill(here.function(name), of)[0] for name, of in events.items()}


# --- The section of the page ----------------------------------------------------------------------


def _targets(runs: Runs, visits: Visits) -> Table:
    request = {size: median(run.request_seconds for run in runs[size]) for size in SIZES}
    late = median(run.seconds for run in runs[LARGE]) / bound(LARGE, runs[LARGE])
    throttled = max(run.throttled_share for found in runs.values() for run in found)
    missing = sum(run.missing for found in runs.values() for run in found)
    rows = [
        report.at_most(f"{LARGE:,} delivered / the quota's bound", MAX_TIMES_THE_BOUND, late),
        report.at_most("share of 429, worst run", MAX_THROTTLED, throttled),
        report.at_most(
            f"approving request at {LARGE:,} / at {SMALL:,}",
            MAX_TIMES_THE_SMALL_REQUEST,
            request[LARGE] / request[SMALL],
        ),
        report.at_most("connections that got nothing", 0, missing),
        report.at_most("writes to connect", MAX_WRITES, visits["connect"]["writes"]),
        report.at_most("writes to disconnect", MAX_WRITES, visits["disconnect"]["writes"]),
    ]
    return Table("Targets", rows)


def _times(size: int, runs: list[Approval]) -> report.Row:
    seconds, least = [run.seconds for run in runs], bound(size, runs)
    return [
        ("connections", f"{size:,}"),
        *report.spread("s to the last", seconds, 2),
        ("bound", f"{least:.2f}"),
        ("×", f"{median(seconds) / least:.2f}"),
        ("429", f"{median(run.throttled_share for run in runs):.2%}"),
        *report.spread("request, ms", [run.request_ms for run in runs]),
        ("missing", str(sum(run.missing for run in runs))),
        ("duplicates", str(sum(run.duplicates for run in runs))),
        ("machine busy", f"{median(run.machine_busy for run in runs):.0%}"),
    ]


WORK = {
    "read units": "read_units",
    "write units": "write_units",
    "SQS requests": "queue_requests",
    "invocations": "invocations",
}
"""Titles of columns, and the counts of a bill in them."""


def _work(size: int, run: Approval) -> report.Row:
    cpu = run.bill.get("fanout_cpu_seconds", 0)
    return [
        ("connections", f"{size:,}"),
        ("posts", f"{run.posts:,}"),
        *report.counts(run.bill, WORK),
        ("GB-s", f"{run.bill['gb_seconds']:.1f}"),
        ("worker µs CPU/post", f"{cpu / size * 1e6:.0f}" if cpu else "–"),
        ("approver, MB", f"{run.approver_mb:.0f}"),
        ("worker, MB", f"{run.worker_mb:.0f}" if run.worker_mb else "–"),
    ]


def _prices(run: Approval) -> list[report.Row]:
    cost = dollars(run.bill)
    total = sum(cost.values())
    lines = [
        (
            f"{PRICES[name].service}: {PRICES[name].part}",
            f"{run.bill[name]:,.0f}",
            f"${value:.7f}",
            f"{value / total:.1%}",
        )
        for name, value in cost.items()
    ]
    lines.append(("all", "", f"${total:.7f}", "100%"))
    columns = ("service", "units", "dollars", "share")
    return [list(zip(columns, line, strict=True)) for line in lines]


VISIT = {
    "writes": "writes",
    "write units": "write_units",
    "index writes": "index_writes",
    "queries": "Query",
    "read units": "read_units",
    "scans": "Scan",
}


def _visit(name: str, bill: dict[str, float]) -> report.Row:
    title = f"/ws/stats of {LARGE:,}" if name == "stats" else name
    cost = sum(dollars(bill).values())
    return [("", title), *report.counts(bill, VISIT), ("$", f"{cost:.7f}")]
