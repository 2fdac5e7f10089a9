"""Open connections: add, find, join and leave rooms, extend, expire, forget."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from vitrina import aws, config, partitions, sessions
from vitrina.channels import ROOM_RULE, ClientType, may_join
from vitrina.errors import Conflict, Forbidden, Unavailable
from vitrina.partitions import Subscription
from vitrina.session_rows import NO_ERAS, Eras

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    # Only a type here: `disconnect` and `greet` need no PyJWT, which is slow to import.
    from vitrina.auth import Identity

# API Gateway closes every WebSocket after two hours; this limit is fixed.
MAX_CONNECTION_SECONDS = 2 * 60 * 60
# A handshake ends after the $connect function has answered, which takes at most ten seconds. The
# rest allows for rounding and for clock skew. Until then the management API answers 410.
MAX_HANDSHAKE_SECONDS = 12
# A connection is read again if another message has changed it. A client may join all its rooms at
# once.
MAX_ATTEMPTS = 12
# The clocks of functions differ by less than this.
MAX_CLOCK_SKEW_SECONDS = 60


class Connection(NamedTuple):
    connection_id: str
    client_type: ClientType
    identity: str
    account_id: int
    rooms: frozenset[str]
    connected_at: int
    expires_at: int
    shards: int
    """The number of shards of its type when it connected: its rows are found by this number."""
    room_shards: int
    session_id: str | None = None
    """Of the token that opened it; only tokens of the same session extend it. None for another
    issuer's tokens."""
    eras: Eras = NO_ERAS
    """Of the token that opened it."""
    has_ended: bool = False
    """Whether it was ended, which is final."""
    takes_batches: bool = False
    """Whether it may be sent several events in one frame; the client decides when it connects."""
    positions: str | None = None
    """How far the client had read its channels when it connected, as text for `positions.read`."""

    @property
    def subscription(self) -> Subscription:
        """The row for everyone of its type, and for its identity."""
        return self._subscription(self.client_type, self.identity, self.shards)

    @property
    def subscriptions(self) -> list[Subscription]:
        return [self.subscription, *map(self.subscription_to, sorted(self.rooms))]

    def subscription_to(self, room: str) -> Subscription:
        """Return the row for a room, whether the connection has joined it or not."""
        return self._subscription("room", room, self.room_shards)

    def _subscription(self, scope: str, name: str, shards: int) -> Subscription:
        partition = partitions.partition_of(scope, name, shards)
        return Subscription(partition.key, partition.prefix + self.connection_id)

    @property
    def is_over(self) -> bool:
        """Whether it was ended, or everyone's sessions were; no token can extend it."""
        return self.has_ended or self.eras.everyone < sessions.everyone_era()

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= time.time() or self.is_over

    @property
    def own_channel(self) -> str:
        """The channel of its identity, such as `user:42`."""
        return f"{self.client_type}:{self.identity}"

    @property
    def channels(self) -> list[str]:
        """Everyone of its type, its identity, and its rooms."""
        rooms = (f"room:{room}" for room in sorted(self.rooms))
        return [self.client_type, self.own_channel, *rooms]

    def is_of(self, identity: "Identity") -> bool:
        own = (self.client_type, self.identity, self.account_id, self.session_id, self.eras)
        others = (identity.client_type, identity.name, identity.account_id, identity.session_id)
        return own == (*others, eras_of(identity))


def eras_of(identity: "Identity") -> Eras:
    """Return the eras of a token; another issuer's tokens have everyone's current era."""
    if config.current().token_jwks_url:
        return Eras(account=0, everyone=sessions.everyone_era())
    return identity.eras


def add(
    connection_id: str,
    identity: "Identity",
    takes_batches: bool = False,
    positions: str | None = None,
) -> Connection:
    """Store an open connection: its subscription, and then its own row.

    The insertion of its own row invokes `greet`. If the process ends between the two writes, the
    next post deletes the subscription, or it expires. The connection expires with its token, or
    after the two hours that API Gateway allows.
    """
    now = int(time.time())
    connection = Connection(
        connection_id=connection_id,
        client_type=identity.client_type,
        identity=identity.name,
        account_id=identity.account_id,
        rooms=frozenset(),
        connected_at=now,
        expires_at=min(identity.expires_at, now + MAX_CONNECTION_SECONDS),
        shards=partitions.shard_counts(identity.client_type)[0],
        room_shards=partitions.shard_counts("room")[0],
        session_id=identity.session_id,
        eras=eras_of(identity),
        takes_batches=takes_batches,
        positions=positions,
    )
    row = {
        **key(connection_id),
        "client_type": connection.client_type,
        "identity": connection.identity,
        "shards": connection.shards,
        "room_shards": connection.room_shards,
        "positions": connection.positions,
        **_common_attributes(connection),
    }
    aws.dynamodb().put_item(**_subscribe(connection, connection.subscription)["Put"])
    aws.dynamodb().put_item(**_in_table(Item=row))
    return connection


def find(connection_id: str, *, is_consistent: bool = True) -> Connection | None:
    """Return a stored connection; it may have expired or closed."""
    table = config.current().connections_table
    row = aws.get(table, key(connection_id), is_consistent=is_consistent)
    return from_row(row) if row else None


def find_all(connection_ids: Iterable[str]) -> list[Connection]:
    """Return the connections that are stored and have not expired, strongly consistent."""
    keys = [key(connection_id) for connection_id in dict.fromkeys(connection_ids)]
    found = map(from_item, aws.batch_get(config.current().connections_table, keys))
    return [connection for connection in found if not connection.has_expired]


def require_open(connection: Connection | None) -> Connection:
    """Return a connection that is stored and has not expired.

    Raises Forbidden `connection_expired`.
    """
    if connection is None or connection.has_expired:
        raise expired()
    return connection


def join(connection: Connection, room: str) -> None:
    """Subscribe a connection to a room, unless it is subscribed already.

    Raises Conflict `too_many_rooms`, Forbidden `connection_expired` or `room_forbidden`, or
    Unavailable `busy`.
    """
    limit = config.current().rooms_per_connection
    for found in _readings(connection):
        if room in found.rooms:
            return
        if not may_join(room, found.client_type, found.identity):
            raise Forbidden("room_forbidden", ROOM_RULE)
        if len(found.rooms) >= limit:
            raise Conflict("too_many_rooms", f"A connection may be in {limit} rooms at a time.")
        changed = found._replace(rooms=found.rooms | {room})
        subscribe = _subscribe(changed, changed.subscription_to(room))
        if _change(found, changed, "ADD rooms :room", {":room": {room}}, [subscribe]):
            return


def leave(connection: Connection, room: str) -> None:
    """Unsubscribe a connection from a room, if it is subscribed.

    Raises Forbidden `connection_expired` or Unavailable `busy`.
    """
    for found in _readings(connection):
        if room not in found.rooms:
            return
        changed = found._replace(rooms=found.rooms - {room})
        key = found.subscription_to(room)._asdict()
        unsubscribe: TransactWriteItemTypeDef = {"Delete": _in_table(Key=key)}
        if _change(found, changed, "DELETE rooms :room", {":room": {room}}, [unsubscribe]):
            return


def extend(connection: Connection, identity: "Identity") -> int:
    """Move the end of a connection to that of another token of its session; return it.

    A connection that has expired and is not closed yet is extended too. Raises Forbidden
    `connection_expired` or `identity_mismatch`, or Unavailable `busy`.
    """
    if not connection.is_of(identity):
        raise Forbidden("identity_mismatch", "The token is of another session; connect again.")
    expires_at = min(identity.expires_at, connection.connected_at + MAX_CONNECTION_SECONDS)
    for found in _readings(connection, may_have_expired=True):
        moved = found._replace(expires_at=expires_at)
        if found == moved or _write_end(found, moved):
            break
    return expires_at


def expire(connection_id: str) -> None:
    """End a connection for good, if it is stored: no event is posted to it any more.

    Raises Unavailable `busy`.
    """
    for _ in aws.attempts(MAX_ATTEMPTS):
        connection = find(connection_id)
        if connection is None or connection.has_ended:
            return
        ended = connection._replace(
            has_ended=True, expires_at=int(time.time()) - MAX_CLOCK_SKEW_SECONDS
        )
        try:
            if _write_end(connection, ended):
                return
        except Forbidden:
            return
    raise Unavailable("busy", "This connection is changing too fast; try again.")


def unsubscribe(connection_id: str) -> None:
    """Remove the subscriptions of a connection that has closed, if there are any.

    Events, counts and limits read subscriptions only. The connection's own row expires: a deletion
    costs a write, and expiry is free. A concurrent message changes no row once the first
    subscription is deleted, so the list of rooms is complete then. If the process ends in between,
    the next post deletes the rows that are left, or they expire.
    """
    # The row was written before the connection opened, and the attributes used here never change.
    connection = find(connection_id, is_consistent=False) or find(connection_id)
    if connection and _delete(connection.subscription._asdict()).get("has_rooms"):
        forget(connection_id)


def forget(connection_id: str) -> None:
    """Remove every row of a connection, if there is any.

    Its own row is deleted first: it lists the others, and without it a concurrent message adds no
    rows. If the process ends in between, the next post deletes the rows that are left, or they
    expire.
    """
    if deleted := _delete(key(connection_id)):
        for subscription in from_item(deleted).subscriptions:
            _delete(subscription._asdict())


def forget_gone(gone: Iterable[Subscription], asked_at: float) -> list[Subscription]:
    """Delete connections for which the management API answered 410 after `asked_at` (`time.time`).

    Returns those whose handshake may not have ended: they are kept, and their posts must be sent
    again.
    """
    gone = list(gone)
    forgotten = aws.in_parallel(lambda each: _forget_gone(each, asked_at), gone)
    return [found for found, is_done in zip(gone, forgotten, strict=True) if not is_done]


def _forget_gone(gone: Subscription, asked_at: float) -> bool:
    moment = int(asked_at - MAX_HANDSHAKE_SECONDS)
    connection = find(gone.connection_id)
    if connection is None:
        return _delete_alone(gone, moment)
    if connection.connected_at > moment:
        return False
    forget(connection.connection_id)
    return True


def _delete_alone(subscription: Subscription, moment: int) -> bool:
    """Delete a subscription without a connection's own row, unless it is newer than a moment.

    `connect` may be about to write that row.
    """
    return aws.is_written(
        aws.dynamodb().delete_item,
        **_in_table(Key=subscription._asdict()),
        ConditionExpression="attribute_not_exists(connected_at) OR connected_at <= :moment",
        ExpressionAttributeValues=aws.to_item({":moment": moment}),
    )


def from_item(item: dict[str, Any]) -> Connection:
    """Read a connection's own row in DynamoDB's format, from the table or its stream.

    A row without numbers of shards is older than these attributes, and uses the first numbers.
    """
    return from_row(aws.from_item(item))


def from_row(row: Mapping[str, Any]) -> Connection:
    """Read a connection's own row in plain Python."""
    client_type = ClientType(row["client_type"])
    return Connection(
        connection_id=row["partition"].partition("#")[2],
        client_type=client_type,
        identity=row["identity"],
        account_id=int(row["account_id"]),
        rooms=frozenset(row.get("rooms", ())),
        connected_at=int(row["connected_at"]),
        expires_at=int(row["expires_at"]),
        shards=int(row.get("shards") or partitions.shard_counts(client_type)[0]),
        room_shards=int(row.get("room_shards") or partitions.shard_counts("room")[0]),
        session_id=row.get("session"),
        eras=Eras(int(row.get("era", 0)), int(row.get("everyone", 0))),
        has_ended=row.get("ended", False),
        takes_batches=row.get("batch", False),
        positions=row.get("positions"),
    )


def _readings(connection: Connection, *, may_have_expired: bool = False) -> Iterator[Connection]:
    """Yield a connection, and read it again before each further attempt to change it.

    Raises Forbidden `connection_expired` when it is over, and Unavailable `busy` after the last
    attempt.
    """
    for attempt in aws.attempts(MAX_ATTEMPTS):
        if attempt > 1:
            found = find(connection.connection_id)
            if found is None or found.is_over or (found.has_expired and not may_have_expired):
                raise expired()
            connection = found
        yield connection
    raise Unavailable("busy", "This connection is changing too fast; try again.")


def _write_end(connection: Connection, ended: Connection) -> bool:
    """Write another end into all rows of a connection, if it is as it was read."""
    rooms = [_subscribe(ended, ended.subscription_to(room)) for room in sorted(ended.rooms)]
    update, values = "SET expires_at = :end", {":end": ended.expires_at}
    if ended.has_ended:
        update, values = f"{update}, ended = :yes", {**values, ":yes": True}
    return _change(connection, ended, update, values, rooms)


def _change(
    connection: Connection,
    changed: Connection,
    update: str,
    values: dict[str, Any],
    rooms: "list[TransactWriteItemTypeDef]",
) -> bool:
    """Update a connection's own row and write its others, if it is as it was read.

    Raises Forbidden `connection_expired` if it has no subscription: then it has closed.
    """
    condition = "expires_at = :seen AND attribute_not_exists(ended) AND "
    condition += "rooms = :rooms" if connection.rooms else "attribute_not_exists(rooms)"
    values |= {":seen": connection.expires_at, ":rooms": set(connection.rooms) or None}
    own: TransactWriteItemTypeDef = {
        "Update": _in_table(
            Key=key(connection.connection_id),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=aws.to_item(values),
        )
    }
    first = _subscribe(changed, changed.subscription)
    first["Put"]["ConditionExpression"] = "attribute_exists(connected_at)"
    try:
        aws.dynamodb().transact_write_items(TransactItems=[own, first, *rooms])
    except aws.dynamodb().exceptions.TransactionCanceledException as canceled:
        reasons = aws.transient_reasons(canceled)
        if reasons[1] == "ConditionalCheckFailed":
            raise expired() from None
        return False
    return True


def _in_table(**write: Any) -> Any:
    """Complete a write; `Item` or `Key` is given in plain Python."""
    for name in write.keys() & {"Item", "Key"}:
        write[name] = aws.to_item(write[name])
    return {"TableName": config.current().connections_table, **write}


def _subscribe(connection: Connection, subscription: Subscription) -> "TransactWriteItemTypeDef":
    """Return the write of a subscription's row."""
    row = {**subscription._asdict(), **_common_attributes(connection)}
    if subscription == connection.subscription:
        row["has_rooms"] = bool(connection.rooms) or None
    return {"Put": _in_table(Item=row)}


def _common_attributes(connection: Connection) -> dict[str, int | str | None]:
    """Return the attributes that every row of a connection has."""
    return {
        "account_id": connection.account_id,
        "connected_at": connection.connected_at,
        "expires_at": connection.expires_at,
        "session": connection.session_id,
        "era": connection.eras.account,
        "everyone": connection.eras.everyone,
        "ended": connection.has_ended or None,
        "batch": connection.takes_batches or None,
    }


def key(connection_id: str) -> dict[str, str]:
    """Return the key of a connection's own row."""
    return {"partition": f"connection#{connection_id}", "member": "connection"}


def _delete(key: dict[str, str]) -> dict[str, Any]:
    """Delete a row; return what it was."""
    deleted = aws.dynamodb().delete_item(**_in_table(Key=key), ReturnValues="ALL_OLD")
    return deleted.get("Attributes", {})


def expired() -> Forbidden:
    return Forbidden("connection_expired", "This connection has ended; connect again.")
