"""The only place that imports boto3: clients with deadlines, and DynamoDB's item format."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.httpsession import get_cert_path

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_secretsmanager import SecretsManagerClient

# boto3 waits 60 s for a connection and 60 s for an answer unless told otherwise, which is longer
# than any function here may run. Standard mode retries with full jitter.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=32,
)

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
def _session() -> boto3.Session:
    return boto3.Session()


def credentials() -> ReadOnlyCredentials:
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
