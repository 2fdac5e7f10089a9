"""moto's tables, with cheaper transactions and atomic writes.

For its rollback moto copies every item of the tables in a transaction. Here it copies the structure
of the tables only, and an update replaces an item instead of changing it. moto checks a condition
and writes in two steps, between which another thread may write; DynamoDB does not.
"""

import copy
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any

import pytest
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import Table

_update_item = DynamoDBBackend.update_item
_writing = RLock()


def speed_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Table, "__deepcopy__", _with_the_same_items, raising=False)
    patch.setattr(DynamoDBBackend, "update_item", _update_a_copy)
    for name in ("put_item", "update_item", "delete_item", "transact_write_items"):
        patch.setattr(DynamoDBBackend, name, _atomic(getattr(DynamoDBBackend, name)))


def delete_expired(now: float, is_deleted: Callable[[Any], bool] = lambda _: True) -> None:
    """Delete rows whose `expires_at` is over, as DynamoDB does within days; moto keeps them."""
    for accounts in dynamodb_backends.values():
        for backend in accounts.values():
            for table in backend.tables.values():
                _delete_expired(table, now, is_deleted)


def _delete_expired(table: Table, now: float, is_deleted: Callable[[Any], bool]) -> None:
    for item in list(table.all_items()):
        end = item.attrs.get("expires_at")
        if end is not None and int(end.value) < now and is_deleted(item.attrs):
            table.delete_item(item.hash_key, item.range_key)


def _atomic(write: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(write)
    def atomic(*arguments: Any, **more: Any) -> Any:
        with _writing:
            return write(*arguments, **more)

    return atomic


def _with_the_same_items(table: Table, _memo: dict[int, Any]) -> Table:
    same = copy.copy(table)
    same.items = defaultdict(dict)
    for key, found in table.items.items():
        same.items[key] = dict(found) if table.has_range_key else found
    return same


def _update_a_copy(
    backend: DynamoDBBackend, table_name: str, key: Any, *rest: Any, **more: Any
) -> Any:
    if item := backend.get_item(table_name, key):
        items: Any = backend.tables[table_name].items
        if item.range_key is None:
            items[item.hash_key] = copy.deepcopy(item)
        else:
            items[item.hash_key][item.range_key] = copy.deepcopy(item)
    return _update_item(backend, table_name, key, *rest, **more)
