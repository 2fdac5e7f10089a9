"""The AWS SDK: clients with deadlines, DynamoDB's item format, pages, conditions, retries.

The functions use botocore alone. boto3 is a layer on botocore that adds 15 ms to every cold start,
and two of its classes would be used here.
"""

import math
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import ContextVar
from decimal import Decimal
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import botocore.session
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import get_cert_path

from vitrina.errors import Unavailable

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import (
        QueryInputTypeDef,
        QueryOutputTypeDef,
        TransactWriteItemTypeDef,
    )
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

# botocore's defaults of 60 s are longer than any function may run. Standard mode retries with full
# jitter.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=32,
    # DynamoDB validates every parameter too; validating here as well takes as long as signing.
    parameter_validation=False,
    # botocore composes its own for each request twice, a quarter of the processor time of a call.
    user_agent="vitrina",
)

# The signing key is read while a client waits. If that takes longer than the function's timeout,
# the process ends and its cached key is lost.
_SECRETS_CONFIG = _CONFIG.merge(
    Config(
        connect_timeout=1,
        read_timeout=2,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
)

# The artifact has short descriptions of the AWS operations in use beside this package. Elsewhere
# botocore reads its own, which are complete and slower to read.
DESCRIPTIONS = "aws_descriptions"

MAX_KEYS_PER_READ = 100
PARALLEL_CALLS = 24

# Reasons of a canceled transaction that is worth sending again as it is: another transaction held
# an item, or throttling.
_TRANSIENT = {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

Credentials = ReadOnlyCredentials
ServiceError = ClientError
"""A service refused a request."""
FAILURES = (BotoCoreError, ClientError)
"""A request failed: there was no response, or a service refused the request."""
_Key = tuple[str, dict[str, Any]]
"""A table and a key in DynamoDB's format."""
T = TypeVar("T")
R = TypeVar("R")

# The system's generator: environments that are restored from one snapshot share `random`'s state.
_random = random.SystemRandom()
# Kept between calls: starting a thread takes as long as signing a request.
_threads = ThreadPoolExecutor(PARALLEL_CALLS)
_making = Lock()
_is_sent_once = ContextVar("_is_sent_once", default=False)


class Backoff(NamedTuple):
    """How often a request is tried; each pause is random, up to a ceiling that doubles."""

    attempts: int
    first_pause_seconds: float = 0.05
    max_pause_seconds: float = 1.0

    def pause_after(self, failures: int) -> float:
        ceiling = self.first_pause_seconds * 2.0 ** (failures - 1)
        return jitter(min(self.max_pause_seconds, ceiling))


# With pauses of up to 50, 100, 200, 400 and 800 ms.
_CLIENT_BACKOFF = Backoff(6)
# The HTTP API waits for 29 s. The time ends a read, and not the number of attempts.
_READ_BACKOFF = Backoff(400)
MAX_READ_SECONDS = 20


def dynamodb() -> "DynamoDBClient":
    client: DynamoDBClient = _client("dynamodb")
    return client


def secretsmanager() -> "SecretsManagerClient":
    client: SecretsManagerClient = _client("secretsmanager")
    return client


def cloudformation() -> "CloudFormationClient":
    client: CloudFormationClient = _client("cloudformation")
    return client


def sqs() -> "SQSClient":
    client: SQSClient = _client("sqs")
    return client


def sns() -> Any:
    return _client("sns")


def _client(service: str) -> Any:
    # Threads that start together in a cold process would each make a client.
    with _making:
        return _made(service)


def forget_clients() -> None:
    """Make new clients at their next use, from the environment of that moment."""
    _made.cache_clear()
    _session.cache_clear()


@cache
def _made(service: str) -> Any:
    deadlines = _SECRETS_CONFIG if service == "secretsmanager" else _CONFIG
    client: Any = _session().create_client(service, config=deadlines)
    if service == "dynamodb":
        client.meta.events.register("needs-retry.dynamodb", _pause_after_conflict)
    return client


def _pause_after_conflict(attempts: int, response: Any, **_: Any) -> float | None:
    """Return the pause before botocore sends a request again; None leaves the decision to botocore.

    DynamoDB refuses a write while a transaction holds its item, and a transaction while another
    one holds one of its items. botocore retries throttled requests, and neither of these.
    """
    if response is None or _is_sent_once.get() or attempts >= _CLIENT_BACKOFF.attempts:
        return None
    return _CLIENT_BACKOFF.pause_after(attempts) if _is_transient(response[1]) else None


def _is_transient(answer: Mapping[str, Any]) -> bool:
    code = answer.get("Error", {}).get("Code")
    reasons = {reason["Code"] for reason in answer.get("CancellationReasons", ())}
    return code == "TransactionConflictException" or (
        code == "TransactionCanceledException" and reasons <= _TRANSIENT
    )


@cache
def _session() -> botocore.session.Session:
    # botocore's retries take their jitter from `random`, whose state is the same in all
    # environments that Lambda restores from one snapshot.
    random.seed()
    session = botocore.session.get_session()
    session.set_config_variable("data_path", str(Path(__file__).parents[1] / DESCRIPTIONS))
    # As the CDK and the AWS CLI do; botocore itself reads AWS_DEFAULT_REGION only.
    if region := os.environ.get("AWS_REGION"):
        session.set_config_variable("region", region)
    return session


def credentials() -> Credentials:
    """Return this process's credentials, refreshed before they expire.

    Raises RuntimeError when there are none.
    """
    found = _session().get_credentials()
    if found is None:
        raise RuntimeError("There are no AWS credentials to sign with.")
    return found.get_frozen_credentials()


def region() -> str:
    return str(_session().get_config_variable("region"))


def account_id() -> str:
    """Return the account of this process's credentials."""
    return str(_client("sts").get_caller_identity()["Account"])


def ca_bundle() -> str:
    """Return the path of the certificate authorities that botocore trusts."""
    return str(get_cert_path(True))


def to_item(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Turn `{"seq": 1}` into DynamoDB's `{"seq": {"N": "1"}}`, without attributes that are None."""
    return {name: _to_value(value) for name, value in plain.items() if value is not None}


def _to_value(value: object) -> dict[str, Any]:
    content: Any
    match value:
        case str():
            kind, content = "S", str(value)
        case bool():
            kind, content = "BOOL", value
        case int() | Decimal():
            kind, content = "N", str(value)
        case bytes():
            kind, content = "B", value
        case set() | frozenset() if all(isinstance(each, int) for each in value):
            kind, content = "NS", [str(each) for each in value]
        case set() | frozenset():
            kind, content = "SS", sorted(value)
        case list():
            kind, content = "L", [_to_value(each) for each in value]
        case dict():
            kind, content = "M", to_item(value)
        case _:
            raise TypeError(f"No table has an attribute of type {type(value).__name__}.")
    return {kind: content}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn DynamoDB's `{"seq": {"N": "1"}}` into `{"seq": Decimal(1)}`."""
    return {name: _from_value(value) for name, value in item.items()}


def _from_value(value: Mapping[str, Any]) -> Any:
    [(kind, content)] = value.items()
    match kind:
        case "N":
            return Decimal(content)
        case "SS":
            return set(content)
        case "NS":
            return set(map(Decimal, content))
        case "L":
            return [_from_value(each) for each in content]
        case "M":
            return from_item(content)
    return content


def in_parallel(call: Callable[[T], R], each: Iterable[T]) -> list[R]:
    """Run independent calls, at most `PARALLEL_CALLS` at a time; return their results in order.

    The calls begin in this order, the last one in the caller's thread. If a call raises, the others
    are awaited or canceled, and then its exception is raised.
    """
    values = [*each]
    others = [(value, _threads.submit(call, value)) for value in values[:-1]]
    try:
        last = [call(value) for value in values[-1:]]
        # Calls that no thread has begun run here, so a call may itself use `in_parallel`.
        found = [call(value) if put.cancel() else put.result() for value, put in others]
        return found + last
    finally:
        wait([put for _, put in others if not put.cancel()])


def begin(call: Callable[..., R], *arguments: Any) -> Future[R]:
    """Begin a call in one of the threads of `in_parallel`."""
    return _threads.submit(call, *arguments)


def get(table: str, key: Mapping[str, Any], *, is_consistent: bool = True) -> dict[str, Any]:
    """Return an item in plain Python, by default strongly consistent; empty if there is none."""
    found = dynamodb().get_item(TableName=table, Key=to_item(key), ConsistentRead=is_consistent)
    return from_item(found.get("Item", {}))


class Updated(NamedTuple):
    is_done: bool
    """Whether the condition was met."""
    row: dict[str, Any]
    """The item as it is now, in plain Python; empty if there is none or it was not requested."""


def update(
    table: str,
    key: Mapping[str, Any],
    expression: str,
    values: Mapping[str, Any],
    condition: str = "",
    *,
    names: Mapping[str, str] | None = None,
    returns_row: bool = False,
) -> Updated:
    """Update an item, if the condition is met; `key` and `values` are in plain Python."""
    request: Any = {"TableName": table, "Key": to_item(key), "UpdateExpression": expression}
    if values:
        request["ExpressionAttributeValues"] = to_item(values)
    if condition:
        request["ConditionExpression"] = condition
    if names:
        request["ExpressionAttributeNames"] = names
    if returns_row:
        request["ReturnValues"] = "ALL_NEW"
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    try:
        updated = dynamodb().update_item(**request)
    except dynamodb().exceptions.ConditionalCheckFailedException as refused:
        item: Any = refused.response.get("Item", {})
        return Updated(False, from_item(item))
    return Updated(True, from_item(updated.get("Attributes", {})))


def is_written(write: Callable[..., Any], **request: Any) -> bool:
    """Put or delete an item; return whether the condition was met."""
    try:
        write(**request)
    except dynamodb().exceptions.ConditionalCheckFailedException:
        return False
    return True


def batch_get(table: str, keys: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the items of a table that exist, as `batch_get_all` does."""
    return (item for _, item in batch_get_all((table, key) for key in keys))


def batch_get_all(
    wanted: Iterable[tuple[str, Mapping[str, Any]]],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield tables and those of their items that exist, strongly consistent and in no order.

    `wanted` has tables and keys in the format that `to_item` takes; items have DynamoDB's format.
    BatchGetItem takes 100 keys, of any tables. Keys that DynamoDB leaves unprocessed, when it
    throttles or beyond 16 MB, are requested again. Raises Unavailable `busy` when it processes none
    of them for `MAX_READ_SECONDS`.
    """
    waiting = [(table, to_item(key)) for table, key in wanted]
    while waiting:
        batch, waiting = waiting[:MAX_KEYS_PER_READ], waiting[MAX_KEYS_PER_READ:]
        found, left = _read(batch)
        for table, items in found.items():
            yield from ((table, item) for item in items)
        if left:
            waiting += left
            time.sleep(_CLIENT_BACKOFF.pause_after(1))


def _read(batch: Sequence[_Key]) -> tuple[Mapping[str, Any], list[_Key]]:
    """Request keys until some are processed; return items by table, and the other keys."""
    requests: dict[str, Any] = {}
    for table, key in batch:
        requests.setdefault(table, {"Keys": [], "ConsistentRead": True})["Keys"].append(key)
    for _ in attempts(_READ_BACKOFF, time.monotonic() + MAX_READ_SECONDS):
        answer = dynamodb().batch_get_item(RequestItems=requests)
        unprocessed: Any = answer["UnprocessedKeys"]
        left = [(table, key) for table in unprocessed for key in unprocessed[table]["Keys"]]
        if len(left) < len(batch):
            return answer["Responses"], left
    raise Unavailable("busy", "Too much is read at this moment; try again.")


def query(request: "QueryInputTypeDef") -> Iterator["QueryOutputTypeDef"]:
    """Yield the pages of a query, each at most 1 MB (DynamoDB's limit)."""
    while True:
        page = dynamodb().query(**request)
        yield page
        if "LastEvaluatedKey" not in page:
            return
        request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}


def measured(request: "QueryInputTypeDef") -> "QueryInputTypeDef":
    """Return the request, whose answers say what it has consumed."""
    return {**request, "ReturnConsumedCapacity": "TOTAL"}


def read_units(page: "QueryOutputTypeDef") -> float:
    """Return the read units of a measured page; a local cloud may not know them."""
    return page.get("ConsumedCapacity", {}).get("CapacityUnits", 0)


def put_version(
    table: str, item: Mapping[str, Any], *, expected: int
) -> "TransactWriteItemTypeDef":
    """Return the write of an item whose stored `version` is the expected one.

    `expected` is 0 when the item must not exist yet. `item` has its new version.
    """
    put: Any = {
        "TableName": table,
        "Item": to_item(item),
        "ConditionExpression": "attribute_not_exists(version)",
    }
    if expected:
        put["ConditionExpression"] = "version = :expected"
        put["ExpressionAttributeValues"] = to_item({":expected": expected})
    return {"Put": put}


def transact_once(writes: Sequence["TransactWriteItemTypeDef"]) -> None:
    """Write in one transaction, which the client does not send again after a conflict.

    For callers that read again before each attempt: after a conflict, their reads are outdated.
    """
    before = _is_sent_once.set(True)
    try:
        dynamodb().transact_write_items(TransactItems=writes)
    finally:
        _is_sent_once.reset(before)


def transient_reasons(canceled: ClientError) -> list[str]:
    """Return the reason of each write of a canceled transaction, "None" for a write without one.

    Raises the exception itself when another attempt, with values read again, would fail too.
    """
    reasons = [reason["Code"] for reason in canceled.response["CancellationReasons"]]
    if not {*reasons} <= _TRANSIENT | {"ConditionalCheckFailed"}:
        raise canceled
    return reasons


def attempts(limit: int | Backoff, until: float = math.inf) -> Iterator[int]:
    """Yield 1, 2, … `limit`, with a pause before each attempt but the first: full jitter.

    Stops before a pause that would end after `until`, a value of `time.monotonic`.
    """
    backoff = limit if isinstance(limit, Backoff) else Backoff(limit)
    for attempt in range(1, backoff.attempts + 1):
        if attempt > 1:
            pause = backoff.pause_after(attempt - 1)
            if time.monotonic() + pause > until:
                return
            time.sleep(pause)
        yield attempt


def jitter(ceiling_seconds: float) -> float:
    """Return a random part of a pause."""
    return _random.uniform(0, ceiling_seconds)
