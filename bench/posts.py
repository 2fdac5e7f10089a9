"""Posts from one core: the sender against what else posts to API Gateway, and against wrk."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import chart, machine, report, rivals, signatures, stub
from bench.report import Section, Table, Target
from bench.rivals import Client, Run

LATENCIES_MS = (0, 5, 20)
REPETITIONS = 5
REPETITION_SECONDS = 2
MIN_POSTS, MAX_POSTS = 50, 60_000


class Figure(NamedTuple):
    """A median with its spread."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> "Figure":
        return cls(median(values), min(values), max(values))

    def to_cells(self) -> list[str]:
        return [f"{self.median:,.0f}", f"{self.least:,.0f}–{self.most:,.0f}"]


@dataclass(frozen=True)
class Result:
    """A client's repetitions at one latency."""

    at_once: int
    cpu_us: Figure
    per_second: Figure
    stub_us: float
    """The stub's CPU per post, warm-up included, in µs."""


Results = dict[Client, Result]


def measure(progress: Callable[[str], None]) -> Section:
    """Compare all clients at all latencies; takes about six minutes."""
    load = machine.Load()
    progress("Checking signatures against botocore")
    verified = {
        client.name: _verify(client) for client in rivals.CLIENTS if client is not rivals.WRK
    }
    results = {latency_ms: _compare(latency_ms, progress) for latency_ms in LATENCIES_MS}
    return Section(
        title="Posts from one core",
        introduction=_INTRODUCTION,
        tables=[report.targets(_targets(results)), *map(_table, results, results.values())],
        notes=_notes(verified, results[0], load.others_share()),
        versions=rivals.versions(),
        chart=_chart(results),
    )


def _verify(client: Client) -> int:
    return signatures.verify(lambda url: rivals.run(client, url, client.at_once[0], posts=20))


def _compare(latency_ms: int, progress: Callable[[str], None]) -> Results:
    """Let the clients take turns, so that whatever else the machine does meets all of them."""
    with stub.running(latency_ms=latency_ms) as server:
        progress(f"{latency_ms} ms: looking for the best concurrency")
        load = {client: _tune(client, server.url) for client in rivals.CLIENTS}
        runs: dict[Client, list[Run]] = {client: [] for client in rivals.CLIENTS}
        stub_seconds = dict.fromkeys(rivals.CLIENTS, 0.0)
        for repetition in range(REPETITIONS):
            progress(f"{latency_ms} ms: repetition {repetition + 1} of {REPETITIONS}")
            for client in rivals.CLIENTS:
                used = server.cpu_seconds()
                runs[client].append(rivals.run(client, server.url, *load[client]))
                stub_seconds[client] += server.cpu_seconds() - used
    return {
        client: _result(load[client][0], runs[client], stub_seconds[client])
        for client in rivals.CLIENTS
    }


def _tune(client: Client, url: str) -> tuple[int, int]:
    """Find how many posts at once make most a second, and how many make a repetition."""
    tried = {
        at_once: rivals.run(client, url, at_once, client.pilot_posts).per_second
        for at_once in client.at_once
    }
    best = max(tried, key=lambda at_once: tried[at_once])
    posts = round(tried[best] * REPETITION_SECONDS)
    return best, max(MIN_POSTS, min(MAX_POSTS, posts))


def _result(at_once: int, runs: list[Run], stub_seconds: float) -> Result:
    return Result(
        at_once,
        cpu_us=Figure.of([run.cpu_us for run in runs]),
        per_second=Figure.of([run.per_second for run in runs]),
        stub_us=stub_seconds / sum(run.posts + run.warm_up for run in runs) * 1e6,
    )


# --- What is told of it ---------------------------------------------------------------------------

_INTRODUCTION = """\
Each client posts a 400-byte event to many connection ids over TLS 1.3, on a core of its own; nginx
on the other core answers 200 with an empty body after the latency given. CPU per post is user and
system time of the client's process, without its start and warm-up; rates are posts answered per
second. Figures are medians of five repetitions that take turns, with least and most beside them."""


def _targets(results: dict[int, Results]) -> list[Target]:
    def rate(latency_ms: int, client: Client) -> float:
        return results[latency_ms][client].per_second.median

    cpu = {client: results[0][client].cpu_us.median for client in rivals.CLIENTS}
    return [
        Target(
            "CPU per post, boto3 sequential / ours, no latency",
            25,
            cpu[rivals.BOTO3] / cpu[rivals.OURS],
        ),
        Target(
            "posts/s, ours / boto3 threads, 20 ms",
            12,
            rate(20, rivals.OURS) / rate(20, rivals.BOTO3_THREADS),
        ),
        Target(
            "posts/s, ours / Node SDK, 20 ms", 6, rate(20, rivals.OURS) / rate(20, rivals.NODE_SDK)
        ),
        Target("posts/s, ours / wrk, no latency", 0.35, rate(0, rivals.OURS) / rate(0, rivals.WRK)),
    ]


def _table(latency_ms: int, results: Results) -> Table:
    title = f"{latency_ms} ms of latency" if latency_ms else "No added latency"
    columns = ["client", "at once", "µs CPU/post", "min–max", "boto3 ÷ it", "it ÷ wrk"]
    columns += ["posts/s", "min–max", "it ÷ boto3", "it ÷ wrk"]
    return Table(title, columns, [_row(client, results) for client in rivals.CLIENTS])


def _row(client: Client, results: Results) -> list[str]:
    mine, boto3, wrk = results[client], results[rivals.BOTO3], results[rivals.WRK]
    return [
        client.name,
        str(mine.at_once),
        *mine.cpu_us.to_cells(),
        f"{boto3.cpu_us.median / mine.cpu_us.median:.1f}",
        f"{mine.cpu_us.median / wrk.cpu_us.median:.1f}",
        *mine.per_second.to_cells(),
        f"{mine.per_second.median / boto3.per_second.median:.1f}",
        f"{mine.per_second.median / wrk.per_second.median:.2f}",
    ]


def _notes(verified: dict[str, int], results: Results, others: float) -> list[str]:
    ours, wrk = results[rivals.OURS], results[rivals.WRK]
    busy = ours.stub_us * ours.per_second.median / 1e6
    counts = ", ".join(f"{name} {count}" for name, count in verified.items())
    return [
        f"Signatures verified with botocore's signer before timing, all right: {counts}.",
        f"Without latency our posts keep {busy:.0%} of the stub's core busy;"
        f" wrk gets {wrk.per_second.median:,.0f} posts/s out of it.",
        "Every client keeps its connections open, checks the certificate and every status;"
        " wrk checks no certificate, and its figures include its handshakes.",
        f"Other processes and the hypervisor took {others:.0%} of the cores' time meanwhile.",
        "HTTP/1.1, no session token: Lambda's adds about 1 KB to every client's post.",
    ]


def _chart(results: dict[int, Results]) -> Path:
    return chart.bars(
        "posts",
        {
            "µs CPU per post, no latency": {
                c.name: results[0][c].cpu_us.median for c in rivals.CLIENTS
            },
            "posts/s, 20 ms of latency": {
                c.name: results[20][c].per_second.median for c in rivals.CLIENTS
            },
        },
        ours=rivals.OURS.name,
    )
