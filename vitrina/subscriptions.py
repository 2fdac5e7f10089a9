"""Stored subscriptions: pages of a channel, those of an identity or account, counts."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from vitrina import aws, config
from vitrina.channels import ClientType
from vitrina.partitions import Partition, Subscription, partitions_of

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef

COUNT_TTL_SECONDS = 2
PARALLEL_QUERIES = 24
# A reserved word in DynamoDB's expressions, as is "partition".
_MEMBER = {"#member": "member"}
_COUNT: Any = {"Select": "COUNT", "ConsistentRead": False}


class Page(NamedTuple):
    """Subscriptions of a partition that have not expired."""

    partition: Partition
    subscriptions: list[Subscription]
    cursor: str | None
    """Where the next page begins; None after the last page."""


def page(partition: Partition, cursor: str | None, limit: int) -> Page:
    """Read at most `limit` rows after a cursor, strongly consistent.

    Expired rows are read and left out, so a page may be empty and still have a next page.
    """
    request = _query(partition) | {"ProjectionExpression": "#member", "Limit": limit}
    request["ExpressionAttributeNames"] = {**request["ExpressionAttributeNames"], **_MEMBER}
    if cursor:
        request["ExclusiveStartKey"] = {"partition": {"S": partition.key}, "member": {"S": cursor}}
    found = aws.dynamodb().query(**request)
    subscriptions = [Subscription(partition.key, row["member"]["S"]) for row in found["Items"]]
    last = found.get("LastEvaluatedKey")
    return Page(partition, subscriptions, last["member"]["S"] if last else None)


def first_pages(limits: Mapping[str, int]) -> Iterator[tuple[str, Page]]:
    """Yield the first page of every partition of several channels, all read in parallel.

    `limits` has the page size of each channel, in subscriptions.
    """
    wanted = [(channel, partition) for channel in limits for partition in partitions_of(channel)]
    with ThreadPoolExecutor(PARALLEL_QUERIES) as pool:
        pages = pool.map(lambda where: page(where[1], None, limits[where[0]]), wanted)
        for (channel, _), found in zip(wanted, pages, strict=True):
            yield channel, found


def still_open(members: Sequence[Subscription]) -> list[Subscription]:
    """Return those that are stored and have not expired, strongly consistent."""
    keys = [member._asdict() for member in dict.fromkeys(members)]
    rows = map(aws.from_item, aws.batch_get(config.current().connections_table, keys))
    now = time.time()
    return [
        Subscription(row["partition"], row["member"]) for row in rows if row["expires_at"] > now
    ]


class Opened(NamedTuple):
    """A subscription, and when its connection opened, in seconds since 1970."""

    connected_at: int
    subscription: Subscription


def of_identity(client_type: ClientType, identity: str) -> list[Opened]:
    """Return the open connections of an identity, the oldest first, strongly consistent."""
    partitions = partitions_of(f"{client_type}:{identity}")
    return sorted(_opened(row) for partition in partitions for row in _rows(_query(partition)))


def count_of_identity(client_type: ClientType, identity: str) -> int:
    """Count the open connections of an identity: one read, eventually consistent."""
    queries = [_query(each) for each in partitions_of(f"{client_type}:{identity}")]
    pages = (page for query in queries for page in aws.query({**query, **_COUNT}))
    return sum(page["Count"] for page in pages)


def of_account(account_id: int) -> list[Opened]:
    """Return the open connections of an account, the oldest first, strongly consistent.

    The connections of a shop are stored under the shop, which may have several accounts.
    """
    scopes = [
        f"{ClientType.USER}:{account_id}",
        f"{ClientType.ADMIN}:{account_id}",
        ClientType.SHOP,
    ]
    own = "expires_at > :now AND account_id = :account"
    queries = [
        _query(partition, own, account=account_id)
        for scope in scopes
        for partition in partitions_of(scope)
    ]
    with ThreadPoolExecutor(PARALLEL_QUERIES) as pool:
        found = pool.map(lambda query: list(_rows(query)), queries)
        return sorted(_opened(row) for rows in found for row in rows)


def connected_until(client_type: ClientType, moment: int) -> Iterator[Subscription]:
    """Yield the open connections of a type that connected by a moment, partition by partition."""
    by_then = "expires_at > :now AND connected_at <= :moment"
    for partition in partitions_of(client_type):
        found = _rows(_query(partition, by_then, moment=moment))
        yield from (_opened(row).subscription for row in found)


def expired(still_open: Counter[ClientType]) -> Iterator[Subscription]:
    """Yield expired connections that are still stored: a read of all rows, partition by partition.

    Rows that have not expired are counted into `still_open`, which is complete at the end.
    Eventually consistent, at half the price: read a connection again before acting on it.
    """
    for client_type in ClientType:
        for partition in partitions_of(client_type):
            request = _query(partition, "expires_at <= :now") | {"ConsistentRead": False}
            for found in aws.query(request):
                still_open[client_type] += found["ScannedCount"] - found["Count"]
                yield from (_opened(row).subscription for row in found["Items"])


def _opened(row: dict[str, Any]) -> Opened:
    subscription = Subscription(row["partition"]["S"], row["member"]["S"])
    return Opened(int(row["connected_at"]["N"]), subscription)


class Counts(NamedTuple):
    by_type: dict[ClientType, int]
    rooms: int


def count() -> Counts:
    """Count open connections by type, and distinct rooms; the result is kept for two seconds."""
    return _count_during(int(time.time() // COUNT_TTL_SECONDS))


def forget() -> None:
    """Count again at the next use."""
    _count_during.cache_clear()


@lru_cache(maxsize=1)
def _count_during(_period: int) -> Counts:
    with ThreadPoolExecutor(PARALLEL_QUERIES) as pool:
        by_type = {
            client_type: pool.map(_count_in, partitions_of(client_type))
            for client_type in ClientType
        }
        rooms = pool.map(_rooms_in, partitions_of("room"))
        return Counts(
            by_type={client_type: sum(counts) for client_type, counts in by_type.items()},
            # While the number of shards changes, one room has subscriptions in several partitions.
            rooms=len(set().union(*rooms)),
        )


def _count_in(partition: Partition) -> int:
    return sum(found["Count"] for found in aws.query(_query(partition) | {"Select": "COUNT"}))


def _rooms_in(partition: Partition) -> set[str]:
    """Return the rooms of a partition: one read per room, not one per subscription."""
    rooms: set[str] = set()
    cursor: str | None = None
    while True:
        found = page(partition, cursor, limit=1)
        cursor = found.cursor
        if found.subscriptions:
            room = found.subscriptions[0].member.partition("#")[0]
            rooms.add(room)
            # "$" follows "#", so this cursor is after every subscription to the room.
            cursor = f"{room}$"
        elif cursor is None:
            return rooms


def _rows(request: "QueryInputTypeDef") -> Iterator[dict[str, Any]]:
    for found in aws.query(request):
        yield from found["Items"]


def _query(
    partition: Partition, which: str = "expires_at > :now", **values: Any
) -> "QueryInputTypeDef":
    """Query a partition, filtered by time: DynamoDB may delete expired rows days later."""
    condition, names = "#partition = :partition", {"#partition": "partition"}
    values |= {"partition": partition.key, "now": int(time.time())}
    if partition.prefix:
        condition += " AND begins_with(#member, :prefix)"
        names |= _MEMBER
        values |= {"prefix": partition.prefix}
    return {
        "TableName": config.current().connections_table,
        "ConsistentRead": True,
        "KeyConditionExpression": condition,
        "FilterExpression": which,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": aws.to_item({f":{k}": v for k, v in values.items()}),
    }
