"""Failed logins: each one of an address makes the next one wait longer."""

import math
import time
from hashlib import sha256
from typing import Any

from vitrina import aws, config
from vitrina.errors import TooManyRequests

FREE_FAILURES = 3
MAX_WAIT_SECONDS = 60
FORGOTTEN_AFTER_SECONDS = 900
MAX_ATTEMPTS = 5


def count(email: str) -> None:
    """Count a login as failed, before it is tried, so that concurrent logins are all counted.

    The address need not have an account, so that the answer does not reveal whether it has one.
    Raises TooManyRequests `too_many_attempts` while the address must wait.
    """
    for _ in aws.attempts(MAX_ATTEMPTS):
        now = time.time()
        found = aws.dynamodb().get_item(
            TableName=config.current().platform_table, Key=_key(email), ConsistentRead=True
        )
        row = aws.from_item(found.get("Item", {}))
        if (wait := float(row.get("next_at", 0)) - now) > 0:
            raise _too_many(wait)
        is_recent = row.get("expires_at", 0) > now
        failures = 1 + (int(row["failures"]) if is_recent else 0)
        if _put(email, int(row.get("version", 0)), failures, now):
            return
    raise _too_many(1)


def forget(email: str) -> None:
    """Forget the failures of an address, after a login that succeeded."""
    aws.dynamodb().delete_item(TableName=config.current().platform_table, Key=_key(email))


def _put(email: str, version: int, failures: int, now: float) -> bool:
    """Write the count, unless another login was counted since the row was read."""
    row = {
        **aws.from_item(_key(email)),
        "version": version + 1,
        "failures": failures,
        "next_at": int(now) + _wait_seconds(failures),
        "expires_at": int(now) + FORGOTTEN_AFTER_SECONDS,
    }
    write = aws.put_version(config.current().platform_table, row, expected=version)
    try:
        aws.dynamodb().put_item(**write["Put"])
    except aws.dynamodb().exceptions.ConditionalCheckFailedException:
        return False
    return True


def _wait_seconds(failures: int) -> int:
    """Return 0 for the first three, then 2, 4, 8 … 60."""
    beyond = failures - FREE_FAILURES
    return min(MAX_WAIT_SECONDS, 2 ** min(beyond, 6)) if beyond > 0 else 0


def _too_many(wait: float) -> TooManyRequests:
    seconds = max(1, math.ceil(wait))
    return TooManyRequests(
        "too_many_attempts", f"Too many attempts; wait {seconds} s.", retry_after_seconds=seconds
    )


def _key(email: str) -> dict[str, Any]:
    return aws.to_item({"name": f"login#{sha256(email.encode()).hexdigest()}"})
