"""Statistics: the numbers of open connections, counted once for everyone who asks.

Anybody may ask, and a count reads all connections. So the numbers are in one row. Who finds them
old gets a lease on the row, counts and writes them; the others answer with what the row has.
"""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from vitrina import aws, config, subscriptions
from vitrina.channels import ClientType
from vitrina.errors import Unavailable

ROW = "stats"
MIN_INTERVAL_MS = 2000
# A partition gives 3,000, and a count reads all of them: a larger one is made less often.
READ_UNITS_PER_SECOND = 100
# How long a counter that was killed keeps the others from counting.
LEASE_MS = 5000
# Together longer than a count of 100,000 connections takes.
PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8, 0.8)
MAX_SHARED_SECONDS = 10
"""How long the edge may share an answer at most."""


class Statistics(NamedTuple):
    by_type: Mapping[ClientType, int]
    rooms: int
    counted_at: int
    """When the count began, in milliseconds since 1970."""
    interval_ms: int
    """How old the numbers become before they are counted again."""

    @property
    def total(self) -> int:
        return sum(self.by_type.values())

    @property
    def fresh_seconds(self) -> int:
        """How long they may still be shared; 0 when they are older than their interval."""
        left = (self.counted_at + self.interval_ms - _now_ms()) // 1000
        return max(0, min(MAX_SHARED_SECONDS, left))


def read() -> Statistics:
    """Return the numbers, not older than their interval.

    They are older while another process counts for more than 2.3 s, or was killed. Raises
    Unavailable `busy` when that is the first count of a deployment.
    """
    row: Mapping[str, Any] = {}
    for pause in (0, *PAUSES_SECONDS):
        time.sleep(pause)
        row = _find()
        if _is_due(row) and (began := _begin(row)):
            return _count(began)
        if _age_ms(row) < row.get("interval_ms", 0):
            break
    if "counted_at" not in row:
        raise Unavailable("busy", "Connections are being counted; try again.")
    return _statistics(row)


def _is_due(row: Mapping[str, Any]) -> bool:
    """Return whether to count: after half an interval, so that nobody waits while some ask."""
    is_old = _age_ms(row) >= row.get("interval_ms", 0) / 2
    return bool(is_old and row.get("counting_until", 0) < _now_ms())


def _begin(row: Mapping[str, Any]) -> int | None:
    """Get the lease if nobody has it or has counted meanwhile; return when the count begins."""
    now = _now_ms()
    is_free = "(attribute_not_exists(counting_until) OR counting_until < :now)"
    is_as_read = "(attribute_not_exists(counted_at) OR counted_at <= :read)"
    values = {":until": now + LEASE_MS, ":now": now, ":read": row.get("counted_at", 0)}
    has_lease = _update("SET counting_until = :until", f"{is_free} AND {is_as_read}", values)
    return now if has_lease else None


def _count(began: int) -> Statistics:
    try:
        counts = subscriptions.count()
    except Exception:
        mine = {":mine": began + LEASE_MS}
        _update("REMOVE counting_until", "counting_until = :mine", mine)
        raise
    # Twice, as the next count begins after half of it.
    interval = max(MIN_INTERVAL_MS, round(2000 * counts.read_units / READ_UNITS_PER_SECOND))
    counted = Statistics(counts.by_type, counts.rooms, began, interval)
    # Another one may have counted later, if this took longer than the lease.
    return counted if _store(counted) else _statistics(_find(ConsistentRead=True))


def _store(counted: Statistics) -> bool:
    """Write the numbers unless those of a later count are there; give the lease back."""
    row = {
        **{str(client_type): number for client_type, number in counted.by_type.items()},
        "rooms": counted.rooms,
        "counted_at": counted.counted_at,
        "interval_ms": counted.interval_ms,
    }
    changes = ", ".join(f"#{name} = :{name}" for name in row)
    return _update(
        f"SET {changes} REMOVE counting_until",
        "attribute_not_exists(counted_at) OR counted_at < :counted_at",
        {f":{name}": value for name, value in row.items()},
        ExpressionAttributeNames={f"#{name}": name for name in row},
    )


def _find(**more: Any) -> dict[str, Any]:
    """Return the row, by default eventually consistent; empty before the first count."""
    found = aws.dynamodb().get_item(TableName=config.current().platform_table, Key=_key(), **more)
    return aws.from_item(found.get("Item", {}))


def _update(update: str, condition: str, values: Mapping[str, Any], **names: Any) -> bool:
    """Update the row on a condition; return whether it held."""
    try:
        aws.dynamodb().update_item(
            TableName=config.current().platform_table,
            Key=_key(),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=aws.to_item(values),
            **names,
        )
    except aws.dynamodb().exceptions.ConditionalCheckFailedException:
        return False
    return True


def _key() -> dict[str, Any]:
    return aws.to_item({"name": ROW})


def _statistics(row: Mapping[str, Any]) -> Statistics:
    return Statistics(
        by_type={client_type: int(row[client_type]) for client_type in ClientType},
        rooms=int(row["rooms"]),
        counted_at=int(row["counted_at"]),
        interval_ms=int(row["interval_ms"]),
    )


def _age_ms(row: Mapping[str, Any]) -> int:
    return _now_ms() - int(row.get("counted_at", 0))


def _now_ms() -> int:
    return round(time.time() * 1000)
