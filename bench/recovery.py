"""Recovery: how long a client waits for missed events."""

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from statistics import median
from typing import NamedTuple

from bench import chart, report
from bench.cloud import rows as stored
from bench.cloud import stack
from bench.cloud.lambdas import Lambda
from bench.cloud.stack import Stack
from bench.report import Section, Table
from harness import gateway_events

LATENCIES_MS = (0, 5, 20)
MISSED = (1, 100, 500)
REPETITIONS = 3
CHANNELS = ("user", "user:1")
LAST = max(MISSED) // len(CHANNELS)
"""The number of each channel's latest event."""
EPOCH = "bench"
CONNECTION = "L0SM9cOFvHcCIhw="
KINDS = {True: "With batches", False: "One event in a frame"}


class Run(NamedTuple):
    seconds: float
    """From the client's `resume` to the function's answer, whose frame ends with `recovered`."""
    posts: int
    bill: dict[str, float]


def measure(progress: Callable[[str], None]) -> Section:
    """Resume after one, a hundred and five hundred events; takes about a minute."""
    tables: list[Table] = []
    waits: dict[str, dict[str, float]] = {}
    for takes_batches, title in KINDS.items():
        rows: list[report.Row] = []
        for latency_ms in LATENCIES_MS:
            progress(f"{title}, {latency_ms} ms of latency")
            found = recover(latency_ms, takes_batches=takes_batches)
            rows += [_row(latency_ms, missed, runs) for missed, runs in found.items()]
            if latency_ms == max(LATENCIES_MS):
                waits[title] = {f"{n}": _ms(runs) for n, runs in found.items()}
        tables.append(Table(title, rows))
    chart.bars(
        "recovery",
        {
            f"ms to `recovered`, {max(LATENCIES_MS)} ms of latency, {title.lower()}": waited
            for title, waited in waits.items()
        },
        ours=f"{max(MISSED)}",
    )
    return Section(tables)


def recover(latency_ms: int, *, takes_batches: bool) -> dict[int, list[Run]]:
    """Resume after each number of missed events, several times."""
    with stack.running(latency_ms=latency_ms) as here:
        store(here)
        message = here.function("message")
        _run(here, message, 1, takes_batches)
        return {
            n: [_run(here, message, n, takes_batches) for _ in range(REPETITIONS)] for n in MISSED
        }


def _run(here: Stack, message: Lambda, missed: int, takes_batches: bool) -> Run:
    # Stored anew: a connection rests after a recovery.
    here.put("connections", stored.connection(CONNECTION) | {"batch": takes_batches or None})
    positions = {of: {"epoch": EPOCH, "seq": seq} for of, seq in read_until(missed).items()}
    resume = {"type": "resume", "positions": positions}
    here.cloud.bill.take()
    started = time.perf_counter()
    answer = message.invoke(gateway_events.websocket("MESSAGE", CONNECTION, body=resume)).answer
    seconds = time.perf_counter() - started
    posts = here.answers()
    last = json.loads(answer["body"])
    recovered = last["events"][-1] if last["event"] == "batch" else last
    is_complete = recovered["event"] == "recovered" and recovered["data"]["recovered"]
    if {post.status for post in posts} - {HTTPStatus.OK} or not is_complete:
        raise RuntimeError(f"Not recovered: {recovered}, {posts[-3:]}")
    if len(posts) != missed and not takes_batches:
        raise RuntimeError(f"{len(posts)} posts of {missed} events")
    here.cloud.bill.add("messages", 2 + len(posts))
    return Run(seconds, len(posts), here.cloud.bill.take())


def read_until(missed: int) -> dict[str, int]:
    """Return the numbers, by channel, after which so many events were missed."""
    first, second = CHANNELS
    return {first: LAST - (missed - missed // 2), second: LAST - missed // 2}


def store(here: Stack) -> None:
    """Store the events that were missed."""
    for channel in CHANNELS:
        here.put("history", stored.head(channel, LAST, EPOCH))
        for seq in range(1, LAST + 1):
            here.put("history", stored.event(channel, seq))


# --- The section of the page ----------------------------------------------------------------------


def _ms(runs: list[Run]) -> float:
    return median(run.seconds for run in runs) * 1000


def _row(latency_ms: int, missed: int, runs: list[Run]) -> report.Row:
    return [
        ("latency", f"{latency_ms} ms"),
        ("missed events", str(missed)),
        *report.spread("ms to `recovered`", [run.seconds * 1000 for run in runs]),
        ("posts", str(runs[0].posts)),
        *report.counts(runs[0].bill, {"read units": "read_units"}),
    ]
