"""The console in a browser: what it loads, how soon it is there, and a queue of 5,000 products."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from bench import machine, report
from bench.report import Row, Section, Table

MAX_KB, MAX_SECONDS, MAX_TASK_MS, MAX_GROWTH = 60, 1, 100, 1.1
FIRST = "as it is"

Found = Mapping[str, Any]


def measure(progress: Callable[[str], None]) -> Section:
    """Load the console several times, scroll through its queue, and decide on it."""
    progress("The console in a browser")
    found = machine.result_of("bench.pages", "queue")
    loads, scrolling = found["loads"], found["scrolling"]
    return Section(
        [
            Table("Targets", _targets(loads[FIRST], scrolling[FIRST], found["decisions"])),
            Table("Loading, in ms", [_loading(name, each) for name, each in loads.items()]),
            Table(
                "Scrolling through 5,000 products",
                [_scrolling(name, each) for name, each in scrolling.items()],
            ),
        ],
        versions={"Chromium": found["version"]},
    )


def _targets(loads: list[Found], scrolling: Found, decisions: list[float]) -> list[Row]:
    heaps, objects = scrolling["heaps"], scrolling["objects"]
    return [
        report.at_most("KB of the page, compressed", MAX_KB, _median(loads, "bytes") / 1024),
        report.at_most(
            "seconds from the start of a visit to the queue's rows, median",
            MAX_SECONDS,
            _median(loads, "rows") / 1000,
        ),
        report.at_most(
            "ms of the slowest task while scrolling",
            MAX_TASK_MS,
            max(scrolling["tasks"], default=0),
        ),
        report.at_most(
            "heap after the last pass ÷ after the first", MAX_GROWTH, heaps[-1] / heaps[0]
        ),
        report.at_most(
            "objects after the last pass ÷ after the first", MAX_GROWTH, objects[-1] / objects[0]
        ),
        report.at_most(
            "seconds until a decision is seen by another moderator, median",
            MAX_SECONDS,
            median(decisions) / 1000,
        ),
    ]


def _loading(name: str, loads: list[Found]) -> Row:
    columns = {
        "first contentful paint": "firstPaint",
        "the same of the queue": "queuePaint",
        "the rows of the queue": "rows",
        "total blocking time": "blocking",
    }
    times = [(title, f"{_median(loads, field):,.0f}") for title, field in columns.items()]
    return [
        ("processor", name),
        *times,
        ("requests", f"{_median(loads, 'requests'):.0f}"),
        ("bytes", f"{_median(loads, 'bytes'):,.0f}"),
    ]


def _scrolling(name: str, found: Found) -> Row:
    tasks = found["tasks"]
    return [
        ("processor", name),
        ("tasks over 50 ms", str(len(tasks))),
        ("the slowest, ms", f"{max(tasks, default=0):,.0f}"),
        ("rows drawn", f"{found['rows']:,} of {found['read']:,}"),
        ("objects, pass 1", f"{found['objects'][0]:,}"),
        ("objects, last pass", f"{found['objects'][-1]:,}"),
        *[(f"MB, pass {n}", f"{heap / 1e6:.1f}") for n, heap in enumerate(found["heaps"], 1)],
    ]


def _median(loads: list[Found], field: str) -> float:
    return float(median(each[field] for each in loads))
