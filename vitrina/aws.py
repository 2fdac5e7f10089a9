"""The only place that imports boto3: clients with deadlines, and DynamoDB's item format."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from botocore.httpsession import get_cert_path

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

# boto3 waits 60 s for a connection and 60 s for an answer unless told otherwise, which is longer
# than any function here may run. Standard mode retries with full jitter.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=32,
)

KEYS_AT_ONCE = 100

# What cancels a transaction and may not do so again: another writer, or a moment's load.
_PASSING = {
    *("None", "ConditionalCheckFailed", "TransactionConflict"),
    *("ThrottlingError", "ProvisionedThroughputExceeded"),
}

Credentials = ReadOnlyCredentials

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


@cache
def dynamodb() -> "DynamoDBClient":
    return boto3.client("dynamodb", config=_CONFIG)


@cache
def secretsmanager() -> "SecretsManagerClient":
    return boto3.client("secretsmanager", config=_CONFIG)


@cache
def cloudformation() -> "CloudFormationClient":
    return boto3.client("cloudformation", config=_CONFIG)


@cache
def sqs() -> "SQSClient":
    return boto3.client("sqs", config=_CONFIG)


@cache
def _session() -> boto3.Session:
    return boto3.Session()


def credentials() -> Credentials:
    """Return this process's credentials, refreshed when they were about to expire.

    Raises RuntimeError when there are none.
    """
    found = _session().get_credentials()
    if found is None:
        raise RuntimeError("There are no AWS credentials to sign with.")
    return found.get_frozen_credentials()


def region() -> str:
    return _session().region_name


def ca_bundle() -> str:
    """Return the file of certificate authorities that boto3 trusts, for who speaks TLS himself."""
    return str(get_cert_path(True))


def to_item(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Turn `{"seq": 1}` into DynamoDB's `{"seq": {"N": "1"}}`; what is None is left out."""
    return {k: _serializer.serialize(v) for k, v in plain.items() if v is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn DynamoDB's `{"seq": {"N": "1"}}` into `{"seq": Decimal(1)}`."""
    return {k: _deserializer.deserialize(v) for k, v in item.items()}


def batch_get(table: str, keys: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the items that exist, strongly consistent and in no order, in DynamoDB's format.

    Keys come as `to_item` takes them. What DynamoDB leaves over, when throttled or beyond 16 MB,
    is asked for again; BatchGetItem takes 100 keys at a time.
    """
    waiting = [to_item(key) for key in keys]
    while waiting:
        batch, waiting = waiting[:KEYS_AT_ONCE], waiting[KEYS_AT_ONCE:]
        answer = dynamodb().batch_get_item(
            RequestItems={table: {"Keys": batch, "ConsistentRead": True}}
        )
        yield from answer["Responses"][table]
        if left := answer["UnprocessedKeys"].get(table):
            waiting += left["Keys"]
            pause_before_another_try()


def passing_reasons(canceled: ClientError) -> list[str]:
    """Return why each write of a canceled transaction was, "None" for those that were not.

    Raises the exception itself when trying again would end the same.
    """
    reasons = [reason["Code"] for reason in canceled.response["CancellationReasons"]]
    if not _PASSING.issuperset(reasons):
        raise canceled
    return reasons


def pause_before_another_try(attempt: int = 1) -> None:
    """Sleep a random part of 50 ms, 100 ms, 200 ms …, at most a second: full jitter."""
    time.sleep(random.uniform(0, min(1.0, 0.05 * 2 ** (attempt - 1))))  # noqa: S311 - no secret
