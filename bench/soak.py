"""Fifty clients of the package on bad networks, while functions are killed: who misses an event?"""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable
from typing import Any

from bench import machine
from bench.report import Row, Section, Table, at_most

LOG = machine.BUILD / "soak.log"
WHOLE_SECONDS = 600
SECONDS = int(os.environ.get("SOAK_SECONDS", WHOLE_SECONDS))


def measure(progress: Callable[[str], None]) -> Section:
    """Run the clients on faulty networks for ten minutes (SOAK_SECONDS), then count their events.

    Raises RuntimeError if the run fails.
    """
    progress(f"Fifty clients for {SECONDS} s")
    command = [machine.PYTHON, "-m", "bench.phones", str(SECONDS)]
    with LOG.open("w") as log:
        done = subprocess.run(
            command, cwd=machine.ROOT, stdout=subprocess.PIPE, stderr=log, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(f"The reason is in {LOG.relative_to(machine.ROOT)}.")
    return section(json.loads(done.stdout.splitlines()[-1]))


def section(found: dict[str, Any]) -> Section:
    phones: list[dict[str, Any]] = found["phones"]
    happened: Counter[str] = Counter(found["happened"])
    told = {
        name: sum(phone[name] for phone in phones)
        for name in phones[0]
        if is_count(phones[0][name])
    }
    errors = sum((Counter(phone["errors"]) for phone in phones), Counter[str]())
    listed = ", ".join(f"`{code}` {count:,} times" for code, count in errors.items())
    behind = sum(phone["state"] != "online" for phone in phones) + (not found["done"])
    lived: list[Row] = [
        [("what happened", what), ("times", f"{count:,}")]
        for what, count in {
            "seconds of bad networks": round(found["lived"]),
            "events published, by products and announcements": happened["published"],
            "functions killed": happened["killed"],
            "connections cut": found["troubles"]["cut"],
            "networks switched": found["troubles"]["switch"],
            "apps in the background": found["troubles"]["hide"],
            "apps closed and started again": found["troubles"]["restart"],
            "events told to apps": told["events"],
            "times that a client came online": told["onlines"],
            "times that an app was told to load again": told["refetches"],
        }.items()
    ]
    return Section(
        [
            Table("What the clients lived through", lived),
            Table(
                "What they were told",
                [
                    at_most("events missing", 0, told["missing"]),
                    at_most("events repeated", 0, told["repeated"]),
                    at_most("clients that did not catch up", 0, behind),
                ],
            ),
        ],
        notes=[
            f"Functions were killed and events published for the first {SECONDS} s, "
            "and while what had begun then was answered.",
            f"Caught up {found['seconds']:.1f} s after the end of the trouble. "
            f"Told to `onError`: {listed or 'nothing'}.",
        ],
        is_complete=SECONDS >= WHOLE_SECONDS,
    )


def is_count(value: object) -> bool:
    return isinstance(value, int)
