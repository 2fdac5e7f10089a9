"""Posts from one core: the sender, other clients of API Gateway, and wrk."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import chart, machine, report, rivals, signatures, spread, stub
from bench.report import Section, Table, Target
from bench.rivals import Client, Run

LATENCIES_MS = (0, 5, 20)
REPETITIONS = 5
REPETITION_SECONDS = 2
MIN_POSTS, MAX_POSTS = 50, 60_000


@dataclass(frozen=True)
class Result:
    """A client's repetitions at one latency."""

    at_once: int
    cpu_us: list[float]
    per_second: list[float]
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
    """Let the clients take turns, so that other load affects all of them."""
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
    """Find the fastest number of parallel posts, and the number of posts of a repetition."""
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
        cpu_us=[run.cpu_us for run in runs],
        per_second=[run.per_second for run in runs],
        stub_us=stub_seconds / sum(run.posts + run.warm_up for run in runs) * 1e6,
    )


# --- The section of docs/benchmarks.md ------------------------------------------------------------

_INTRODUCTION = """\
Each client posts a 400-byte event to many connection ids over TLS 1.3, on its own core; nginx on
the other core answers 200 with an empty body after the given latency. CPU per post is user and
system time of the client's process, without start and warm-up; rates are answered posts per second.
Figures are medians of five repetitions in which clients take turns, with minimum and maximum."""


def _targets(results: dict[int, Results]) -> list[Target]:
    def rate(latency_ms: int, client: Client) -> float:
        return median(results[latency_ms][client].per_second)

    cpu = {client: median(results[0][client].cpu_us) for client in rivals.CLIENTS}
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
        *spread.cells(mine.cpu_us),
        f"{median(boto3.cpu_us) / median(mine.cpu_us):.1f}",
        f"{median(mine.cpu_us) / median(wrk.cpu_us):.1f}",
        *spread.cells(mine.per_second),
        f"{median(mine.per_second) / median(boto3.per_second):.1f}",
        f"{median(mine.per_second) / median(wrk.per_second):.2f}",
    ]


def _notes(verified: dict[str, int], results: Results, others: float) -> list[str]:
    ours, wrk = results[rivals.OURS], results[rivals.WRK]
    busy = ours.stub_us * median(ours.per_second) / 1e6
    counts = ", ".join(f"{name} {count}" for name, count in verified.items())
    return [
        f"Signatures verified with botocore's signer before timing, all correct: {counts}.",
        f"Without latency our posts keep {busy:.0%} of the stub's core busy;"
        f" wrk gets {median(wrk.per_second):,.0f} posts/s.",
        "Every client keeps its connections open, checks the certificate and every status;"
        " wrk checks no certificate, and its figures include its handshakes.",
        f"Other processes and the hypervisor took {others:.0%} of the cores' time.",
        "HTTP/1.1, without a session token, which in Lambda adds about 1 KB to every post.",
    ]


def _chart(results: dict[int, Results]) -> Path:
    return chart.bars(
        "posts",
        {
            "µs CPU per post, no latency": {
                c.name: median(results[0][c].cpu_us) for c in rivals.CLIENTS
            },
            "posts/s, 20 ms of latency": {
                c.name: median(results[20][c].per_second) for c in rivals.CLIENTS
            },
        },
        ours=rivals.OURS.name,
    )
