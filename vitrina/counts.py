"""Counts: numbers that are expensive to compute, cached in a row.

A count reads many rows, and many requests may need it. The request that finds the cached numbers
old gets a lease on the row, counts and writes them; the others answer with the cached numbers.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from vitrina import aws, clock, config
from vitrina.errors import Unavailable

MIN_INTERVAL_MS = 2000
# A partition provides 3,000, and a count reads all partitions: large counts are made less often.
MAX_READ_UNITS_PER_SECOND = 100
# After a crash, nobody counts for this long.
LEASE_MS = 5000
# A count of 100,000 connections takes a third of a second: one more read is then enough.
PAUSES_SECONDS = (0.5, 0.6, 1.2)
# For rows that are no longer requested, such as those of single shops.
COUNT_TTL_SECONDS = 24 * 60 * 60
MAX_SHARED_SECONDS = 10
"""The longest time for which the edge may cache a response."""

# The attributes of a row that are not numbers of the count.
_OTHERS = {"name", "counted_at", "interval_ms", "counting_until", "expires_at"}


class Count(NamedTuple):
    """Numbers by name, and the read units that counting them has consumed."""

    numbers: Mapping[str, int]
    read_units: float


class Counted(NamedTuple):
    numbers: Mapping[str, int]
    counted_at: int
    """When the count began, in milliseconds since 1970."""
    interval_ms: int
    """How old the numbers become before they are counted again."""

    @property
    def fresh_seconds(self) -> int:
        """How long they may still be cached; 0 when they are older than their interval."""
        left = (self.counted_at + self.interval_ms - clock.now_ms()) // 1000
        return max(0, min(MAX_SHARED_SECONDS, left))


def read(name: str, count: Callable[[], Count]) -> Counted:
    """Return the numbers of a row of the platform's table, not older than their interval.

    They are older while another process counts for more than 2.3 s, or was killed. Raises
    Unavailable `busy` when that is the first count of the row.
    """
    row: Mapping[str, Any] = {}
    for pause in (0, *PAUSES_SECONDS):
        time.sleep(pause)
        row = _find(name)
        if _is_due(row) and (began := _begin(name, row)):
            return _count(name, count, began)
        if _age_ms(row) < row.get("interval_ms", 0):
            break
    if "counted_at" not in row:
        raise Unavailable("busy", "The first count has not ended; try again.")
    return _counted(row)


def _is_due(row: Mapping[str, Any]) -> bool:
    """Return whether to count: after half an interval, so that frequent requests never wait."""
    is_old = _age_ms(row) >= row.get("interval_ms", 0) / 2
    return bool(is_old and row.get("counting_until", 0) < clock.now_ms())


def _begin(name: str, row: Mapping[str, Any]) -> int | None:
    """Get the lease if it is free and there is no newer count; return when the count begins."""
    now = clock.now_ms()
    is_free = "(attribute_not_exists(counting_until) OR counting_until < :now)"
    is_as_read = "(attribute_not_exists(counted_at) OR counted_at <= :read)"
    values = {":until": now + LEASE_MS, ":now": now, ":read": row.get("counted_at", 0)}
    has_lease = _update(name, "SET counting_until = :until", f"{is_free} AND {is_as_read}", values)
    return now if has_lease else None


def _count(name: str, count: Callable[[], Count], began: int) -> Counted:
    try:
        found = count()
    except Exception:
        mine = {":mine": began + LEASE_MS}
        _update(name, "REMOVE counting_until", "counting_until = :mine", mine)
        raise
    # Twice, as the next count begins after half of it.
    interval = max(MIN_INTERVAL_MS, round(2000 * found.read_units / MAX_READ_UNITS_PER_SECOND))
    counted = Counted(found.numbers, began, interval)
    # Another one may have counted later, if this took longer than the lease.
    return counted if _store(name, counted) else _counted(_find(name, is_consistent=True))


def _store(name: str, counted: Counted) -> bool:
    """Write the numbers unless those of a later count are there; give the lease back."""
    row = {
        **counted.numbers,
        "counted_at": counted.counted_at,
        "interval_ms": counted.interval_ms,
        "expires_at": counted.counted_at // 1000 + COUNT_TTL_SECONDS,
    }
    changes = ", ".join(f"#{attribute} = :{attribute}" for attribute in row)
    return _update(
        name,
        f"SET {changes} REMOVE counting_until",
        "attribute_not_exists(counted_at) OR counted_at < :counted_at",
        {f":{attribute}": value for attribute, value in row.items()},
        {f"#{attribute}": attribute for attribute in row},
    )


def _find(name: str, *, is_consistent: bool = False) -> dict[str, Any]:
    """Return the row, by default eventually consistent; empty before the first count."""
    return aws.get(config.current().platform_table, {"name": name}, is_consistent=is_consistent)


def _update(
    name: str,
    update: str,
    condition: str,
    values: Mapping[str, Any],
    names: Mapping[str, str] | None = None,
) -> bool:
    """Update the row on a condition; return whether it was met."""
    table = config.current().platform_table
    return aws.update(table, {"name": name}, update, values, condition, names=names).is_done


def _counted(row: Mapping[str, Any]) -> Counted:
    return Counted(
        numbers={name: int(row[name]) for name in row.keys() - _OTHERS},
        counted_at=int(row["counted_at"]),
        interval_ms=int(row["interval_ms"]),
    )


def _age_ms(row: Mapping[str, Any]) -> int:
    return clock.now_ms() - int(row.get("counted_at", 0))
