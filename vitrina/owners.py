"""Owners: which device has an endpoint, so that a token is of one device."""

import time
from collections.abc import Iterable
from typing import Any

from vitrina import aws, config, digests
from vitrina.digests import RowKey


def take(endpoint: str, device: RowKey, end: int) -> list[RowKey]:
    """Make a device the owner of an endpoint until a time; return the others that have held it.

    They are holders of it until `release`, so that a crash in between is made up for.
    """
    mine = _text(device)
    swapped = aws.dynamodb().update_item(
        TableName=config.current().devices_table,
        Key=_key(endpoint),
        UpdateExpression="ADD holders :mine SET owned_by = :me, due = :due, due_at = :end",
        ExpressionAttributeValues=aws.to_item(
            {":mine": {mine}, ":me": [*device], ":due": digests.DUE, ":end": end}
        ),
        ReturnValues="ALL_NEW",
    )
    holders = aws.from_item(swapped["Attributes"])["holders"] - {mine}
    return [RowKey(*holder.split(" ")) for holder in holders]


def release(endpoint: str, former: Iterable[RowKey]) -> None:
    """Forget devices that have held an endpoint, once they are removed."""
    if holders := {_text(device) for device in former}:
        aws.dynamodb().update_item(
            TableName=config.current().devices_table,
            Key=_key(endpoint),
            UpdateExpression="DELETE holders :former",
            ExpressionAttributeValues=aws.to_item({":former": holders}),
        )


def find(endpoint: str) -> RowKey | None:
    """Return the device that has an endpoint, strongly consistent."""
    owner = _read(_key(endpoint)).get("owned_by")
    return RowKey(*owner) if owner else None


def lapsed(key: RowKey) -> tuple[str, RowKey] | None:
    """Return the endpoint and the owner that a row names; None if it is gone or not due."""
    row = _read(aws.to_item(key._asdict()))
    if not row or row["due_at"] > time.time():
        return None
    return key.partition.partition("#")[2], RowKey(*row["owned_by"])


def remove(endpoint: str, device: RowKey) -> None:
    """Forget the owner of an endpoint, if it is still this device."""
    try:
        aws.dynamodb().delete_item(
            TableName=config.current().devices_table,
            Key=_key(endpoint),
            ConditionExpression="owned_by = :me",
            ExpressionAttributeValues=aws.to_item({":me": [*device]}),
        )
    except aws.dynamodb().exceptions.ConditionalCheckFailedException:
        pass


def _key(endpoint: str) -> dict[str, Any]:
    return aws.to_item({"partition": f"endpoint#{endpoint}", "member": "owner"})


def _text(device: RowKey) -> str:
    return " ".join(device)


def _read(key: dict[str, Any]) -> dict[str, Any]:
    found = aws.dynamodb().get_item(
        TableName=config.current().devices_table, Key=key, ConsistentRead=True
    )
    return aws.from_item(found.get("Item", {}))
