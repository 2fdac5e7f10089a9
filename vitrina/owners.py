"""Owners: which device has an endpoint, so that a token belongs to one device."""

import time
from collections.abc import Iterable

from vitrina import aws, config, digests
from vitrina.digests import RowKey


def take(endpoint: str, device: RowKey, end: int) -> list[RowKey]:
    """Make a device the owner of an endpoint until a time; return its former owners.

    They stay in the row until `release`, so that a repeat after a crash returns them again.
    """
    mine = _text(device)
    row = aws.update(
        config.current().devices_table,
        _key(endpoint),
        "ADD holders :mine SET owned_by = :me, due = :due, due_at = :end",
        {":mine": {mine}, ":me": [*device], ":due": digests.DUE, ":end": end},
        returns_row=True,
    ).row
    holders = row["holders"] - {mine}
    return [RowKey(*holder.split(" ")) for holder in holders]


def release(endpoint: str, former: Iterable[RowKey]) -> None:
    """Forget devices that have held an endpoint, once they are removed."""
    if holders := {_text(device) for device in former}:
        table, values = config.current().devices_table, {":former": holders}
        aws.update(table, _key(endpoint), "DELETE holders :former", values)


def find(endpoint: str) -> RowKey | None:
    """Return the device that has an endpoint, strongly consistent."""
    owner = aws.get(config.current().devices_table, _key(endpoint)).get("owned_by")
    return RowKey(*owner) if owner else None


def lapsed(key: RowKey) -> tuple[str, RowKey] | None:
    """Return the endpoint and the owner that a row names; None if it is gone or not due."""
    row = aws.get(config.current().devices_table, key._asdict())
    if not row or row["due_at"] > time.time():
        return None
    return key.partition.partition("#")[2], RowKey(*row["owned_by"])


def remove(endpoint: str, device: RowKey) -> None:
    """Forget the owner of an endpoint, if it is still this device."""
    aws.is_written(
        aws.dynamodb().delete_item,
        TableName=config.current().devices_table,
        Key=aws.to_item(_key(endpoint)),
        ConditionExpression="owned_by = :me",
        ExpressionAttributeValues=aws.to_item({":me": [*device]}),
    )


def _key(endpoint: str) -> dict[str, str]:
    return {"partition": f"endpoint#{endpoint}", "member": "owner"}


def _text(device: RowKey) -> str:
    return " ".join(device)
