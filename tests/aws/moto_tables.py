"""moto's tables, with cheaper requests, transactions and deployments, and atomic writes.

botocore signs each request and reads each response value by value, and moto finds the operation by
regular expressions. Here a serialised operation on items is called by its name. What it returns
goes to the caller as it is; what it refuses goes through botocore, with its errors and its retries.
Nothing is signed, since moto looks at no signature. Expressions are parsed once, and so are an
operation's address, the list of what a check of an expression looks at, and checks of an expression
that look at no item. Tables are created once, and copied afterwards. For each message moto counts
all of its queue, to see whether it is too old; here none is. For its rollback moto copies every
item of the tables in a transaction. Here it copies the structure of the tables only, and an update
replaces an item instead of changing it. moto checks a condition and writes in two steps, between
which another thread may write; DynamoDB does not.
"""

import copy
import json
import pickle
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable
from functools import cache, partial, wraps
from threading import RLock, local
from typing import Any

import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.endpoint import Endpoint
from botocore.regions import EndpointRulesetResolver
from botocore.signers import RequestSigner
from botocore.useragent import UserAgentString
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import JsonRESTError
from moto.core.models import DEFAULT_ACCOUNT_ID, botocore_stubber
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import ast_nodes, expressions
from moto.dynamodb.parsing.validators import UpdateExpressionValidator
from moto.dynamodb.responses import DynamoHandler
from moto.sqs.models import SQSBackend, sqs_backends

from harness import deployment
from harness.environment import REGION

_update_item = DynamoDBBackend.update_item
_make_request: Callable[..., Any] = Endpoint.make_request
_process_request = BotocoreStubber.process_request
_deep_copy = Item.__deepcopy__
_size = Item.size
_is_processed: dict[tuple[type, type], bool] = {}
_writing = RLock()
_answered = local()
"""In `first`, the answer to the request that this thread is about to send."""

_ON_ITEMS = {
    *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan"),
    *("TransactWriteItems", "UpdateItem"),
}


def speed_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RequestSigner, "sign", lambda *_, **__: None)
    # What would answer clients other than botocore's.
    patch.setattr("moto.core.models.RESPONSES_METHODS", [])
    patch.setattr(Endpoint, "make_request", _request)
    patch.setattr(BotocoreStubber, "process_request", _answer)
    # botocore builds it for each request, and moto looks for the region only.
    patch.setattr(UserAgentString, "to_string", lambda _: f"region/{REGION}")
    construct = _once_for_each(EndpointRulesetResolver.construct_endpoint)
    patch.setattr(EndpointRulesetResolver, "construct_endpoint", construct)
    _parse_once(patch)
    patch.setattr(deployment, "_create_tables", _copy_tables(deployment._create_tables))
    patch.setattr(deployment, "_create_queues", _create_queues)
    is_kept: Any = lambda *_: True  # noqa: E731
    patch.setattr(SQSBackend, "is_message_valid_based_on_retention_period", is_kept)
    patch.setattr(Table, "__deepcopy__", _with_the_same_items, raising=False)
    # An item never changes: see `_update_a_copy`.
    patch.setattr(Item, "__deepcopy__", lambda item, _: item)
    patch.setattr(Item, "size", _size_once)
    patch.setattr(DynamoDBBackend, "update_item", _update_a_copy)
    for name in ("put_item", "update_item", "delete_item", "transact_write_items"):
        patch.setattr(DynamoDBBackend, name, _atomic(getattr(DynamoDBBackend, name)))


def _once_for_each(construct: Callable[..., Any]) -> Callable[..., Any]:
    """Find the endpoint of a client's operation once: it depends on nothing else of a request."""
    known: dict[Any, Any] = {}

    def construct_once(resolver: Any, operation_model: Any, *rest: Any, **more: Any) -> Any:
        key = resolver, operation_model
        if key not in known:
            known[key] = construct(resolver, operation_model, *rest, **more)
        return known[key]

    return construct_once


def _parse_once(patch: pytest.MonkeyPatch) -> None:
    lex = cache(partial(ConditionExpressionParser._lex_one_node, ConditionExpressionParser))  # type: ignore[arg-type]
    patch.setattr(ConditionExpressionParser, "_lex_one_node", lambda _, rest: lex(rest))
    # Untyped, and its result is copied before it is changed.
    parser: Any = vars(expressions)["UpdateExpressionParser"]
    patch.setattr(parser, "make", staticmethod(cache(parser.make)))
    node: Any = vars(ast_nodes)["Node"]
    pickled = cache(pickle.dumps)
    copied: Any = lambda self, _: pickle.loads(pickled(self))  # noqa: E731, S301 - its own bytes
    patch.setattr(node, "__deepcopy__", copied, raising=False)
    traverser: Any = vars(ast_nodes)["DepthFirstTraverser"]
    patch.setattr(traverser, "traverse_node_recursively", _traverse)
    validator: Any = UpdateExpressionValidator
    patch.setattr(validator, "__init__", _check_once_for_each(validator.__init__))


def _check_once_for_each(make: Callable[..., None]) -> Callable[..., None]:
    """Make a validator whose first three checks, which look at no item and no value, run once.

    They are of the number of clauses, of paths that overlap, and of the attributes of the key.
    """
    passed: set[Any] = set()

    def make_once(validator: Any, tree: Any, **more: Any) -> None:
        make(validator, tree, **more)
        checks, validator.processors = validator.processors[:3], validator.processors[3:]
        names = validator.expression_attribute_names or {}
        expression = tree, *sorted(names.items()), *validator.table.table_key_attrs
        if expression not in passed:
            for check in checks:
                check.traverse(validator.node_to_validate)
            passed.add(expression)

    return make_once


def _traverse(traverser: Any, node: Any, place: int = -1) -> Any:
    """Process a tree from its leaves on, as moto does, which asks each node what it is."""
    if not hasattr(node, "parent"):
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, number)
        _traverse(traverser, child, number)
    key = type(traverser), type(node)
    if key not in _is_processed:
        _is_processed[key] = isinstance(node, traverser.nodes_to_be_processed())
    if _is_processed[key]:
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[place] = node
    return node


def remember() -> Callable[[], None]:
    """Return a way back to the items that the tables have now."""
    tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables
    remembered = {name: _with_the_same_items(table, {}) for name, table in tables.items()}

    def go_back() -> None:
        for name, table in remembered.items():
            tables[name].items = _with_the_same_items(table, {}).items

    return go_back


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


def _request(endpoint: Any, model: Any, request: Any) -> Any:
    """Return the response and what botocore would read in it."""
    operation = _on_items(request["headers"])
    if not (operation and botocore_stubber.enabled):
        return _make_request(endpoint, model, request)
    status, headers, body = answer = _operate(operation, request["body"])
    if status != 200 or '"B"' in body:  # an error, or binary values, which botocore decodes
        _answered.first = answer
        try:
            return _make_request(endpoint, model, request)
        finally:
            vars(_answered).pop("first", None)
    parsed = json.loads(body)
    parsed["ResponseMetadata"] = {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
    return AWSResponse(request["url"], status, headers, None), parsed


def _answer(stubber: BotocoreStubber, request: Any) -> Any:
    """Return the status, the headers and the body that moto answers."""
    operation = _on_items(request.headers)
    if not operation:
        return _process_request(stubber, request)
    return vars(_answered).pop("first", None) or _operate(operation, request.body)


def _on_items(headers: Any) -> str | None:
    """Return the operation on items that a request is for."""
    api, _, operation = _text(headers.get("X-Amz-Target", "")).partition(".")
    return operation if api.startswith("DynamoDB_") and operation in _ON_ITEMS else None


def _operate(operation: str, body: bytes) -> tuple[int, dict[str, str], str]:
    handler: Any = DynamoHandler()
    handler.current_account, handler.region = DEFAULT_ACCOUNT_ID, REGION
    handler.params = handler.body = json.loads(body)
    try:
        result = getattr(handler, xform_name(operation))().result
    except JsonRESTError as refusal:
        return refusal.code, {}, refusal.description
    return 200, {}, json.dumps(result, default=_encode)


def _encode(binary: bytes) -> str:
    return b64encode(binary).decode()


def _text(header: str | bytes) -> str:
    return header if isinstance(header, str) else header.decode()


def _copy_tables(create: Callable[[], None]) -> Callable[[], None]:
    """Create tables the first time only; later ones are copies, without items."""
    created: dict[str, Table] = {}

    def copy_tables() -> None:
        backend = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION]
        if not created:
            create()
            created.update(backend.tables)
        backend.tables = {name: _with_items(table, {}) for name, table in created.items()}

    return copy_tables


def _create_queues() -> None:
    """Create the queues without requests."""
    for name in deployment.QUEUES:
        sqs_backends[DEFAULT_ACCOUNT_ID][REGION].create_queue(name)


def _atomic(write: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(write)
    def atomic(*arguments: Any, **more: Any) -> Any:
        with _writing:
            return write(*arguments, **more)

    return atomic


def _with_the_same_items(table: Table, _memo: dict[int, Any]) -> Table:
    items = {
        key: dict(found) if table.has_range_key else found for key, found in table.items.items()
    }
    return _with_items(table, items)


def _with_items(table: Table, items: dict[Any, Any]) -> Table:
    same = copy.copy(table)
    same.items = defaultdict(dict, items)
    return same


def _update_a_copy(
    backend: DynamoDBBackend, table_name: str, key: Any, *rest: Any, **more: Any
) -> Any:
    if item := backend.get_item(table_name, key):
        items: Any = backend.tables[table_name].items
        if item.range_key is None:
            items[item.hash_key] = _deep_copy(item, {})
        else:
            items[item.hash_key][item.range_key] = _deep_copy(item, {})
    return _update_item(backend, table_name, key, *rest, **more)


def _size_once(item: Any) -> int:
    known: dict[str, Any] = vars(item)
    if "known_size" not in known:
        known["known_size"] = _size(item)
    return int(known["known_size"])
