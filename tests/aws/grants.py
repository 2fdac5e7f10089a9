"""What functions ask DynamoDB for, compared with their grants: moto enforces no roles.

The local cloud enforces them, but no conditions on keys.
"""

import re
import sys
from collections.abc import Callable, Collection, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from botocore.client import BaseClient

from infra.cdk.functions import FUNCTIONS
from infra.cdk.table_access import statements
from infra.tables import TABLES

# Operations of a transaction need the grants of their single ones.
_OF_TRANSACTION = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
_WORD = re.compile(r"(?<![:\w])#?[A-Za-z_]\w*")
_OF_EXPRESSIONS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"} | {
    *("attribute_exists", "attribute_not_exists", "if_not_exists", "list_append", "contains"),
    *("begins_with", "size"),
}
_HANDLER = re.compile(r"/functions/(\w+)/handler\.py$")


def enforce(patch: pytest.MonkeyPatch) -> None:
    """Make a request fail that the function on the stack may not send.

    Requests of its other threads are not known to be a function's.
    """
    original: Callable[..., Any] = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, operation: str, request: Any) -> Any:
        if client.meta.service_model.service_name == "dynamodb" and (name := _function()):
            for table, action, keys, named in asked(operation, request):
                may = allows(name, table, action, keys, named)
                assert may, f"{name} may not {action} {keys} {table} {named}"
        return original(client, operation, request)

    patch.setattr(BaseClient, "_make_api_call", call)


def allows(
    name: str, place: str, action: str, keys: list[str], attributes: Collection[str] = ()
) -> bool:
    """Return whether one statement of a function allows an action on all of these keys.

    `attributes` are those that the request names, without the key.
    """
    return any(
        place == statement.place
        and action in statement.actions
        and all(
            not statement.keys or any(fnmatchcase(key, pattern) for pattern in statement.keys)
            for key in keys
        )
        and (not statement.attribute or {statement.attribute} >= {*attributes})
        for statement in statements(FUNCTIONS[name].tables)
    )


def asked(operation: str, request: Any) -> Iterator[tuple[str, str, list[str], set[str]]]:
    """Yield the table or index, the action, the partition keys and the attributes of a request."""
    named = attributes(request)
    match operation:
        case "BatchGetItem":
            for table, wanted in request["RequestItems"].items():
                yield table, operation, [_key(table, key) for key in wanted["Keys"]], named
        case "TransactWriteItems":
            for write in request["TransactItems"]:
                [(kind, one)] = write.items()
                yield from asked(_OF_TRANSACTION[kind], one)
        case "Query":
            table, index = request["TableName"], request.get("IndexName")
            place = f"{table}/{index}" if index else table
            yield place, operation, [] if index else [_queried(table, request)], named
        case _:
            table = request["TableName"]
            yield table, operation, [_key(table, request.get("Key") or request["Item"])], named


def attributes(request: Any) -> set[str]:
    """Return the attributes that a request writes, or names in an expression."""
    expressions = " ".join(text for name, text in request.items() if name.endswith("Expression"))
    names = request.get("ExpressionAttributeNames", {})
    found = {names.get(word, word) for word in _WORD.findall(expressions)}
    return (found | {*request.get("Item", ())}) - _OF_EXPRESSIONS


def _key(table: str, item: Any) -> str:
    [value] = item[TABLES[table].keys[0].name].values()
    return str(value)


def _queried(table: str, request: Any) -> str:
    """Return the partition key that a query compares with."""
    names = request.get("ExpressionAttributeNames", {})
    for name, value in re.findall(r"(#?\w+) = (:\w+)", request["KeyConditionExpression"]):
        if names.get(name, name) == TABLES[table].keys[0].name:
            [key] = request["ExpressionAttributeValues"][value].values()
            return str(key)
    raise LookupError(f"{request} has no partition key")


def _function() -> str | None:
    """Return the function whose handler is on the stack, unless a test made it do the request."""
    frame = sys._getframe(2)
    while frame:
        function, is_test = _of_file(frame.f_code.co_filename)
        if function or is_test:
            return function
        frame = frame.f_back  # type: ignore[assignment]
    return None


@cache
def _of_file(filename: str) -> tuple[str | None, bool]:
    """Return the function whose handler a file has, and whether it is a test's."""
    found = _HANDLER.search(filename)
    return (found[1] if found else None), "/tests/" in filename
