"""moto's tables, with cheaper transactions.

For its rollback moto copies every item of the tables in a transaction. Here it copies the structure
of the tables only, and an update replaces an item instead of changing it.
"""

import copy
from collections import defaultdict
from typing import Any

import pytest
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

_update_item = DynamoDBBackend.update_item


def speed_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Table, "__deepcopy__", _with_the_same_items, raising=False)
    patch.setattr(DynamoDBBackend, "update_item", _update_a_copy)


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
