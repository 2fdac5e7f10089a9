"""Hostile clients of the stack in the local cloud, and their effect on other clients."""

from collections.abc import Callable, Mapping
from statistics import fmean, median, quantiles
from typing import Any

from bench import flood, machine, report, scale
from bench.cloud.lambdas import MB_PER_GB
from bench.report import Row, Section, Table
from infra.cdk.functions import FUNCTIONS
from infra.cdk.stages import MAX_ROUTE_SHARE

MAX_TIMES_WITH_FLOOD = 1.1
FRAMES_PER_SECOND = 1000
PARTITION_WRITE_UNITS, PARTITION_READ_UNITS = 1000, 3000
MAX_APPROVAL_SECONDS = 1
# The time to the next sweep, and the duration of that sweep.
MAX_CLOSING_SECONDS = 90
COMPARISONS = {"idle": "an idle API", "once": "one of them and an idle API"}

Found = Mapping[str, Any]


def measure(progress: Callable[[str], None]) -> Section:
    """Run a flood, a crowd that asks for statistics, and shops that submit without a pause."""
    progress("A flood of frames")
    local = machine.result_of("bench.attacks", "flood")
    progress("What a flood takes")
    taken = flood.taken()
    progress("Delays beside a flood")
    delays = flood.delays()
    progress("Statistics of 100,000 connections")
    counting = machine.result_of("bench.attacks", "counting")
    progress("Submissions without a pause")
    submissions = machine.result_of("bench.attacks", "submissions")
    return Section(
        [
            Table(
                "Targets",
                [
                    *_flood_targets(delays, {"alone": "alone"}),
                    # The other function does nothing, so the difference is this project's work.
                    *_flood_targets(local["delays"], COMPARISONS, where=" on the local cloud"),
                    *_share_targets(taken),
                    *_other_targets(counting, submissions),
                ],
            ),
            Table("Delays of the others' events, in ms", _delays(delays)),
            Table("The same on the local cloud, which shares two cores", _delays(local["delays"])),
            Table("What each frame of the flood takes", _costs(taken)),
            Table("100 requests for statistics at once", _requests(counting)),
            Table("Approvals, in ms", _approvals(submissions["approvals"])),
        ],
        [_answers("The flood was answered", local["answers"])]
        + [
            _answers(f"`{name}` was answered", answers)
            for name, answers in submissions["answers"].items()
        ],
    )


def revocations(progress: Callable[[str], None]) -> Section:
    """Run rounds in which sessions end while they are used."""
    progress("Revocations")
    found = machine.result_of("bench.attacks", "revocations")
    rounds = _sum(found, "rounds")
    left = _sum(found, "tokens") + _sum(found, "sockets")
    targets = [
        report.at_most(f"tokens and sockets that work after {rounds} rounds", 0, left),
        report.at_most("events to sockets of ended accounts", 0, _sum(found, "events")),
        report.at_most(
            "seconds until the last socket is closed",
            MAX_CLOSING_SECONDS,
            max(each["seconds"] for each in found.values()),
        ),
    ]
    names = ("tokens", "sockets", "events", "requests", "rounds")
    rows: list[Row] = [
        [
            ("clients", clients),
            *((name, f"{each[name]:,}") for name in names),
            ("seconds to the last close", f"{each['seconds']:.1f}"),
        ]
        for clients, each in found.items()
    ]
    return Section([Table("Targets", targets), Table("What was left", rows)])


def _sum(found: Mapping[str, Found], name: str) -> int:
    return sum(int(each[name]) for each in found.values())


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def _flood_targets(
    delays: Mapping[Any, Mapping[str, list[float]]], comparisons: Mapping[str, str], where: str = ""
) -> list[Row]:
    """Return the delays beside a flood, divided by each of the comparisons."""
    return [
        report.at_most(
            f"{statistic} delay{where}, {rate} `resume`/s ÷ {title}",
            MAX_TIMES_WITH_FLOOD,
            value(found["resume"]) / value(found[beside]),
        )
        for rate, found in delays.items()
        for beside, title in comparisons.items()
        for statistic, value in (("median", median), ("95 %", _p95))
    ]


def _share_targets(taken: Mapping[str, list[flood.Bill]]) -> list[Row]:
    """Return shares of what all clients have together, taken by one that sends on."""
    refused = taken[flood.REFUSED]
    per_second = FRAMES_PER_SECOND / len(refused)
    [recovered] = taken[flood.RECOVERED]
    writes, reads = (
        per_second * sum(bill.get(f"{name}_units", 0) for bill in refused)
        for name in ("write", "read")
    )
    shares = {
        "the executions of `message`": per_second
        * sum(map(_seconds, refused))
        / FUNCTIONS["message"].reserved_concurrency,
        "a partition's write units": writes / PARTITION_WRITE_UNITS,
        "a partition's read units": reads / PARTITION_READ_UNITS,
        "the account's posts, by the recovery": recovered["posts"]
        / _seconds(recovered)
        / scale.POSTS_PER_SECOND,
    }
    return [
        report.at_most(f"share of {what}, {FRAMES_PER_SECOND:,} frames/s", MAX_ROUTE_SHARE, share)
        for what, share in shares.items()
    ]


def _seconds(bill: flood.Bill) -> float:
    """Return how long a run of `message` was billed for."""
    return bill["gb_seconds"] * MB_PER_GB / FUNCTIONS["message"].memory_mb


def _costs(taken: Mapping[str, list[flood.Bill]]) -> list[Row]:
    columns = {"reads": "read_units", "writes": "write_units", "posts": "posts"}
    return [
        [
            ("frame", kind),
            ("frames", str(len(bills))),
            ("ms of a run", f"{1000 * fmean(map(_seconds, bills)):,.1f}"),
            *(
                (f"{column} of all", f"{sum(bill.get(name, 0) for bill in bills):,.0f}")
                for column, name in columns.items()
            ),
        ]
        for kind, bills in taken.items()
    ]


def _other_targets(counting: Mapping[str, Found], submissions: Found) -> list[Row]:
    reads = {name: each["reads"] / sum(each["answers"].values()) for name, each in counting.items()}
    waiting = {name for name in counting if name.endswith("old")}
    counts = max(each["counts"] for each in counting.values())
    approvals = _p95(submissions["approvals"]["submit"]) / 1000
    return [
        report.at_most(
            "items read for a request for statistics",
            1,
            max(each for name, each in reads.items() if name not in waiting),
        ),
        report.at_most(
            "items read for one that waits for a count", 2, max(reads[name] for name in waiting)
        ),
        report.at_most("counts for 100 requests at once", 1, counts),
        report.at_most(
            "seconds, 95 % of approvals while 20 shops submit", MAX_APPROVAL_SECONDS, approvals
        ),
        report.at_most(
            "refusals 429 without Retry-After", 0, submissions["answers"]["submit"].get("429", 0)
        ),
    ]


def _delays(delays: Mapping[Any, Mapping[str, list[float]]]) -> list[Row]:
    return [
        [
            ("frames/s", str(rate)),
            ("beside", name),
            ("median", f"{median(values):,.0f}"),
            ("÷ alone", f"{median(values) / median(found['alone']):.2f}"),
            ("95 %", f"{_p95(values):,.0f}"),
            ("÷ alone ", f"{_p95(values) / _p95(found['alone']):.2f}"),
        ]
        for rate, found in delays.items()
        for name, values in found.items()
    ]


def _requests(counting: Mapping[str, Found]) -> list[Row]:
    return [
        [
            ("requests", name),
            ("answers", ", ".join(f"{n} × {code}" for code, n in each["answers"].items())),
            ("seconds", f"{each['seconds']:.1f}"),
            *report.counts(each, {"items read": "reads", "queries": "queries", "counts": "counts"}),
        ]
        for name, each in counting.items()
    ]


def _approvals(approvals: Mapping[str, list[float]]) -> list[Row]:
    return [
        [("beside", name), *report.spread("median", values), ("95 %", f"{_p95(values):,.0f}")]
        for name, values in approvals.items()
    ]


def _answers(what: str, answers: Mapping[str, int]) -> str:
    return f"{what}: " + ", ".join(f"{number:,} × {name}" for name, number in answers.items()) + "."
