"""A deployment for tests: its configuration and key, its tables, queues and secret in moto."""

from typing import TYPE_CHECKING, Any

from argon2 import PasswordHasher

from infra.tables import TABLES
from vitrina import (
    aws,
    buckets,
    config,
    door,
    keys,
    message_budget,
    metrics,
    passwords,
    sender,
    sessions,
    slow_readers,
)
from vitrina.config import Config

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from infra.tables import Key

KEY = "k" * 64
QUEUES = ("fanout", "retries")

CONFIG = Config(
    stack_name="Vitrina-test",
    connections_table="connections",
    products_table="products",
    accounts_table="accounts",
    platform_table="platform",
    sessions_table="sessions",
    history_table="history",
    devices_table="devices",
    fanout_queue_url="https://sqs.eu-central-1.amazonaws.com/123456789012/fanout",
    retry_queue_url="https://sqs.eu-central-1.amazonaws.com/123456789012/retries",
    signing_key_secret="signing-key",  # noqa: S106 - its name
    management_url="http://localhost:1/ws",
    # Tests submit as fast as they can.
    submissions_per_shop_hour=1_000_000,
)


def configure(patch: "pytest.MonkeyPatch", **changes: Any) -> Config:
    """Configure this process until the patch is undone, and forget what it has cached."""
    changed = CONFIG.model_copy(update=changes)
    for name, value in changed.to_environment().items():
        patch.setenv(name, value)
    forget()
    return changed


def forget() -> None:
    """Clear all caches of this process."""
    for module in (
        *(buckets, config, door, keys, message_budget),
        *(metrics, sessions, sender, slow_readers),
    ):
        module.forget()


def use_cheap_passwords(patch: "pytest.MonkeyPatch") -> None:
    """Hash passwords with almost no work until the patch is undone."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    patch.setattr(passwords, "_hasher", hasher)
    patch.setattr(passwords, "_UNKNOWN_ACCOUNT_HASH", hasher.hash("unknown"))


def create() -> None:
    """Create the tables, the queues and the secret."""
    _create_queues()
    aws.secretsmanager().create_secret(Name=CONFIG.signing_key_secret, SecretString=KEY)
    _create_tables()


def _create_queues() -> None:
    for queue in QUEUES:
        aws.sqs().create_queue(QueueName=queue)


def _create_tables() -> None:
    for name, table in TABLES.items():
        indexes = [
            {
                "IndexName": index.name,
                "KeySchema": _key_schema(index.keys),
                "Projection": {"ProjectionType": "ALL" if index.projects_all else "KEYS_ONLY"},
            }
            for index in table.indexes
        ]
        more: Any = {"GlobalSecondaryIndexes": indexes} if indexes else {}
        keys_used = {*table.keys, *(key for index in table.indexes for key in index.keys)}
        aws.dynamodb().create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": key.name, "AttributeType": key.type} for key in keys_used
            ],
            KeySchema=_key_schema(table.keys),
            **more,
        )


def _key_schema(table_keys: "Sequence[Key]") -> Any:
    return [
        {"AttributeName": key.name, "KeyType": kind}
        for key, kind in zip(table_keys, ("HASH", "RANGE"), strict=False)
    ]
