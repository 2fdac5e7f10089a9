"""Digests: events that wait in rows of the devices table until they are due.

A device's row has the events of its quiet hours and of its next digest. One row of each client type
has the events that any device of this type may take as a digest.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from vitrina import aws, config
from vitrina.channels import ClientType
from vitrina.notices import MAX_COUNTED_EVENTS, Entry

DUE_INDEX = "due"
DIGEST_INTERVAL_SECONDS = 3600
DUE = "1"


class RowKey(NamedTuple):
    """Of a row of the devices table."""

    partition: str
    member: str


class Owed(NamedTuple):
    """The events of a row that are due."""

    entries: frozenset[Entry]
    due_at: int

    @property
    def in_order(self) -> tuple[Entry, ...]:
        return tuple(sorted(self.entries))

    def id_of(self, key: RowKey) -> str:
        """Return the digest's id, the same however often it is sent."""
        return str(uuid5(NAMESPACE_URL, f"{key.partition} {key.member} {self.due_at}"))


def key_of(client_type: ClientType) -> RowKey:
    """Return the row of all devices of a type."""
    return RowKey(f"digest#{client_type}", "digest")


def owe(key: RowKey, entries: Collection[Entry], due_at: int | None = None) -> None:
    """Add events to what a row owes, by default due in an hour; an earlier moment stays.

    Nothing is added for a device that has been removed. Events beyond `MAX_COUNTED_EVENTS` are not
    stored.
    """
    exists = "" if key.member == "digest" else "attribute_exists(endpoint) AND "
    _update(
        key,
        "ADD owed :entries SET due = :due, due_at = if_not_exists(due_at, :at)",
        {
            "entries": {str(entry) for entry in entries},
            "due": DUE,
            "at": due_at or int(time.time()) + DIGEST_INTERVAL_SECONDS,
            "enough": MAX_COUNTED_EVENTS + 1,
        },
        f"{exists}(attribute_not_exists(owed) OR size(owed) < :enough)",
    )


def postpone(key: RowKey, due_at: int) -> None:
    """Move the moment from which a row owes."""
    _update(key, "SET due_at = :at", {"at": due_at}, "attribute_exists(owed)")


def settle(key: RowKey, owed: Owed) -> None:
    """Remove the sent events from a row; events added since then are due in an hour."""
    seen = {"owed": {str(entry) for entry in owed.entries}}
    if _update(key, "REMOVE owed, due, due_at", seen, "owed = :owed"):
        return
    later = {"at": int(time.time()) + DIGEST_INTERVAL_SECONDS}
    if _update(
        key, "DELETE owed :owed SET due_at = :at", {**seen, **later}, "attribute_exists(owed)"
    ):
        # Another worker may have sent the other events.
        nothing = "attribute_not_exists(owed) AND due = :due"
        _update(key, "REMOVE due, due_at", {"due": DUE}, nothing)


def read(key: RowKey) -> Owed | None:
    """Return what a row owes now, strongly consistent; None if that is nothing."""
    return owed_in(aws.get(config.current().devices_table, key._asdict()))


def owed_in(row: Mapping[str, Any]) -> Owed | None:
    """Return what a row in plain Python owes now; None if that is nothing, or not due yet."""
    if "owed" not in row or row["due_at"] > time.time():
        return None
    return Owed(frozenset(map(Entry.parse, row["owed"])), int(row["due_at"]))


def due() -> Iterator[list[RowKey]]:
    """Yield the keys of rows that owe something now, the oldest first, a hundred at a time."""
    pages = aws.query(
        {
            "TableName": config.current().devices_table,
            "IndexName": DUE_INDEX,
            "KeyConditionExpression": "due = :due AND due_at <= :now",
            "ExpressionAttributeValues": aws.to_item({":due": DUE, ":now": int(time.time())}),
            "Limit": aws.MAX_KEYS_PER_READ,
        }
    )
    for page in pages:
        rows = map(aws.from_item, page["Items"])
        if keys := [RowKey(row["partition"], row["member"]) for row in rows]:
            yield keys


def _update(key: RowKey, update: str, values: Mapping[str, Any], condition: str) -> bool:
    values = {f":{name}": value for name, value in values.items()}
    return aws.update(
        config.current().devices_table, key._asdict(), update, values, condition
    ).is_done
