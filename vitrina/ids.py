"""Consecutive ids, from counters in the platform table."""

from typing import Literal

from vitrina import aws, config


def next_id(kind: Literal["account", "product"]) -> int:
    """Return 1, 2, 3 …; ids are never repeated, and may have gaps after a failure."""
    counted = aws.dynamodb().update_item(
        TableName=config.current().platform_table,
        Key={"name": {"S": f"last_{kind}_id"}},
        UpdateExpression="ADD #value :one",
        ExpressionAttributeNames={"#value": "value"},
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(counted["Attributes"]["value"]["N"])
