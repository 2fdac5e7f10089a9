"""Recovery: how long a client waits for missed events."""

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from statistics import median
from typing import Any, NamedTuple

from bench import chart, report
from bench.cloud import requests, stack
from bench.cloud import rows as stored
from bench.cloud.lambdas import Lambda
from bench.cloud.stack import Stack
from bench.report import Section, Table
from harness import gateway_events
from vitrina import aws
from vitrina.channels import ClientType

LATENCIES_MS = (0, 5, 20)
MISSED = (1, 100, 500)
MISSED_WHEN_OPENING = (0, 5, 100)
REPETITIONS = 3
CHANNELS = ("user", "user:1")
LAST = max(MISSED) // len(CHANNELS)
"""The number of each channel's latest event."""
EPOCH = "bench"
CONNECTION = "L0SM9cOFvHcCIhw="
KINDS = {True: "With batches", False: "One event in a frame"}


class Recovery(NamedTuple):
    seconds: float
    """From the client's `resume` to the function's answer, whose frame ends with `recovered`."""
    posts: int
    bill: dict[str, float]

    @property
    def ms(self) -> float:
        return self.seconds * 1000


def measure(progress: Callable[[str], None]) -> Section:
    """Resume after up to five hundred events, open after up to a hundred; takes about a minute."""
    tables: list[Table] = []
    waits: dict[str, dict[str, float]] = {}
    for takes_batches, title in KINDS.items():
        rows: list[report.Row] = []
        for latency_ms in LATENCIES_MS:
            progress(f"{title}, {latency_ms} ms of latency")
            found = recover(latency_ms, takes_batches=takes_batches)
            rows += [_row(latency_ms, missed, runs) for missed, runs in found.items()]
            if latency_ms == max(LATENCIES_MS):
                waits[title] = {f"{n}": median(run.ms for run in runs) for n, runs in found.items()}
        tables.append(Table(title, rows))
    progress("Opening with positions, and without")
    tables.append(Table("Opening a connection", _openings(open_connections())))
    chart.bars(
        "recovery",
        {
            f"ms to `recovered`, {max(LATENCIES_MS)} ms of latency, {title.lower()}": waited
            for title, waited in waits.items()
        },
        ours=f"{max(MISSED)}",
    )
    return Section(tables)


def recover(latency_ms: int, *, takes_batches: bool) -> dict[int, list[Recovery]]:
    """Resume after each number of missed events, several times."""
    with stack.running(latency_ms=latency_ms) as here:
        store(here)
        message = here.function("message")
        _run(here, message, 1, takes_batches)
        return {
            n: [_run(here, message, n, takes_batches) for _ in range(REPETITIONS)] for n in MISSED
        }


def _run(here: Stack, message: Lambda, missed: int, takes_batches: bool) -> Recovery:
    # Stored again: a connection rests after a recovery.
    here.put("connections", stored.connection(CONNECTION) | {"batch": takes_batches or None})
    resume = requests.resume(CONNECTION, positions_after(missed))
    here.cloud.bill.take()
    started = time.perf_counter()
    answer = message.invoke(resume).answer
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
    return Recovery(seconds, len(posts), here.cloud.bill.take())


class Opening(NamedTuple):
    seconds: float
    """From the handshake to the frame that ends with `recovered`.

    Without the stream's delay, and the client's round trip before its `resume`.
    """
    frames: int
    bill: dict[str, float]


def open_connections() -> dict[tuple[int, bool], list[Opening]]:
    """Open connections after each number of missed events: with positions, and with `resume`."""
    with stack.running(latency_ms=max(LATENCIES_MS)) as here:
        store(here)
        visit = Visit(here)
        for brings in (True, False):
            visit.open(1, brings=brings)  # starts the functions
        return {
            (missed, brings): [visit.open(missed, brings=brings) for _ in range(REPETITIONS)]
            for missed in MISSED_WHEN_OPENING
            for brings in (False, True)
        }


class Visit:
    """A phone that opens a connection, and closes it again."""

    def __init__(self, here: Stack) -> None:
        self._here = here
        self._token = here.token(ClientType.USER)
        names = ("connect", "greet", "message", "disconnect")
        self._connect, self.greet, self._message, self._disconnect = map(here.function, names)

    def open(self, missed: int, *, brings: bool) -> Opening:
        """Recover what was missed, by positions in the handshake or by `resume`."""
        self._here.cloud.bill.take()
        started = time.perf_counter()
        self.greet.invoke(self.connect(missed, brings=brings))
        if not brings and missed:
            resume = requests.resume(CONNECTION, positions_after(missed))
            answer = self._message.invoke(resume).answer
            if '"recovered":true' not in answer["body"]:
                raise RuntimeError(f"Not recovered: {answer}")
        seconds = time.perf_counter() - started
        frames = len(self._here.answers()) + (not brings and missed > 0)
        bill = self._here.cloud.bill.take()
        self._disconnect.invoke(gateway_events.websocket("DISCONNECT", CONNECTION))
        return Opening(seconds, frames, bill)

    def connect(self, missed: int, *, brings: bool) -> dict[str, Any]:
        """Shake hands; return what the stream says of it to `greet`."""
        query = {"token": self._token, "batch": "1"}
        if brings:
            query["positions"] = in_a_handshake(positions_after(missed))
        self._connect.invoke(
            gateway_events.websocket("CONNECT", CONNECTION, queryStringParameters=query)
        )
        key = {"partition": f"connection#{CONNECTION}", "member": "connection"}
        row = self._here.cloud.tables["connections"].get(aws.to_item(key)).item
        return {"Records": [{"dynamodb": {"NewImage": row}}]}


def positions_after(missed: int) -> dict[str, dict[str, Any]]:
    """Return the positions, by channel, after which so many events were missed."""
    shares = {"user": missed - missed // 2, "user:1": missed // 2}
    return {of: {"epoch": EPOCH, "seq": LAST - share} for of, share in shares.items()}


def in_a_handshake(positions: Mapping[str, Mapping[str, Any]]) -> str:
    return ",".join(f"{channel}:{at['epoch']}:{at['seq']}" for channel, at in positions.items())


def store(here: Stack) -> None:
    """Store the events that were missed."""
    for channel in CHANNELS:
        here.put("history", stored.head(channel, LAST, EPOCH))
        for seq in range(1, LAST + 1):
            here.put("history", stored.event(channel, seq))


# --- The section of the page ----------------------------------------------------------------------


def _row(latency_ms: int, missed: int, runs: list[Recovery]) -> report.Row:
    return [
        ("latency", f"{latency_ms} ms"),
        ("missed events", str(missed)),
        *report.spread("ms to `recovered`", [run.ms for run in runs]),
        ("posts", str(runs[0].posts)),
        *report.counts(runs[0].bill, {"read units": "read_units"}),
    ]


def _openings(found: dict[tuple[int, bool], list[Opening]]) -> list[report.Row]:
    return [
        [
            ("missed events", str(missed)),
            ("positions", "in the handshake" if brings else "in `resume`"),
            ("frames", str(openings[0].frames)),
            *report.spread("ms to the last byte", [each.seconds * 1000 for each in openings]),
            *report.counts(
                openings[0].bill,
                {
                    "invocations": "invocations",
                    "read units": "read_units",
                    "write units": "write_units",
                },
            ),
        ]
        for (missed, brings), openings in found.items()
    ]
