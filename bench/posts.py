"""Posts from one core: the sender, compared with other clients of API Gateway and with wrk."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from bench import chart, machine, report, rivals, signatures, stub
from bench.report import Section, Table
from bench.rivals import Client, Repetition

LATENCIES_MS = (0, 5, 20)
REPETITIONS = 5
REPETITION_SECONDS = 2
MIN_POSTS, MAX_POSTS = 50, 60_000


@dataclass
class ClientResult:
    """A client's repetitions at one latency, with its best concurrency."""

    at_once: int
    posts: int
    """Of one repetition."""
    repetitions: list[Repetition] = field(default_factory=list)
    stub_seconds: float = 0
    """The stub's CPU, warm-ups included."""

    @property
    def cpu_us(self) -> float:
        return median(run.cpu_us for run in self.repetitions)

    @property
    def per_second(self) -> float:
        return median(run.per_second for run in self.repetitions)


ClientResults = dict[Client, ClientResult]


def measure(progress: Callable[[str], None]) -> Section:
    """Compare all clients at all latencies; takes about six minutes."""
    usage = machine.CpuUsage()
    progress("Checking signatures against botocore")
    verified = {
        client.name: _verify(client) for client in rivals.CLIENTS if client is not rivals.WRK
    }
    results = {latency_ms: _compare(latency_ms, progress) for latency_ms in LATENCIES_MS}
    _chart(results)
    return Section(
        tables=[Table("Targets", _targets(results)), *map(_table, results, results.values())],
        notes=_notes(verified, results[0], usage.others_share()),
        versions=rivals.versions(),
    )


def _verify(client: Client) -> int:
    return signatures.verify(lambda url: rivals.run(client, url, client.at_once[0], posts=20))


def _compare(latency_ms: int, progress: Callable[[str], None]) -> ClientResults:
    """Let the clients take turns, so that other load on the machine affects all of them."""
    with stub.running(latency_ms=latency_ms) as server:
        progress(f"{latency_ms} ms: looking for the best concurrency")
        results = {client: _tune(client, server.url) for client in rivals.CLIENTS}
        for repetition in range(REPETITIONS):
            progress(f"{latency_ms} ms: repetition {repetition + 1} of {REPETITIONS}")
            for client, result in results.items():
                used = server.cpu_seconds()
                result.repetitions.append(
                    rivals.run(client, server.url, result.at_once, result.posts)
                )
                result.stub_seconds += server.cpu_seconds() - used
    return results


def _tune(client: Client, url: str) -> ClientResult:
    """Find the fastest concurrency, and the number of posts of a repetition."""
    tried = {
        at_once: rivals.run(client, url, at_once, client.pilot_posts).per_second
        for at_once in client.at_once
    }
    best = max(tried, key=lambda at_once: tried[at_once])
    posts = round(tried[best] * REPETITION_SECONDS)
    return ClientResult(best, max(MIN_POSTS, min(MAX_POSTS, posts)))


# --- The section of the page ----------------------------------------------------------------------


def _targets(results: dict[int, ClientResults]) -> list[report.Row]:
    def times(latency_ms: int, client: Client) -> float:
        found = results[latency_ms]
        return found[rivals.OURS].per_second / found[client].per_second

    cpu_times = results[0][rivals.BOTO3].cpu_us / results[0][rivals.OURS].cpu_us

    return [
        report.at_least("CPU per post, boto3 sequential / ours, no latency", 25, cpu_times),
        report.at_least(
            "posts/s, ours / boto3 threads, 20 ms", 12, times(20, rivals.BOTO3_THREADS)
        ),
        report.at_least("posts/s, ours / Node SDK, 20 ms", 6, times(20, rivals.NODE_SDK)),
        report.at_least("posts/s, ours / wrk, no latency", 0.35, times(0, rivals.WRK)),
    ]


def _table(latency_ms: int, results: ClientResults) -> Table:
    title = f"{latency_ms} ms of latency" if latency_ms else "No added latency"
    return Table(title, [_row(client, results) for client in rivals.CLIENTS])


def _row(client: Client, results: ClientResults) -> report.Row:
    it, boto3, wrk = results[client], results[rivals.BOTO3], results[rivals.WRK]
    return [
        ("client", client.name),
        ("at once", str(it.at_once)),
        *report.spread("µs CPU/post", [run.cpu_us for run in it.repetitions]),
        ("boto3 ÷ it", f"{boto3.cpu_us / it.cpu_us:.1f}"),
        ("it ÷ wrk", f"{it.cpu_us / wrk.cpu_us:.1f}"),
        *report.spread("posts/s", [run.per_second for run in it.repetitions]),
        ("it ÷ boto3", f"{it.per_second / boto3.per_second:.1f}"),
        ("it ÷ wrk", f"{it.per_second / wrk.per_second:.2f}"),
    ]


def _notes(verified: dict[str, int], results: ClientResults, others: float) -> list[str]:
    ours, wrk = results[rivals.OURS], results[rivals.WRK]
    posts = sum(run.posts + run.warm_up for run in ours.repetitions)
    busy = ours.stub_seconds / posts * ours.per_second
    counts = ", ".join(f"{name} {count}" for name, count in verified.items())
    return [
        f"botocore's signer verified all signatures of these posts before timing: {counts}.",
        f"Without latency our posts keep {busy:.0%} of the stub's core busy;"
        f" wrk gets {wrk.per_second:,.0f} posts/s out of it.",
        f"Other processes and the hypervisor used {others:.0%} of the cores' time.",
    ]


def _chart(results: dict[int, ClientResults]) -> None:
    panels = {
        "µs CPU per post, no latency": {
            client.name: result.cpu_us for client, result in results[0].items()
        },
        "posts/s, 20 ms of latency": {
            client.name: result.per_second for client, result in results[20].items()
        },
    }
    chart.bars("posts", panels, ours=rivals.OURS.name)
