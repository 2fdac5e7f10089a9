"""Token buckets in table rows: a number of tries at once, then one more per interval.

A row has one number, `tat`: when the bucket is full again, in milliseconds since 1970 (the
theoretical arrival time of the generic cell rate algorithm). A bucket without a row is full. Each
try moves `tat` by one interval in one conditional write, so concurrent tries are all counted.
"""

import math
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from vitrina import aws, clock, config
from vitrina.errors import TooManyRequests

K = TypeVar("K")
T = TypeVar("T")

# A full bucket needs no row; DynamoDB deletes expired rows late.
FULL_BUCKET_TTL_SECONDS = 60
# Between the two writes of a try the bucket may have become full again.
MAX_ATTEMPTS = 5

# Entries of each table that `remember` limits.
MAX_REMEMBERED_NAMES = 1024

_WHEN_FULL = "(attribute_not_exists(tat) OR tat < :now)"


class Rate(NamedTuple):
    """The size of a bucket, in tries, and the seconds in which one try is refilled."""

    tries: int
    seconds: float

    @property
    def interval_ms(self) -> int:
        return round(self.seconds * 1000)

    @property
    def room_ms(self) -> int:
        """How far `tat` may be in the future when a try is taken."""
        return (self.tries - 1) * self.interval_ms

    def wait_seconds(self, row: Mapping[str, Any]) -> float:
        """Return how long until a bucket with this row has a try; 0 if it has one now."""
        return max(0.0, (float(row.get("tat", 0)) - clock.now_ms() - self.room_ms) / 1000)


def take(name: str, rate: Rate) -> float:
    """Take a try from a bucket of the platform table; return the seconds to wait, 0 if taken.

    One write when the bucket is full, otherwise two. A refused try changes nothing.
    """
    table, key = config.current().platform_table, {"name": name}
    for _ in range(MAX_ATTEMPTS):
        now = clock.now_ms()
        kept = {":end": (now + rate.tries * rate.interval_ms) // 1000 + FULL_BUCKET_TTL_SECONDS}
        values = {":now": now, ":full": now + rate.interval_ms, **kept}
        update = "SET tat = :full, expires_at = :end"
        if aws.update(table, key, update, values, _WHEN_FULL).is_done:
            return 0
        values = {":now": now, ":cost": rate.interval_ms, ":latest": now + rate.room_ms, **kept}
        update = "SET tat = tat + :cost, expires_at = :end"
        condition = "tat BETWEEN :now AND :latest"
        done, row = aws.update(table, key, update, values, condition, returns_row=True)
        if done:
            return 0
        if row.get("tat", 0) >= now:
            return max(0.001, rate.wait_seconds(row))
    return rate.seconds


# The earliest moment at which a bucket has a try again, in seconds since 1970.
_empty_until: dict[str, float] = {}


def forget() -> None:
    """Forget which buckets are empty."""
    _empty_until.clear()


def spend(name: str, rate: Rate) -> float:
    """Take a try that is never given back; return the seconds to wait, 0 if taken.

    After a refusal the process makes no call for this bucket until it may have a try again. So
    clients that do not wait use no write units, which all rows of a partition share.
    """
    if (wait := _empty_until.get(name, 0.0) - time.time()) > 0:
        return wait
    _empty_until.pop(name, None)
    if wait := take(name, rate):
        remember(_empty_until, name, time.time() + wait)
    return wait


def remember(known: dict[K, T], key: K, what: T) -> None:
    """Remember a value; beyond `MAX_REMEMBERED_NAMES`, the oldest entry is removed."""
    if len(known) >= MAX_REMEMBERED_NAMES:
        known.pop(next(iter(known)), None)
    known[key] = what


def give_back(name: str, rate: Rate) -> None:
    """Put a try back that was taken from a bucket of the platform table."""
    aws.update(
        config.current().platform_table,
        {"name": name},
        "SET tat = tat - :cost",
        {":cost": rate.interval_ms},
        "attribute_exists(tat)",
    )


def count(
    table: str, key: Mapping[str, Any], rate: Rate, *, having: str, tries: int = 1
) -> tuple[Mapping[str, Any], float] | None:
    """Count tries in a row that has the attribute `having`, and never refuse them.

    Returns the row, and by how many seconds its bucket is overdrawn (0 or less if it is not). None
    if there is no such row.
    """
    cost = tries * rate.interval_ms
    for attempt in range(MAX_ATTEMPTS):
        now = clock.now_ms()
        ways = [
            ("SET tat = :full", _WHEN_FULL, {":now": now, ":full": now + cost}),
            ("SET tat = tat + :cost", "tat >= :now", {":now": now, ":cost": cost}),
        ]
        # Several tries at once come from a bucket that was overdrawn a moment ago.
        first = 0 if tries == 1 or attempt else 1
        for update, condition, values in ways[first:]:
            there_and = f"attribute_exists({having}) AND {condition}"
            done, row = aws.update(table, key, update, values, there_and, returns_row=True)
            if having not in row:
                return None
            if done:
                over_ms = float(row["tat"]) - now - rate.tries * rate.interval_ms
                return row, over_ms / 1000
    return None


def require(name: str, rate: Rate) -> None:
    """Spend a try; raises TooManyRequests `too_many_requests` if the bucket has none."""
    if wait := spend(name, rate):
        raise too_many_requests(wait)


def too_many_requests(wait: float) -> TooManyRequests:
    """Return the refusal of a request for which a bucket has nothing left; `wait` is in seconds."""
    return TooManyRequests("too_many_requests", *with_wait("Too many requests", wait))


def with_wait(sentence: str, wait: float) -> tuple[str, int]:
    """Return a sentence with the wait, and the wait in whole seconds, at least one."""
    seconds = max(1, math.ceil(wait))
    return f"{sentence}; wait {seconds} s.", seconds
