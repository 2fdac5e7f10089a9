"""Failed logins: each of one address makes the next one wait longer."""

import math
import time
from hashlib import sha256
from typing import Any

from vitrina import aws, settings
from vitrina.errors import TooManyRequests

FREE_FAILURES = 3
LONGEST_WAIT_SECONDS = 60
FORGOTTEN_AFTER_SECONDS = 900
READINGS = 5


def count(email: str) -> None:
    """Count an attempt as failed, before it is tried: many at once count as many.

    The address need not have an account, so that nothing is told by it. Raises TooManyRequests
    `too_many_attempts` when the one before is too short a time ago.
    """
    for _ in range(READINGS):
        now = time.time()
        found = aws.dynamodb().get_item(
            TableName=settings.current().platform_table, Key=_key(email), ConsistentRead=True
        )
        row = aws.from_item(found.get("Item", {}))
        if (wait := float(row.get("next_at", 0)) - now) > 0:
            raise _too_many(wait)
        is_recent = row.get("expires_at", 0) > now
        if _put(email, row, 1 + (int(row["failures"]) if is_recent else 0), now):
            return
    raise _too_many(1)


def forget(email: str) -> None:
    """Begin anew after a login that succeeded."""
    aws.dynamodb().delete_item(TableName=settings.current().platform_table, Key=_key(email))


def _put(email: str, seen: dict[str, Any], failures: int, now: float) -> bool:
    """Write the count, unless another attempt was counted meanwhile."""
    row = {
        **aws.from_item(_key(email)),
        "failures": failures,
        "next_at": int(now) + _wait_seconds(failures),
        "expires_at": int(now) + FORGOTTEN_AFTER_SECONDS,
    }
    condition: Any = {"ConditionExpression": "attribute_not_exists(failures)"}
    if seen:
        condition = {
            "ConditionExpression": "failures = :seen AND expires_at = :then",
            "ExpressionAttributeValues": aws.to_item(
                {":seen": seen["failures"], ":then": seen["expires_at"]}
            ),
        }
    try:
        aws.dynamodb().put_item(
            TableName=settings.current().platform_table, Item=aws.to_item(row), **condition
        )
    except aws.dynamodb().exceptions.ConditionalCheckFailedException:
        return False
    return True


def _wait_seconds(failures: int) -> int:
    """Return 0 for the first three, then 2, 4, 8 … 60."""
    beyond = failures - FREE_FAILURES
    return min(LONGEST_WAIT_SECONDS, 2 ** min(beyond, 6)) if beyond > 0 else 0


def _too_many(wait: float) -> TooManyRequests:
    seconds = max(1, math.ceil(wait))
    return TooManyRequests(
        "too_many_attempts", f"Too many attempts; wait {seconds} s.", retry_after_seconds=seconds
    )


def _key(email: str) -> dict[str, Any]:
    return aws.to_item({"name": f"login#{sha256(email.encode()).hexdigest()}"})
