"""DynamoDB tables: the operations that this project uses, and their billed units."""

import base64
from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from bench.cloud.bill import Bill
from bench.cloud.expressions import (
    Item,
    Predicate,
    condition,
    partition_of,
    plain,
    predicate,
    updated,
)
from infra import tables

READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024
MAX_PAGE_BYTES = 1024**2
# A transaction prepares and commits: every read and write counts twice.
TRANSACTION = 2
FAILED = "ConditionalCheckFailed"


class Stored(NamedTuple):
    item: Item
    size: int


NOTHING = Stored({}, 0)


class MemoryIndex(NamedTuple):
    """A global secondary index; it contains the items that have its keys."""

    keys: tuple[str, ...]
    """The partition key, the sort key, and the table's other keys."""
    projects_all: bool

    def entry(self, item: Item) -> Item:
        if not all(key in item for key in self.keys):
            return {}
        return item if self.projects_all else {key: item[key] for key in self.keys}


class Canceled(Exception):
    """A condition does not hold; there is one reason for each write of the transaction."""

    def __init__(self, reasons: Sequence[str], old: Item | None = None) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons
        self.old = old


class MemoryTable:
    """Items by partition key, in the order of their sort keys."""

    def __init__(self, definition: tables.Table) -> None:
        self.keys = [key.name for key in definition.keys]
        self.indexes = {index.name: self._index_of(index) for index in definition.indexes}
        self._partitions: dict[Any, dict[Any, Stored]] = {}
        self._order: dict[Any, list[Any]] = {}

    def _index_of(self, definition: tables.Index) -> MemoryIndex:
        own = [key.name for key in definition.keys]
        keys = (*own, *(key for key in self.keys if key not in own))
        return MemoryIndex(keys, definition.projects_all)

    def key_of(self, item: Item) -> tuple[Any, Any]:
        """Return the partition and sort key; without sort keys, the latter is None."""
        partition, *sort = (plain(item[key]) for key in self.keys)
        return partition, sort[0] if sort else None

    def keys_of(self, index: str | None) -> Sequence[str]:
        """Return the key attributes of a cursor, in the table or in one of its indexes."""
        return self.indexes[index].keys if index else self.keys

    def get(self, key: Item) -> Stored:
        partition, sort = self.key_of(key)
        return self._partitions.get(partition, {}).get(sort, NOTHING)

    def put(self, item: Item) -> None:
        partition, sort = self.key_of(item)
        rows = self._partitions.setdefault(partition, {})
        if sort not in rows:
            insort(self._order.setdefault(partition, []), sort)
        rows[sort] = Stored(item, size(item))

    def delete(self, key: Item) -> None:
        partition, sort = self.key_of(key)
        if self._partitions.get(partition, {}).pop(sort, None):
            self._order[partition].remove(sort)

    def rows(self) -> list[Item]:
        """Return all rows of a moment; slow for large tables."""
        return [row.item for rows in [*self._partitions.values()] for row in [*rows.values()]]

    def after(self, partition: Any, sort: Any) -> Iterable[Stored]:
        """Yield a partition's rows after a sort key, or all."""
        order = self._order.get(partition, [])
        start = bisect_right(order, sort) if sort is not None else 0
        rows = self._partitions.get(partition, {})
        return (rows[key] for key in islice(order, start, None))

    def indexed(self, name: str, partition: Any) -> list[Stored]:
        """Return the entries of one partition of an index, in order; slow for large tables."""
        index = self.indexes[name]
        entries = (
            index.entry(row.item) for rows in self._partitions.values() for row in rows.values()
        )
        found = [entry for entry in entries if entry and plain(entry[index.keys[0]]) == partition]
        found.sort(key=lambda entry: plain(entry[index.keys[1]]))
        return [Stored(entry, size(entry)) for entry in found]


class Tables:
    """The tables by name, with the bill of their use."""

    def __init__(self, bill: Bill) -> None:
        self._tables = {name: MemoryTable(definition) for name, definition in tables.TABLES.items()}
        self._bill = bill

    def __getitem__(self, name: str) -> MemoryTable:
        return self._tables[name]

    def query(self, request: Mapping[str, Any]) -> dict[str, Any]:
        table = self[request["TableName"]]
        rows = self._rows(table, request)
        matching = predicate(request["KeyConditionExpression"], request)
        read, is_cut = _read(rows, matching, request.get("Limit"))
        billed = self._bill_read(sum(row.size for row in read), request)
        kept = predicate(request.get("FilterExpression", ""), request)
        items = [row.item for row in read if kept(row.item)]
        answer = _selected(items, request) | {"ScannedCount": len(read)}
        if "ReturnConsumedCapacity" in request:
            answer["ConsumedCapacity"] = {"CapacityUnits": billed}
        if is_cut:
            keys = table.keys_of(request.get("IndexName"))
            answer["LastEvaluatedKey"] = {key: read[-1].item[key] for key in keys}
        return answer

    def get_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        found = self[request["TableName"]].get(request["Key"])
        self._bill_read(found.size, request)
        return {"Item": found.item} if found.item else {}

    def batch_get_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        responses = {}
        for name, wanted in request["RequestItems"].items():
            found = [self[name].get(key) for key in wanted["Keys"]]
            for row in found:
                self._bill_read(row.size, wanted)
            responses[name] = [row.item for row in found if row.item]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def transact_write_items(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._put([write["Put"] for write in request["TransactItems"]], TRANSACTION)

    def put_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._put([request], 1)

    def _put(self, puts: Sequence[Mapping[str, Any]], times: int) -> dict[str, Any]:
        """Execute all puts, or raise Canceled."""
        holds = [condition(put)(self[put["TableName"]].get(put["Item"]).item) for put in puts]
        if not all(holds):
            raise Canceled(["None" if good else FAILED for good in holds])
        for put in puts:
            self._write(put["TableName"], put["Item"], put["Item"], times=times)
        return {}

    def update_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Update an item; raises Canceled, with the item, if the condition does not hold."""
        found = self[request["TableName"]].get(request["Key"])
        old = found.item
        if not condition(request)(old):
            # What is refused is billed as if it were written.
            self._bill.add("write_units", units(found.size, WRITE_UNIT_BYTES))
            raise Canceled([FAILED], old)
        new = updated({**request["Key"], **old}, request)
        self._write(request["TableName"], request["Key"], new)
        return {"Attributes": new}

    def delete_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        old = self[request["TableName"]].get(request["Key"]).item
        self._write(request["TableName"], request["Key"], {})
        return {"Attributes": old} if old and request.get("ReturnValues") == "ALL_OLD" else {}

    @staticmethod
    def _rows(table: MemoryTable, request: Mapping[str, Any]) -> Iterable[Stored]:
        """Return the rows of the requested partition after the cursor, in order."""
        partition = partition_of(request)
        start = request.get("ExclusiveStartKey")
        if "IndexName" not in request:
            return table.after(partition, table.key_of(start)[1] if start else None)
        if start:
            raise NotImplementedError("the second page of an index")
        rows = table.indexed(request["IndexName"], partition)
        return rows if request.get("ScanIndexForward", True) else reversed(rows)

    def _write(self, name: str, key: Item, new: Item, *, times: int = 1) -> None:
        table = self[name]
        old = table.get(key)
        if new:
            table.put(new)
        else:
            table.delete(key)
        self._bill.add("writes")
        self._bill.add("write_units", times * units(max(old.size, size(new)), WRITE_UNIT_BYTES))
        for index in table.indexes.values():
            written = _index_units(index, index.entry(old.item), index.entry(new))
            self._bill.add("index_writes", written)
            self._bill.add("write_units", written)

    def _bill_read(self, size: int, request: Mapping[str, Any]) -> float:
        """Bill a read; return its units."""
        read_units = (1 if request.get("ConsistentRead") else 0.5) * units(size, READ_UNIT_BYTES)
        self._bill.add("read_units", read_units)
        return read_units


def _read(
    rows: Iterable[Stored], matching: Predicate, limit: int | None
) -> tuple[list[Stored], bool]:
    """Return the rows that match the key, and whether the limit or one megabyte cut them."""
    found: list[Stored] = []
    left = MAX_PAGE_BYTES
    for row in rows:
        if matching(row.item):
            found.append(row)
            left -= row.size
            if len(found) == limit or left <= 0:
                return found, True
    return found, False


def _selected(items: Sequence[Item], request: Mapping[str, Any]) -> dict[str, Any]:
    if request.get("Select") == "COUNT":
        return {"Count": len(items)}
    if projection := request.get("ProjectionExpression"):
        names = request.get("ExpressionAttributeNames", {})
        wanted = [names.get(name, name) for name in projection.split(", ")]
        items = [{name: item[name] for name in wanted if name in item} for item in items]
    return {"Count": len(items), "Items": items}


def _index_units(index: MemoryIndex, old: Item, new: Item) -> int:
    """Return the units of updating an index: a changed key is a delete and a put."""
    if old == new:
        return 0
    if old and new and all(old[key] == new[key] for key in index.keys):
        return units(max(size(old), size(new)), WRITE_UNIT_BYTES)
    return sum(units(size(entry), WRITE_UNIT_BYTES) for entry in (old, new) if entry)


def units(size: int, unit: int) -> int:
    """Return the units of this many bytes; at least one."""
    return max(1, -(-size // unit))


def size(item: Item) -> int:
    """Return an item's size in bytes by DynamoDB's rules: names, and values by type."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def as_sent(value: Any) -> Any:
    """Return an attribute or an item as it is sent: bytes in base64."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case list():
            return [as_sent(each) for each in value]
        case dict():
            return {name: as_sent(each) for name, each in value.items()}
    return value


def _value_size(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S":
            found = len(content.encode())
        case "N":
            found = len(content.strip("0")) // 2 + 1
        case "SS":
            found = 3 + sum(len(text.encode()) + 1 for text in content)
        case "NS":
            found = 3 + sum(len(number.strip("0")) // 2 + 2 for number in content)
        case "B":
            found = len(base64.b64decode(content))
        case "L":
            found = 3 + sum(1 + _value_size(each) for each in content)
        case "M":
            found = 3 + len(content) + size(content)
        case _:
            found = 1
    return found
