"""Where subscriptions are stored: the partitions of each channel in the connections table."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple
from zlib import crc32

from vitrina import aws, config

MAX_LOGGED_IDS = 10


class Kind(StrEnum):
    """Which frames a connection takes: of several events if it has asked for that, or of one."""

    BATCH = "batch"
    PLAIN = "plain"


class Partition(NamedTuple):
    """Subscriptions whose partition key is `key` and whose sort key begins with `prefix`."""

    key: str
    prefix: str


class Subscription(NamedTuple):
    """The key of one row: a connection that is a member of a partition."""

    partition: str
    member: str
    """`NAME#CONNECTION_ID`, with the name of an identity or of a room."""

    @property
    def connection_id(self) -> str:
        return self.member.rpartition("#")[2]


def partition_of(scope: str, name: str, shard_count: int) -> Partition:
    """Return the partition of one identity or room, by the number of shards of its scope.

    `scope` is a client type, and then `name` is an identity, or `room`. The shard is a hash of the
    name, so that one row serves both "every user" and "user 42".
    """
    return Partition(_key(scope, crc32(name.encode()) % shard_count), f"{name}#")


def prefix_of(channel: str) -> str:
    """Return how the sort keys of a channel's subscriptions begin."""
    _, colon, name = channel.partition(":")
    return f"{name}#" if colon else ""


def partitions_of(channel: str) -> Sequence[Partition]:
    """Return every partition of a channel, each once: `user`, `shop:10` or `room:sale`.

    While the number of shards changes, these are the partitions of each number in force. For an
    identity or a room the first one is where new subscriptions are stored.
    """
    scope, colon, name = channel.partition(":")
    counts = shard_counts(scope)
    if colon:
        return list(dict.fromkeys(partition_of(scope, name, count) for count in counts))
    return [Partition(_key(scope, shard), "") for shard in range(max(counts))]


def shard_counts(scope: str) -> tuple[int, ...]:
    """Return the number of shards for new subscriptions of a scope, and then the older ones."""
    counts: tuple[int, ...] = getattr(config.current(), f"{scope}_shards")
    return counts


def query(table: str, partition: Partition, which: str, **values: Any) -> Any:
    """Return the query of a partition's rows for which the condition `which` holds, consistent."""
    condition, names = "#partition = :partition", {"#partition": "partition"}
    values["partition"] = partition.key
    if partition.prefix:
        condition += " AND begins_with(#member, :prefix)"
        names["#member"] = "member"
        values["prefix"] = partition.prefix
    request: Any = {
        "TableName": table,
        "ConsistentRead": True,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": aws.to_item({f":{k}": v for k, v in values.items()}),
    }
    return request | ({"FilterExpression": which} if which else {})


def ids_to_log(subscriptions: Iterable[Subscription]) -> list[str]:
    """Return the first ten connection ids, for a log line that also gives their number.

    One event may reach a hundred thousand connections, which no log line can list.
    """
    return [subscription.connection_id for subscription in islice(subscriptions, MAX_LOGGED_IDS)]


def _key(scope: str, shard: int) -> str:
    return f"{scope}#{shard:02d}"
