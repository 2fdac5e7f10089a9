"""Posts from one core: the sender, compared with other clients of API Gateway and with wrk."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench import chart, machine, report, rivals, signatures, stub
from bench.report import Section, Table
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
    _chart(results)
    return Section(
        tables=[report.targets(_targets(results)), *map(_table, results, results.values())],
        notes=_notes(verified, results[0], load.others_share()),
        versions=rivals.versions(),
    )


def _verify(client: Client) -> int:
    return signatures.verify(lambda url: rivals.run(client, url, client.at_once[0], posts=20))


def _compare(latency_ms: int, progress: Callable[[str], None]) -> Results:
    """Let the clients take turns, so that other load on the machine affects all of them."""
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
    """Find the fastest concurrency, and the number of posts of a repetition."""
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


# --- The section of the page ----------------------------------------------------------------------


def _targets(results: dict[int, Results]) -> list[list[str]]:
    def cpu(client: Client) -> float:
        return median(results[0][client].cpu_us)

    def times(latency_ms: int, client: Client) -> float:
        found = results[latency_ms]
        return median(found[rivals.OURS].per_second) / median(found[client].per_second)

    return [
        report.at_least(
            "CPU per post, boto3 sequential / ours, no latency",
            25,
            cpu(rivals.BOTO3) / cpu(rivals.OURS),
        ),
        report.at_least(
            "posts/s, ours / boto3 threads, 20 ms", 12, times(20, rivals.BOTO3_THREADS)
        ),
        report.at_least("posts/s, ours / Node SDK, 20 ms", 6, times(20, rivals.NODE_SDK)),
        report.at_least("posts/s, ours / wrk, no latency", 0.35, times(0, rivals.WRK)),
    ]


def _table(latency_ms: int, results: Results) -> Table:
    title = f"{latency_ms} ms of latency" if latency_ms else "No added latency"
    columns = ["client", "at once", "µs CPU/post", "min–max", "boto3 ÷ it", "it ÷ wrk"]
    columns += ["posts/s", "min–max", "it ÷ boto3", "it ÷ wrk"]
    return Table(title, columns, [_row(client, results) for client in rivals.CLIENTS])


def _row(client: Client, results: Results) -> list[str]:
    mine = results[client]
    cpu = {client: median(result.cpu_us) for client, result in results.items()}
    rate = {client: median(result.per_second) for client, result in results.items()}
    return [
        client.name,
        str(mine.at_once),
        *report.spread(mine.cpu_us),
        f"{cpu[rivals.BOTO3] / cpu[client]:.1f}",
        f"{cpu[client] / cpu[rivals.WRK]:.1f}",
        *report.spread(mine.per_second),
        f"{rate[client] / rate[rivals.BOTO3]:.1f}",
        f"{rate[client] / rate[rivals.WRK]:.2f}",
    ]


def _notes(verified: dict[str, int], results: Results, others: float) -> list[str]:
    ours, wrk = results[rivals.OURS], results[rivals.WRK]
    busy = ours.stub_us * median(ours.per_second) / 1e6
    counts = ", ".join(f"{name} {count}" for name, count in verified.items())
    return [
        f"botocore's signer verified all signatures of these posts before timing: {counts}.",
        f"Without latency our posts keep {busy:.0%} of the stub's core busy;"
        f" wrk gets {median(wrk.per_second):,.0f} posts/s out of it.",
        f"Other processes and the hypervisor used {others:.0%} of the cores' time.",
    ]


def _chart(results: dict[int, Results]) -> None:
    panels = {
        "µs CPU per post, no latency": {
            client.name: median(result.cpu_us) for client, result in results[0].items()
        },
        "posts/s, 20 ms of latency": {
            client.name: median(result.per_second) for client, result in results[20].items()
        },
    }
    chart.bars("posts", panels, ours=rivals.OURS.name)
