"""Push: a walk over a hundred thousand devices that are not in a topic."""

import time
from collections.abc import Callable
from typing import NamedTuple

from bench import machine, report
from bench.cloud import server, stack
from bench.cloud.bill import PRICES, dollars
from bench.cloud.lambdas import EventSources
from bench.cloud.stack import Stack
from bench.report import Section, Table
from vitrina import device_rows, devices, push_tasks
from vitrina.channels import Mode
from vitrina.notices import Entry, Notice
from vitrina.push_tasks import Walk

SIZES = (10_000, 100_000)
PER_SECOND = 500
TIMEOUT_SECONDS = 600
APP = "arn:aws:sns:eu-central-1:123456789012:app/GCM/vitrina"
MIN_OF_THE_RATE, MAX_OF_THE_RATE = 0.9, 1.02
MAX_TIMES_THE_MEMORY = 1.25
MILLION = 1_000_000


class WalkResult(NamedTuple):
    devices: int
    seconds: float
    """From the first publish to the last."""
    peak_mb: float
    """Of a worker."""
    bill: dict[str, float]

    @property
    def per_second(self) -> float:
        return self.devices / self.seconds


def measure(progress: Callable[[str], None]) -> Section:
    """Walk over each number of devices once; takes about five minutes."""
    runs = []
    usage = machine.CpuUsage()
    for size in SIZES:
        progress(f"Pushing to {size:,} devices")
        runs.append(_walk(size))
    small, large = runs
    targets = Table(
        "Targets",
        [
            report.at_least("pushes per second / as set", MIN_OF_THE_RATE, _of_the_rate(large)),
            report.at_most("pushes per second / as set", MAX_OF_THE_RATE, _of_the_rate(large)),
            report.at_most(
                "memory for 100,000 / for 10,000",
                MAX_TIMES_THE_MEMORY,
                large.peak_mb / small.peak_mb,
            ),
        ],
    )
    notes = [
        f"`pushes_per_second` {PER_SECOND}, two workers, a publish takes 30 ms.",
        f"Other processes used {usage.others_share():.0%} of the machine.",
    ]
    return Section([targets, Table("A walk", [_row(run) for run in runs])], notes)


def _of_the_rate(run: WalkResult) -> float:
    return run.per_second / PER_SECOND


def _row(run: WalkResult) -> report.Row:
    def per_million(name: str) -> float:
        return run.bill.get(name, 0) * MILLION / run.devices

    priced = dollars({name: per_million(name) for name in run.bill if name in PRICES})
    return [
        ("devices", f"{run.devices:,}"),
        ("pushes/s", f"{run.per_second:,.0f}"),
        ("peak MB", f"{run.peak_mb:.0f}"),
        ("read units per million", f"{per_million('read_units'):,.0f}"),
        ("write units per million", f"{per_million('write_units'):,.0f}"),
        ("GB-s per million", f"{per_million('gb_seconds'):,.0f}"),
        ("$ per million", f"{sum(priced.values()):.2f}"),
        ("of these SNS", f"{priced.get('pushes', 0):.2f}"),
    ]


def _walk(count: int) -> WalkResult:
    with stack.running(
        push_apps=(APP,), push_queue_url=server.PUSH_QUEUE_URL, pushes_per_second=PER_SECOND
    ) as here:
        for number in range(count):
            _store(here, number)
        workers = [here.function("push") for _ in range(push_tasks.WORKERS)]
        sources = EventSources(
            [(here.cloud.push_queue, worker) for worker in workers], here.cloud.bill
        )
        here.exits.callback(sources.close)
        entry = Entry("announcement.published", "user", "00000000", 1)
        notice = Notice("id", (entry,), {"title": "News", "text": "Something new"}, Mode.PUSH)
        here.cloud.bill.take()
        for partition in device_rows.partitions_of("user"):
            here.cloud.push_queue.put(Walk(notice=notice, partition=partition).model_dump_json(), 0)
        sources.check(are_done=here.cloud.push_queue.wait_until_done(TIMEOUT_SECONDS))
        at = here.cloud.pushed_at
        if len(at) != count:
            raise RuntimeError(f"{len(at)} pushes for {count} devices")
        return WalkResult(count, at[-1] - at[0], sources.peak_mb, here.cloud.bill.take())


def _store(here: Stack, number: int) -> None:
    """Store a device as registering does, of an account with quiet hours at another time."""
    [partition] = device_rows.partitions_of(f"user:{number}")
    now = int(time.time())
    here.put(
        "devices",
        {
            "partition": partition.key,
            "member": f"{number}#{number}#phone",
            "account_id": number,
            "session": "A" * 22,
            "era": 0,
            "everyone": 0,
            "endpoint": f"{APP.replace(':app/', ':endpoint/')}/{number:036d}",
            "locale": "ru-RU",
            "timezone": "Europe/Moscow",
            "app_version": "1.0",
            "seen_at": now,
            "expires_at": now + devices.DEVICE_TTL_SECONDS,
        },
    )
