"""Open connections: add one, forget it, page through a channel, count them."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from vitrina import aws, channels, settings
from vitrina.channels import ClientType, Partition

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef

    # Only a type here: `disconnect` and `greet` need no tokens, nor the time to import PyJWT.
    from vitrina.auth import Identity

# API Gateway closes every WebSocket after two hours; the limit is fixed.
LONGEST_CONNECTION_SECONDS = 2 * 60 * 60
# A management API that does not know a connection this young may just not know it yet: the
# handshake ends only after the $connect function has answered.
HANDSHAKE_SECONDS = 10
PAGE_SIZE = 1000
COUNT_KEPT_SECONDS = 2
PARALLEL_QUERIES = 16
# A word reserved in DynamoDB's expressions, as is "partition".
MEMBER = {"#member": "member"}


class Member(NamedTuple):
    """One row of a partition: a connection that belongs to a channel."""

    partition: str
    member: str

    @property
    def connection_id(self) -> str:
        return self.member.rpartition("#")[2]


class Row(NamedTuple):
    """The connection itself."""

    connection_id: str
    client_type: ClientType
    identity: str
    connected_at: int
    expires_at: int

    @property
    def member(self) -> Member:
        place = channels.membership(self.client_type, self.identity)
        return Member(place.key, place.prefix + self.connection_id)


def add(connection_id: str, identity: "Identity") -> None:
    """Remember an open connection: two rows, both or neither.

    It lives until its token ends, or for the two hours that API Gateway allows.
    """
    now = int(time.time())
    lifetime = {
        "connected_at": now,
        "expires_at": min(identity.expires_at, now + LONGEST_CONNECTION_SECONDS),
    }
    place = channels.membership(identity.client_type, identity.name)
    membership = {"partition": place.key, "member": place.prefix + connection_id, **lifetime}
    connection = {
        **_connection_key(connection_id),
        "client_type": identity.client_type,
        "identity": identity.name,
        "shop_id": identity.shop_id,
        **lifetime,
    }
    table = settings.current().connections_table
    aws.dynamodb().transact_write_items(
        TransactItems=[
            {"Put": {"TableName": table, "Item": aws.to_item(row)}}
            for row in (membership, connection)
        ]
    )


def forget(connection_id: str) -> None:
    """Remove every row of a connection; of one already forgotten there is nothing to remove."""
    row = _find(connection_id)
    if row is not None:
        _delete(_keys(row))


def forget_gone(members: Iterable[Member]) -> None:
    """Remove connections that the management API answered 410 for.

    Those whose handshake may still be going on are left alone.
    """
    with ThreadPoolExecutor(PARALLEL_QUERIES) as pool:
        list(pool.map(_forget_gone, members))


def _forget_gone(gone: Member) -> None:
    row = _find(gone.connection_id)
    if row is None:
        _delete([gone._asdict()])
    elif row.connected_at <= time.time() - HANDSHAKE_SECONDS:
        _delete(_keys(row))


def pages(channel: str) -> Iterator[list[Member]]:
    """Yield the connections of a channel that have not expired, a page at a time.

    The first page of every partition is read at once, as most have no second. A connection
    stored before the call is in a page; reads are strongly consistent.
    """
    partitions = channels.partitions(channel)
    with ThreadPoolExecutor(PARALLEL_QUERIES) as pool:
        first_pages = pool.map(lambda partition: _page(partition, None, PAGE_SIZE), partitions)
        for partition, page in zip(partitions, first_pages, strict=True):
            yield page.members
            while page.cursor:
                page = _page(partition, page.cursor, PAGE_SIZE)  # noqa: PLW2901 - the next page
                yield page.members


class _Page(NamedTuple):
    members: list[Member]
    cursor: str | None
    """Where the next page begins, if there may be one."""


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
        rooms = pool.map(_count_rooms, channels.partitions("room"))
        return Counts(
            by_type={
                client_type: sum(part.result() for part in parts)
                for client_type, parts in counting.items()
            },
            rooms=sum(rooms),
        )


def _page(partition: Partition, cursor: str | None, limit: int) -> _Page:
    query = _query(partition) | {"ProjectionExpression": "#member", "Limit": limit}
    query["ExpressionAttributeNames"] = {**query["ExpressionAttributeNames"], **MEMBER}
    if cursor:
        query["ExclusiveStartKey"] = {"partition": {"S": partition.key}, "member": {"S": cursor}}
    page = aws.dynamodb().query(**query)
    members = [Member(partition.key, row["member"]["S"]) for row in page["Items"]]
    last = page.get("LastEvaluatedKey")
    return _Page(members, last["member"]["S"] if last else None)


def _count_members(partition: Partition) -> int:
    query = _query(partition) | {"Select": "COUNT"}
    counted = 0
    while True:
        page = aws.dynamodb().query(**query)
        counted += page["Count"]
        if "LastEvaluatedKey" not in page:
            return counted
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _count_rooms(partition: Partition) -> int:
    """Count distinct rooms by skipping from one to the next: a read per room, not per member."""
    rooms = 0
    cursor: str | None = None
    while True:
        page = _page(partition, cursor, limit=1)
        cursor = page.cursor
        if page.members:
            rooms += 1
            room = page.members[0].member.partition("#")[0]
            # "$" follows "#": no member of this room sorts behind it.
            cursor = f"{room}$"
        elif cursor is None:
            return rooms


def _query(partition: Partition) -> "QueryInputTypeDef":
    """Query a partition for what has not expired: DynamoDB's own removal can be days late."""
    condition, names = "#partition = :partition", {"#partition": "partition"}
    values = {":partition": {"S": partition.key}, ":now": {"N": str(int(time.time()))}}
    if partition.prefix:
        condition += " AND begins_with(#member, :prefix)"
        names |= MEMBER
        values[":prefix"] = {"S": partition.prefix}
    return {
        "TableName": settings.current().connections_table,
        "ConsistentRead": True,
        "KeyConditionExpression": condition,
        "FilterExpression": "expires_at > :now",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _find(connection_id: str) -> Row | None:
    found = aws.dynamodb().get_item(
        TableName=settings.current().connections_table,
        Key=aws.to_item(_connection_key(connection_id)),
        ConsistentRead=True,
    )
    return to_row(found["Item"]) if "Item" in found else None


def to_row(item: dict[str, Any]) -> Row:
    """Read a connection's row in DynamoDB's format, as the table and its stream give it."""
    row = aws.from_item(item)
    return Row(
        connection_id=row["partition"].partition("#")[2],
        client_type=ClientType(row["client_type"]),
        identity=row["identity"],
        connected_at=int(row["connected_at"]),
        expires_at=int(row["expires_at"]),
    )


def _keys(row: Row) -> list[dict[str, str]]:
    return [row.member._asdict(), _connection_key(row.connection_id)]


def _connection_key(connection_id: str) -> dict[str, str]:
    return {"partition": f"connection#{connection_id}", "member": "connection"}


def _delete(keys: Iterable[dict[str, str]]) -> None:
    """Delete rows in this order: the connection's own comes last, as it leads to the others."""
    for key in keys:
        aws.dynamodb().delete_item(
            TableName=settings.current().connections_table, Key=aws.to_item(key)
        )
