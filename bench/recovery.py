"""Recovery: how long a client waits for missed events."""

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


class Run(NamedTuple):
    seconds: float
    """From the client's `resume` to the 200 for `recovered`, which is sent last."""
    posts: int
    bill: dict[str, float]


def measure(progress: Callable[[str], None]) -> Section:
    """Resume after one, a hundred and five hundred events; takes about a minute."""
    rows: list[report.Row] = []
    waits: dict[int, dict[str, float]] = {}
    for latency_ms in LATENCIES_MS:
        progress(f"{latency_ms} ms of latency")
        found = recover(latency_ms)
        rows += [_row(latency_ms, missed, runs) for missed, runs in found.items()]
        waits[latency_ms] = {f"{n}": _ms(runs) for n, runs in found.items()}
    chart.bars(
        "recovery",
        {f"ms to `recovered`, {ms} ms of latency": waited for ms, waited in waits.items()},
        ours=f"{max(MISSED)}",
    )
    return Section([Table("A client resumes", rows)])


def recover(latency_ms: int) -> dict[int, list[Run]]:
    """Resume after each number of missed events, several times."""
    with stack.running(latency_ms=latency_ms) as here:
        _store(here)
        message = here.function("message")
        _run(here, message, 1)
        return {n: [_run(here, message, n) for _ in range(REPETITIONS)] for n in MISSED}


def _run(here: Stack, message: Lambda, missed: int) -> Run:
    shares = {"user": missed - missed // 2, "user:1": missed // 2}
    positions = {of: {"epoch": EPOCH, "seq": LAST - share} for of, share in shares.items()}
    resume = {"type": "resume", "positions": positions}
    here.cloud.bill.take()
    started = time.time()
    message.invoke(gateway_events.websocket("MESSAGE", CONNECTION, body=resume))
    answers = here.answers()
    # All events, then `recovered`.
    if [post.status for post in answers] != [HTTPStatus.OK] * (missed + 1):
        raise RuntimeError(f"{len(answers)} answers to {missed} events: {answers[-3:]}")
    here.cloud.bill.add("messages", 1 + len(answers))
    return Run(max(post.at for post in answers) - started, len(answers), here.cloud.bill.take())


def _store(here: Stack) -> None:
    """Store the connection that resumes, and the events that it missed."""
    here.put("connections", stored.connection(CONNECTION))
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
