"""Open connections: add one, forget it, page through a channel, count them."""

import time
from collections.abc import Iterable, Iterator, Mapping
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
COUNT_KEPT_SECONDS = 2
PARALLEL_QUERIES = 24
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

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= time.time()

    @property
    def channels(self) -> list[str]:
        """Everyone of its type, and its identity."""
        return [self.client_type, f"{self.client_type}:{self.identity}"]


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


def find(connection_id: str) -> Row | None:
    """Return a stored connection, which may have expired."""
    found = aws.dynamodb().get_item(
        TableName=settings.current().connections_table,
        Key=aws.to_item(_connection_key(connection_id)),
        ConsistentRead=True,
    )
    return to_row(found["Item"]) if "Item" in found else None


def forget(connection_id: str) -> None:
    """Remove every row of a connection; of one already forgotten there is nothing to remove."""
    row = find(connection_id)
    if row is not None:
        _delete(_keys(row))


def forget_gone(members: Iterable[Member]) -> list[Member]:
    """Remove connections that the management API answered 410 for.

    Those whose handshake may still be going on are left alone, and returned: what was posted
    to them is to be posted again.
    """
    members = list(members)
    with ThreadPoolExecutor(PARALLEL_QUERIES) as pool:
        forgotten = pool.map(_forget_gone, members)
        return [member for member, is_done in zip(members, forgotten, strict=True) if not is_done]


def _forget_gone(gone: Member) -> bool:
    row = find(gone.connection_id)
    if row is None:
        _delete([gone._asdict()])
    elif row.connected_at <= time.time() - HANDSHAKE_SECONDS:
        _delete(_keys(row))
    else:
        return False
    return True


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


def _count_members(partition: Partition) -> int:
    query = _query(partition) | {"Select": "COUNT"}
    counted = 0
    while True:
        counting = aws.dynamodb().query(**query)
        counted += counting["Count"]
        if "LastEvaluatedKey" not in counting:
            return counted
        query["ExclusiveStartKey"] = counting["LastEvaluatedKey"]


def _count_rooms(partition: Partition) -> int:
    """Count distinct rooms by skipping from one to the next: a read per room, not per member."""
    rooms = 0
    cursor: str | None = None
    while True:
        found = page(partition, cursor, limit=1)
        cursor = found.cursor
        if found.members:
            rooms += 1
            room = found.members[0].member.partition("#")[0]
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
