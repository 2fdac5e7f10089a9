"""Consecutive ids, from counters in the platform table."""

from typing import Literal

from vitrina import aws, settings


def next_id(kind: Literal["account", "product"]) -> int:
    """Return 1, 2, 3 …; a number is never given twice, and one may be skipped after a failure."""
    counted = aws.dynamodb().update_item(
        TableName=settings.current().platform_table,
        Key={"name": {"S": f"last_{kind}_id"}},
        UpdateExpression="ADD #value :one",
        ExpressionAttributeNames={"#value": "value"},
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(counted["Attributes"]["value"]["N"])
