"""Conflicts of DynamoDB, which moto never raises by itself.

On AWS a write fails while a transaction holds its item, and a transaction is canceled while another
one holds one of its items, or when it is throttled. The items are not changed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.dynamodb.exceptions import DynamodbException, TransactionCanceledException
from moto.dynamodb.responses import DynamoHandler

WRITES = ("put_item", "update_item", "delete_item")
REASONS = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")


@contextmanager
def conflicts(happens: Callable[[], bool]) -> Iterator[None]:
    """Ask before each write whether it meets a conflict."""
    with pytest.MonkeyPatch.context() as patch:
        for name in WRITES:
            patch.setattr(DynamoHandler, name, _single(getattr(DynamoHandler, name), happens))
        transact = _transaction(DynamoHandler.transact_write_items, happens)
        patch.setattr(DynamoHandler, "transact_write_items", transact)
        # The pauses stay what they are, only their length does not.
        patch.setattr("vitrina.aws.jitter", lambda _: 0.0)
        yield


def _single(write: Callable[[Any], Any], happens: Callable[[], bool]) -> Callable[[Any], Any]:
    def attempt(handler: Any) -> Any:
        if happens():
            raise DynamodbException(
                "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
                "Transaction is ongoing for the item",
            )
        return write(handler)

    return attempt


def _transaction(write: Callable[[Any], Any], happens: Callable[[], bool]) -> Callable[[Any], Any]:
    count = 0

    def attempt(handler: Any) -> Any:
        nonlocal count
        if happens():
            reason = REASONS[count % len(REASONS)]
            count += 1
            others = [(None, None, None)] * (len(handler.body["TransactItems"]) - 1)
            raise TransactionCanceledException([*others, (reason, "try again", None)])
        return write(handler)

    return attempt
