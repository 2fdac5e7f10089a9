"""Rooms that connections join, with the position at which each identity joined.

An identity may read the events of a room from that position on. The row belongs to the identity,
not to a connection, so that events between two connections can be recovered.
"""

from collections.abc import Iterable, Mapping

from vitrina import aws, clock, config, connections, history
from vitrina.channels import is_room
from vitrina.connections import MAX_CONNECTION_SECONDS, Connection
from vitrina.events import Position


def join(connection: Connection, room: str) -> Position:
    """Subscribe a connection to a room; return the room's position.

    Raises what `connections.join` raises. If the process ends in between, the connection gets the
    room's events and recovers none.
    """
    channel = f"room:{room}"
    connections.join(connection, room)
    # Read after the subscription is stored: later events are posted to this connection.
    position = history.keep(channel)
    _remember(connection, channel, position)
    return position


def leave(connection: Connection, room: str) -> None:
    """Unsubscribe a connection from a room, and end its identity's access to the room's past.

    Raises what `connections.leave` raises.
    """
    connections.leave(connection, room)
    forget(connection.own_channel, f"room:{room}")


def forget(identity: str, channel: str) -> None:
    """Delete the position at which an identity, such as `user:42`, joined a room."""
    key = aws.to_item(_key(identity, channel))
    aws.dynamodb().delete_item(TableName=config.current().connections_table, Key=key)


def joined(identity: str, channels: Iterable[str]) -> dict[str, Position]:
    """Return where an identity joined those of the channels that are rooms it is in."""
    keys = [_key(identity, channel) for channel in channels if is_room(channel)]
    rows = map(aws.from_item, aws.batch_get(config.current().connections_table, keys))
    return {row["member"]: Position(epoch=row["epoch"], seq=int(row["seq"])) for row in rows}


def joined_later(joined_at: Mapping[str, Position], positions: Mapping[str, Position]) -> set[str]:
    """Return the rooms whose past does not reach back to a position, by where they were joined."""
    return {
        channel
        for channel, since in positions.items()
        if is_room(channel) and not (channel in joined_at and _reaches(joined_at[channel], since))
    }


def _reaches(joined: Position, since: Position) -> bool:
    return joined.epoch == since.epoch and joined.seq <= since.seq


def _remember(connection: Connection, channel: str, position: Position) -> None:
    """Keep the first position of an identity in a room, or this one if the epoch is another."""
    key = _key(connection.own_channel, channel)
    row = {**dict(position), "expires_at": _end()}
    table = config.current().connections_table
    stored = aws.update(
        table,
        key,
        "SET epoch = if_not_exists(epoch, :epoch),"
        " seq = if_not_exists(seq, :seq), expires_at = :expires_at",
        {f":{name}": value for name, value in row.items()},
        returns_row=True,
    ).row
    if stored["epoch"] != position.epoch:
        aws.dynamodb().put_item(TableName=table, Item=aws.to_item(key | row))


def _end() -> int:
    """Return when a row expires: with the last event that this connection can receive.

    No code reads the expiry: a row that DynamoDB deletes late is still valid.
    """
    kept = MAX_CONNECTION_SECONDS + config.current().history_retention_seconds
    return clock.now_ms() // 1000 + kept


def _key(identity: str, channel: str) -> dict[str, str]:
    return {"partition": f"joined#{identity}", "member": channel}
