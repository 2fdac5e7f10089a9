"""Open connections: add one, let it into a room, extend it, forget it."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from vitrina import aws, channels, settings
from vitrina.channels import ClientType
from vitrina.errors import Conflict, Forbidden, Unavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    # Only a type here: `disconnect` and `greet` need no tokens, nor the time to import PyJWT.
    from vitrina.auth import Identity

# API Gateway closes every WebSocket after two hours; the limit is fixed.
LONGEST_CONNECTION_SECONDS = 2 * 60 * 60
# A management API that does not know a connection this young may just not know it yet: the
# handshake ends only after the $connect function has answered.
HANDSHAKE_SECONDS = 10
PARALLEL_WRITES = 24
# How often a connection is read again when another of its messages changed it meanwhile.
READINGS = 5
IDS_IN_THE_LOG = 10


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
    account_id: int
    rooms: frozenset[str]
    connected_at: int
    expires_at: int
    shards: int
    """Of its type when it connected; for its life, so that its rows are always found again."""
    room_shards: int

    @property
    def member(self) -> Member:
        """Its place among all of its type."""
        return self._member(self.client_type, self.identity, self.shards)

    @property
    def members(self) -> list[Member]:
        """All its places: its type's, and its rooms'."""
        return [self.member, *(self.member_of(room) for room in sorted(self.rooms))]

    def member_of(self, room: str) -> Member:
        """Return its place in a room, whether it is there or not."""
        return self._member("room", room, self.room_shards)

    def _member(self, scope: str, name: str, shards: int) -> Member:
        place = channels.membership(scope, name, shards)
        return Member(place.key, place.prefix + self.connection_id)

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= time.time()

    @property
    def channels(self) -> list[str]:
        """Everyone of its type, its identity, and its rooms."""
        rooms = (f"room:{room}" for room in sorted(self.rooms))
        return [self.client_type, f"{self.client_type}:{self.identity}", *rooms]

    def is_of(self, identity: "Identity") -> bool:
        mine = (self.client_type, self.identity, self.account_id)
        return mine == (identity.client_type, identity.name, identity.account_id)


def add(connection_id: str, identity: "Identity") -> None:
    """Remember an open connection: two rows, both or neither.

    It lives until its token ends, or for the two hours that API Gateway allows.
    """
    now = int(time.time())
    row = Row(
        connection_id=connection_id,
        client_type=identity.client_type,
        identity=identity.name,
        account_id=identity.account_id,
        rooms=frozenset(),
        connected_at=now,
        expires_at=min(identity.expires_at, now + LONGEST_CONNECTION_SECONDS),
        shards=channels.shards(identity.client_type)[0],
        room_shards=channels.shards("room")[0],
    )
    connection = {
        **_connection_key(connection_id),
        "client_type": row.client_type,
        "identity": row.identity,
        "shop_id": identity.shop_id,
        "shards": row.shards,
        "room_shards": row.room_shards,
        **_common(row),
    }
    _transact([_put_member(row, row.member), {"Put": _in_table(Item=aws.to_item(connection))}])


def find(connection_id: str) -> Row | None:
    """Return a stored connection, which may have expired."""
    found = aws.dynamodb().get_item(
        TableName=settings.current().connections_table,
        Key=aws.to_item(_connection_key(connection_id)),
        ConsistentRead=True,
    )
    return to_row(found["Item"]) if "Item" in found else None


def find_open(connection_id: str) -> Row:
    """Return a connection that has not expired; raises Forbidden `connection_expired`."""
    row = find(connection_id)
    if row is None or row.has_expired:
        raise _expired()
    return row


def join(connection_id: str, room: str) -> None:
    """Let a connection into a room; one that is there already stays.

    Raises Conflict `too_many_rooms`, Forbidden `connection_expired` or Unavailable `busy`.
    """
    most = settings.current().rooms_per_connection
    for attempt in range(1, READINGS + 1):
        row = find_open(connection_id)
        if room in row.rooms:
            return
        if len(row.rooms) >= most:
            raise Conflict("too_many_rooms", f"A connection may be in {most} rooms at a time.")
        member = _put_member(row, row.member_of(room))
        if _change(row, "ADD rooms :room", {":room": {room}}, [member]):
            return
        aws.pause_before_another_try(attempt)
    raise _busy()


def leave(connection_id: str, room: str) -> None:
    """Let a connection out of a room; out of one where it is not, there is no need.

    Raises Forbidden `connection_expired` or Unavailable `busy`.
    """
    for attempt in range(1, READINGS + 1):
        row = find_open(connection_id)
        if room not in row.rooms:
            return
        key = aws.to_item(row.member_of(room)._asdict())
        member: TransactWriteItemTypeDef = {"Delete": _in_table(Key=key)}
        if _change(row, "DELETE rooms :room", {":room": {room}}, [member]):
            return
        aws.pause_before_another_try(attempt)
    raise _busy()


def extend(connection_id: str, identity: "Identity") -> int:
    """Let a connection live as long as another token of its identity; return until when.

    Also one that has expired and is not closed yet. Raises Forbidden `connection_expired` or
    `identity_mismatch`, or Unavailable `busy`.
    """
    for attempt in range(1, READINGS + 1):
        row = find(connection_id)
        if row is None:
            raise _expired()
        if not row.is_of(identity):
            raise Forbidden("identity_mismatch", "The token is somebody else's; connect with it.")
        latest = row.connected_at + LONGEST_CONNECTION_SECONDS
        extended = row._replace(expires_at=min(identity.expires_at, latest))
        if _move_end(row, extended):
            return extended.expires_at
        aws.pause_before_another_try(attempt)
    raise _busy()


def expire(connection_id: str) -> None:
    """Let a connection get nothing from now on; one already forgotten gets nothing anyhow.

    Raises Unavailable `busy`.
    """
    for attempt in range(1, READINGS + 1):
        row = find(connection_id)
        if row is None or row.has_expired:
            return
        if _move_end(row, row._replace(expires_at=int(time.time()))):
            return
        aws.pause_before_another_try(attempt)
    raise _busy()


def forget(connection_id: str) -> None:
    """Remove every row of a connection; of one already forgotten there is nothing to remove."""
    row = find(connection_id)
    if row is not None:
        _remove(row)


def some_ids(members: Iterable[Member]) -> list[str]:
    """Return the ids of the first ten, for a line of the log that says how many there are.

    An event reaches a hundred thousand: never all of them, and never a line for each.
    """
    return [member.connection_id for member in islice(members, IDS_IN_THE_LOG)]


def forget_gone(members: Iterable[Member]) -> list[Member]:
    """Remove connections that the management API answered 410 for.

    Those whose handshake may still be going on are left alone, and returned: what was posted
    to them is to be posted again.
    """
    members = list(members)
    with ThreadPoolExecutor(PARALLEL_WRITES) as pool:
        forgotten = pool.map(_forget_gone, members)
        return [member for member, is_done in zip(members, forgotten, strict=True) if not is_done]


def _forget_gone(gone: Member) -> bool:
    row = find(gone.connection_id)
    if row is None:
        _delete(gone._asdict())
    elif row.connected_at <= time.time() - HANDSHAKE_SECONDS:
        _remove(row)
    else:
        return False
    return True


def to_row(item: dict[str, Any]) -> Row:
    """Read a connection's row in DynamoDB's format, as the table and its stream give it.

    One that says nothing of shards was written before they could change, with the first number.
    """
    row = aws.from_item(item)
    client_type = ClientType(row["client_type"])
    return Row(
        connection_id=row["partition"].partition("#")[2],
        client_type=client_type,
        identity=row["identity"],
        account_id=int(row["account_id"]),
        rooms=frozenset(row.get("rooms", ())),
        connected_at=int(row["connected_at"]),
        expires_at=int(row["expires_at"]),
        shards=int(row.get("shards") or channels.shards(client_type)[0]),
        room_shards=int(row.get("room_shards") or channels.shards("room")[0]),
    )


def _move_end(old: Row, new: Row) -> bool:
    """Write another end into all rows of a connection, if it is as it was read."""
    members = [_put_member(new, member) for member in new.members]
    return _change(old, "SET expires_at = :end", {":end": new.expires_at}, members)


def _change(
    row: Row,
    update: str,
    values: dict[str, Any],
    members: "list[TransactWriteItemTypeDef]",
) -> bool:
    """Write a connection's row and others of its rows, if it still is as it was read."""
    condition = "expires_at = :seen AND "
    condition += "rooms = :rooms" if row.rooms else "attribute_not_exists(rooms)"
    values = values | {":seen": row.expires_at, ":rooms": set(row.rooms) or None}
    write: TransactWriteItemTypeDef = {
        "Update": _in_table(
            Key=aws.to_item(_connection_key(row.connection_id)),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=aws.to_item(values),
        )
    }
    try:
        _transact([write, *members])
    except aws.dynamodb().exceptions.TransactionCanceledException as canceled:
        aws.passing_reasons(canceled)
        return False
    return True


def _transact(writes: "list[TransactWriteItemTypeDef]") -> None:
    aws.dynamodb().transact_write_items(TransactItems=writes)


def _in_table(**write: Any) -> Any:
    return {"TableName": settings.current().connections_table, **write}


def _put_member(row: Row, member: Member) -> "TransactWriteItemTypeDef":
    return {"Put": _in_table(Item=aws.to_item({**member._asdict(), **_common(row)}))}


def _common(row: Row) -> dict[str, int]:
    """Return what every row of a connection says of it."""
    return {
        "account_id": row.account_id,
        "connected_at": row.connected_at,
        "expires_at": row.expires_at,
    }


def _connection_key(connection_id: str) -> dict[str, str]:
    return {"partition": f"connection#{connection_id}", "member": "connection"}


def _remove(row: Row) -> None:
    """Delete all rows; the connection's own comes last, as it leads to the others.

    What a message of the same moment wrote behind our back, the own row knows when it goes.
    """
    for member in row.members:
        _delete(member._asdict())
    last = _delete(_connection_key(row.connection_id))
    if last and (written := to_row(last)) != row:
        for member in written.members:
            _delete(member._asdict())


def _delete(key: dict[str, str]) -> dict[str, Any]:
    """Delete a row; return what it was."""
    deleted = aws.dynamodb().delete_item(
        TableName=settings.current().connections_table,
        Key=aws.to_item(key),
        ReturnValues="ALL_OLD",
    )
    return deleted.get("Attributes", {})


def _expired() -> Forbidden:
    return Forbidden("connection_expired", "This connection has ended; connect again.")


def _busy() -> Unavailable:
    return Unavailable("busy", "Too much of this connection is changing; try again.")
