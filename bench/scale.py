"""Scale: one approval for a thousand, ten thousand and a hundred thousand stored connections."""

import json
import platform
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from statistics import median
from typing import NamedTuple

from bench import chart, machine, spread
from bench.cloud import rows, stack
from bench.cloud.bill import PRICES, dollars
from bench.cloud.server import DELIVERY_SECONDS, LATENCY_SECONDS
from bench.cloud.stack import Stack
from bench.report import Section, Table
from harness import gateway_events
from vitrina.channels import ClientType

SIZES = (1_000, 10_000, 100_000)
SMALL, PRICED, LARGE = SIZES
REPETITIONS = 5
# Functions start and connections open during these; they are not measured.
WARM_UPS = 2
# The quota of an account, and what its management API may take to answer.
POSTS_PER_SECOND, BURST = 10_000, 5_000
LATENCY_MS = 5
# The time in which the stub's burst is available again.
PAUSE_SECONDS = 1
TIMEOUT_SECONDS = 120

MAX_TIMES_THE_BOUND = 1.15
MAX_THROTTLED = 0.01
MAX_TIMES_THE_SMALL_REQUEST = 1.5
MAX_WRITES = 2

COSTS = machine.BUILD / "costs.json"
"""The input of `million` from the last run of this benchmark."""


class Run(NamedTuple):
    """One approval, from its commit to the last of its posts."""

    seconds: float
    """From the commit to the last 200."""
    request_seconds: float
    posts: int
    throttled: int
    missing: int
    """Connections that did not get the event."""
    duplicates: int
    bill: dict[str, float]
    approver_mb: float
    worker_mb: float
    machine_busy: float
    """The share of all processors' time in use, by any process."""

    @property
    def throttled_share(self) -> float:
        return self.throttled / self.posts


Runs = Mapping[int, list[Run]]
"""The repetitions by the number of connections."""


def measure(progress: Callable[[str], None]) -> Section:
    """Approve with more and more connections; takes about two minutes."""
    runs = {}
    for size in SIZES:
        progress(f"{size:,} connections")
        runs[size] = approvals(size)
    progress("Connecting, disconnecting, counting")
    visits = _visits()
    _keep_costs(runs[LARGE])
    return Section(
        title="Scale",
        introduction=_INTRODUCTION,
        tables=[
            _targets(runs, visits),
            _times(runs),
            _work(runs),
            _prices(_typical(runs[PRICED])),
            _visit_table(visits),
        ],
        notes=_NOTES,
        versions={"Python": platform.python_version()},
        chart=chart.bars(
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
        ),
    )


def approvals(size: int) -> list[Run]:
    """Approve products, one after another, with a number of connections."""
    with stack.running(
        connections=size, latency_ms=LATENCY_MS, posts_per_second=POSTS_PER_SECOND, burst=BURST
    ) as here:
        approving = _Approving(here, size)
        runs = [approving.run(n) for n in range(1, WARM_UPS + REPETITIONS + 1)]
    return runs[WARM_UPS:]


def bound(size: int, runs: list[Run]) -> float:
    """Return the seconds that the quota needs, and at least those of the approving request."""
    left = max(0, size - BURST) / POSTS_PER_SECOND
    return max(left, median(run.request_seconds for run in runs))


class _Approving:
    """Warm functions, and an admin's token."""

    def __init__(self, here: Stack, size: int) -> None:
        self._here = here
        self._size = size
        self._approve = here.function("approve")
        self._workers = here.fanout()
        self._token = here.token(ClientType.ADMIN)

    def run(self, product_id: int) -> Run:
        cloud = self._here.cloud
        self._here.put("products", rows.pending_product(product_id))
        time.sleep(PAUSE_SECONDS)
        cloud.bill.take()
        request = gateway_events.http(
            "POST",
            f"/api/v1/admin/products/{product_id}/approve",
            token=self._token,
            body={"moderation_notes": "Отличный товар"},
        )
        started, load = time.perf_counter(), machine.Load()
        invocation = self._approve.invoke(request)
        request_seconds = time.perf_counter() - started
        if not cloud.queue.wait_until_done(TIMEOUT_SECONDS) or self._workers.failures:
            raise RuntimeError(f"The workers are not done: {self._workers.failures}")
        busy = load.share()
        # Every approval is the next event of the channel.
        event = self._here.event(ClientType.USER, product_id)
        answers = self._here.answers()
        got = Counter(post.connection_id for post in answers if post.status == HTTPStatus.OK)
        cloud.bill.add("http_requests")
        cloud.bill.add("messages", got.total())
        cloud.bill.add("transfer_bytes", got.total() * len(event["body"].encode()))
        return Run(
            seconds=max(post.at for post in answers) - float(event["created_at"]) / 1000,
            request_seconds=request_seconds,
            posts=len(answers),
            throttled=sum(post.status == HTTPStatus.TOO_MANY_REQUESTS for post in answers),
            missing=self._size - len(got),
            duplicates=got.total() - len(got),
            bill=cloud.bill.take(),
            approver_mb=invocation.peak_mb,
            worker_mb=self._workers.peak_mb,
            machine_busy=busy,
        )


def _typical(runs: list[Run]) -> Run:
    return sorted(runs)[len(runs) // 2]


def _keep_costs(runs: list[Run]) -> None:
    typical = _typical(runs)
    costs = {
        "seconds": median(run.seconds for run in runs),
        "cpu_seconds_per_post": typical.bill["fanout_cpu_seconds"] / LARGE,
        "bill": typical.bill,
    }
    COSTS.write_text(json.dumps(costs, indent=2))


# --- Connecting, disconnecting, counting ----------------------------------------------------------

Visits = dict[str, dict[str, float]]
"""Bills by operation."""


def _visits() -> Visits:
    """Bill one connection and disconnection, and one count of many connections."""
    with stack.running(connections=LARGE) as here:
        token = here.token(ClientType.USER)
        connected = gateway_events.websocket("CONNECT", "visitor=", token=token)
        counted = gateway_events.http("GET", "/ws/stats")
        disconnected = gateway_events.websocket("DISCONNECT", "visitor=")
        return {
            "connect": here.bill(here.function("connect"), connected),
            "disconnect": here.bill(here.function("disconnect"), disconnected),
            f"/ws/stats of {LARGE:,}": here.bill(here.function("stats"), counted),
        }


# --- The section of docs/benchmarks.md ------------------------------------------------------------

_INTRODUCTION = f"""\
One product is approved and the event goes to every stored connection: 90 % users, 9 % shops, 1 %
admins, each of another account. The functions are the real ones, each a warm process, with the real
boto3 and libcurl. The management API is nginx, which answers in {LATENCY_MS} ms, accepts
{POSTS_PER_SECOND:,} posts/s with a burst of {BURST:,}, and answers the others with 429. DynamoDB
and SQS are emulated in memory, with the latency of AWS and a count of what AWS would bill. Time
runs from the commit's timestamp to the last 200 in nginx's log. Figures are medians of
{REPETITIONS} approvals, with minimum and maximum."""

_NOTES = [
    "Emulated latency: "
    + ", ".join(f"{call} {seconds * 1000:.0f} ms" for call, seconds in LATENCY_SECONDS.items())
    + f", from the queue to a function {DELIVERY_SECONDS * 1000:.0f} ms; sources are in"
    " bench/cloud/server.py.",
    "The bound is the time for the posts beyond the burst at the quota's rate, or the time of the"
    " approving request if that is longer.",
    "All functions, nginx and the emulation share this machine's processors; in AWS each has its"
    " own. Where the machine is nearly fully busy, it is the limit, not the quota.",
    "Missing and duplicates are counted in nginx's log, by connection, over all repetitions.",
    "Prices are the list prices of us-east-1 in 2026, without the free tier. Connections cost"
    " another $0.25 per million minutes, with or without events.",
    "Memory is a process's peak resident set; GB-s are billed milliseconds times the memory size.",
]


def _targets(runs: Runs, visits: Visits) -> Table:
    request = {size: median(run.request_seconds for run in runs[size]) for size in SIZES}
    late = median(run.seconds for run in runs[LARGE]) / bound(LARGE, runs[LARGE])
    throttled = max(run.throttled_share for found in runs.values() for run in found)
    missing = sum(run.missing for found in runs.values() for run in found)
    rows = [
        _at_most(f"{LARGE:,} delivered / the quota's bound", MAX_TIMES_THE_BOUND, late),
        _at_most("share of 429, worst run", MAX_THROTTLED, throttled),
        _at_most(
            f"approving request at {LARGE:,} / at {SMALL:,}",
            MAX_TIMES_THE_SMALL_REQUEST,
            request[LARGE] / request[SMALL],
        ),
        _at_most("connections that got nothing", 0, missing),
        _at_most("writes to connect", MAX_WRITES, visits["connect"]["writes"]),
        _at_most("writes to disconnect", MAX_WRITES, visits["disconnect"]["writes"]),
    ]
    return Table("Targets", ["what", "target", "measured", ""], rows)


def _at_most(what: str, target: float, measured: float) -> list[str]:
    verdict = "met" if measured <= target else "missed"
    return [what, f"≤ {target:g}", f"{measured:.3g}", verdict]


def _times(runs: Runs) -> Table:
    columns = ["connections", "s to the last", "min–max", "bound", "×", "429"]
    columns += ["request, ms", "min–max", "missing", "duplicates", "machine busy"]
    return Table("Delivery", columns, [_time_row(size, found) for size, found in runs.items()])


def _time_row(size: int, runs: list[Run]) -> list[str]:
    seconds, least = [run.seconds for run in runs], bound(size, runs)
    return [
        f"{size:,}",
        *spread.cells(seconds, 2),
        f"{least:.2f}",
        f"{median(seconds) / least:.2f}",
        f"{median(run.throttled_share for run in runs):.2%}",
        *spread.cells([run.request_seconds * 1000 for run in runs], 0),
        str(sum(run.missing for run in runs)),
        str(sum(run.duplicates for run in runs)),
        f"{median(run.machine_busy for run in runs):.0%}",
    ]


def _work(runs: Runs) -> Table:
    columns = ["connections", "posts", "read units", "write units", "SQS requests", "invocations"]
    columns += ["GB-s", "worker µs CPU/post", "approver, MB", "worker, MB"]
    return Table(
        "What one event takes",
        columns,
        [_work_row(size, _typical(found)) for size, found in runs.items()],
    )


def _work_row(size: int, run: Run) -> list[str]:
    counted = ("read_units", "write_units", "queue_requests", "invocations")
    cpu = run.bill.get("fanout_cpu_seconds", 0)
    return [
        f"{size:,}",
        f"{run.posts:,}",
        *(f"{run.bill.get(name, 0):,.0f}" for name in counted),
        f"{run.bill['gb_seconds']:.1f}",
        f"{cpu / size * 1e6:.0f}" if cpu else "–",
        f"{run.approver_mb:.0f}",
        f"{run.worker_mb:.0f}" if run.worker_mb else "–",
    ]


def _prices(run: Run) -> Table:
    cost = dollars(run.bill)
    rows = [
        [
            f"{PRICES[name].service}: {PRICES[name].part}",
            f"{run.bill[name]:,.0f}",
            f"${value:.7f}",
            f"{value / sum(cost.values()):.1%}",
        ]
        for name, value in cost.items()
    ]
    rows.append(["all", "", f"${sum(cost.values()):.7f}", "100%"])
    title = f"Dollars for one event to {PRICED:,} connections"
    return Table(title, ["service", "units", "dollars", "share"], rows)


def _visit_table(visits: Visits) -> Table:
    columns = ["", "writes", "write units", "index writes", "queries", "read units", "scans", "$"]
    return Table("A connection comes and goes", columns, [*map(_visit_row, visits.items())])


def _visit_row(visit: tuple[str, dict[str, float]]) -> list[str]:
    name, bill = visit
    counted = ("writes", "write_units", "index_writes", "Query", "read_units", "Scan")
    counts = [f"{bill.get(count, 0):,.0f}" for count in counted]
    return [name, *counts, f"{sum(dollars(bill).values()):.7f}"]
