"""Who is in a channel: page through its connections, find some, count them."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from vitrina import aws, channels, settings
from vitrina.channels import ClientType, Partition
from vitrina.connections import Member

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef, QueryOutputTypeDef

COUNT_KEPT_SECONDS = 2
PARALLEL_QUERIES = 24
# A word reserved in DynamoDB's expressions, as is "partition".
MEMBER = {"#member": "member"}


class Page(NamedTuple):
    """Connections of a partition that have not expired."""

    partition: Partition
    members: list[Member]
    cursor: str | None
    """Where the next page begins, if there may be one."""


def page(partition: Partition, cursor: str | None, limit: int) -> Page:
    """Read at most `limit` connections behind a cursor, strongly consistent.

    A page may be empty and yet have a next one: what has expired is read and left out.
    """
    query = _query(partition) | {"ProjectionExpression": "#member", "Limit": limit}
    query["ExpressionAttributeNames"] = {**query["ExpressionAttributeNames"], **MEMBER}
    if cursor:
        query["ExclusiveStartKey"] = {"partition": {"S": partition.key}, "member": {"S": cursor}}
    found = aws.dynamodb().query(**query)
    members = [Member(partition.key, row["member"]["S"]) for row in found["Items"]]
    last = found.get("LastEvaluatedKey")
    return Page(partition, members, last["member"]["S"] if last else None)


def first_pages(limits: Mapping[str, int]) -> Iterator[tuple[str, Page]]:
    """Yield the first page of every partition of several channels, all read in parallel.

    `limits` says of each channel how many connections make a page.
    """
    wanted = [
        (channel, partition) for channel in limits for partition in channels.partitions(channel)
    ]
    with ThreadPoolExecutor(PARALLEL_QUERIES) as pool:
        pages = pool.map(lambda where: page(where[1], None, limits[where[0]]), wanted)
        for (channel, _), found in zip(wanted, pages, strict=True):
            yield channel, found


class Opened(NamedTuple):
    """A connection, and when it began, in seconds since 1970."""

    connected_at: int
    member: Member


def of_identity(client_type: ClientType, identity: str) -> list[Opened]:
    """Return the open connections of an identity, the oldest first, strongly consistent."""
    partitions = channels.partitions(f"{client_type}:{identity}")
    return sorted(_opened(row) for partition in partitions for row in _rows(_query(partition)))


def of_account(account_id: int) -> list[Opened]:
    """Return the open connections of an account, strongly consistent.

    A shop's connections are kept under the shop, which may have several accounts.
    """
    scopes = [
        f"{ClientType.USER}:{account_id}",
        f"{ClientType.ADMIN}:{account_id}",
        ClientType.SHOP,
    ]
    partitions = [partition for scope in scopes for partition in channels.partitions(scope)]
    mine = "expires_at > :now AND account_id = :account"
    queries = [_query(partition, mine, account=account_id) for partition in partitions]
    with ThreadPoolExecutor(PARALLEL_QUERIES) as pool:
        found = pool.map(lambda query: list(_rows(query)), queries)
        return sorted(_opened(row) for rows in found for row in rows)


def connected_until(client_type: ClientType, moment: int) -> Iterator[Member]:
    """Yield who of a type is open and was connected by a moment, a partition at a time."""
    by_then = "expires_at > :now AND connected_at <= :moment"
    for partition in channels.partitions(client_type):
        found = _rows(_query(partition, by_then, moment=moment))
        yield from (_opened(row).member for row in found)


def expired(still_open: Counter[ClientType]) -> Iterator[Member]:
    """Yield what has expired and is still stored; a read of all connections, a partition at a time.

    What has not expired is read as well, and counted into `still_open`, which is all of them at the
    end. Eventually consistent, at half the price: read one again before acting on it.
    """
    for client_type in ClientType:
        for partition in channels.partitions(client_type):
            query = _query(partition, "expires_at <= :now") | {"ConsistentRead": False}
            for found in _answers(query):
                still_open[client_type] += found["ScannedCount"] - found["Count"]
                yield from (_opened(row).member for row in found["Items"])


def _opened(row: dict[str, Any]) -> Opened:
    return Opened(int(row["connected_at"]["N"]), Member(row["partition"]["S"], row["member"]["S"]))


class Counts(NamedTuple):
    by_type: dict[ClientType, int]
    rooms: int


def count() -> Counts:
    """Count open connections by type, and distinct rooms; at most two seconds old."""
    return _count_during(int(time.time() // COUNT_KEPT_SECONDS))


@lru_cache(maxsize=1)
def _count_during(_period: int) -> Counts:
    with ThreadPoolExecutor(PARALLEL_QUERIES) as pool:
        counting = {
            client_type: [
                pool.submit(_count_members, partition)
                for partition in channels.partitions(client_type)
            ]
            for client_type in ClientType
        }
        rooms = pool.map(_rooms_in, channels.partitions("room"))
        return Counts(
            by_type={
                client_type: sum(part.result() for part in parts)
                for client_type, parts in counting.items()
            },
            # While the number of shards changes, one room has members in several.
            rooms=len(set().union(*rooms)),
        )


def _count_members(partition: Partition) -> int:
    return sum(found["Count"] for found in _answers(_query(partition) | {"Select": "COUNT"}))


def _rooms_in(partition: Partition) -> set[str]:
    """Return the rooms by skipping from one to the next: a read per room, not per member."""
    rooms: set[str] = set()
    cursor: str | None = None
    while True:
        found = page(partition, cursor, limit=1)
        cursor = found.cursor
        if found.members:
            room = found.members[0].member.partition("#")[0]
            rooms.add(room)
            # "$" follows "#": no member of this room sorts behind it.
            cursor = f"{room}$"
        elif cursor is None:
            return rooms


def _rows(query: "QueryInputTypeDef") -> Iterator[dict[str, Any]]:
    return chain.from_iterable(found["Items"] for found in _answers(query))


def _answers(query: "QueryInputTypeDef") -> Iterator["QueryOutputTypeDef"]:
    """Yield what DynamoDB answers, a megabyte at a time."""
    while True:
        found = aws.dynamodb().query(**query)
        yield found
        if "LastEvaluatedKey" not in found:
            return
        query["ExclusiveStartKey"] = found["LastEvaluatedKey"]


def _query(
    partition: Partition, which: str = "expires_at > :now", **values: Any
) -> "QueryInputTypeDef":
    """Query a partition for what has not expired: DynamoDB's own removal can be days late."""
    condition, names = "#partition = :partition", {"#partition": "partition"}
    values |= {"partition": partition.key, "now": int(time.time())}
    if partition.prefix:
        condition += " AND begins_with(#member, :prefix)"
        names |= MEMBER
        values |= {"prefix": partition.prefix}
    return {
        "TableName": settings.current().connections_table,
        "ConsistentRead": True,
        "KeyConditionExpression": condition,
        "FilterExpression": which,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": aws.to_item({f":{k}": v for k, v in values.items()}),
    }
