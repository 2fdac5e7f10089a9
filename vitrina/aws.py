"""The only place that knows the AWS SDK: clients with deadlines, and DynamoDB's item format.

It is botocore, which boto3 is a layer on: importing boto3 besides takes 15 ms of every cold start,
and of that layer this project would use two classes.
"""

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import botocore.session
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
    # DynamoDB looks at every parameter itself; doing it here as well takes as long as signing.
    parameter_validation=False,
)

# Where an artifact describes what is called of AWS, beside this package; elsewhere botocore takes
# its own descriptions, which are whole, and slower to read.
DESCRIPTIONS = "aws_descriptions"

KEYS_AT_ONCE = 100

# What cancels a transaction and may not do so again: another writer, or a moment's load.
_PASSING = {
    *("None", "ConditionalCheckFailed", "TransactionConflict"),
    *("ThrottlingError", "ProvisionedThroughputExceeded"),
}

Credentials = ReadOnlyCredentials

# The system's: environments that are restored from one snapshot would all wait the same.
_jitter = random.SystemRandom()
_making = Lock()


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


def _client(service: str) -> Any:
    # Threads that come at once to a cold process would each make one.
    with _making:
        return _made(service)


def forget_clients() -> None:
    """Make clients anew when they are asked for, by what the environment says then."""
    _made.cache_clear()
    _session.cache_clear()


@cache
def _made(service: str) -> Any:
    return _session().create_client(service, config=_CONFIG)


@cache
def _session() -> botocore.session.Session:
    # Environments that Lambda restores from one snapshot have the same seed, and botocore's retries
    # take their jitter from it.
    random.seed()
    session = botocore.session.get_session()
    session.set_config_variable("data_path", str(Path(__file__).parents[1] / DESCRIPTIONS))
    return session


def credentials() -> Credentials:
    """Return this process's credentials, refreshed when they were about to expire.

    Raises RuntimeError when there are none.
    """
    found = _session().get_credentials()
    if found is None:
        raise RuntimeError("There are no AWS credentials to sign with.")
    return found.get_frozen_credentials()


def region() -> str:
    return str(_session().get_config_variable("region"))


def ca_bundle() -> str:
    """Return the file of certificate authorities that boto3 trusts, for who speaks TLS himself."""
    return str(get_cert_path(True))


def to_item(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Turn `{"seq": 1}` into DynamoDB's `{"seq": {"N": "1"}}`; what is None is left out."""
    return {name: _to_value(value) for name, value in plain.items() if value is not None}


def _to_value(value: object) -> dict[str, Any]:
    match value:
        case str():
            return {"S": str(value)}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case set() | frozenset():
            return {"SS": sorted(value)}
    raise TypeError(f"There is no {type(value).__name__} in any table.")


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
    return content


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
    time.sleep(_jitter.uniform(0, min(1.0, 0.05 * 2 ** (attempt - 1))))
