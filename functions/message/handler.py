"""$default: messages of clients. `ping` comes here only where API Gateway does not answer it."""

import time
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import (
    connections,
    history,
    message_budget,
    messages,
    metrics,
    recovery,
    rooms,
    sample,
    sender,
    websocket_api,
)
from vitrina.connections import Connection
from vitrina.errors import Forbidden, Problem, Unavailable
from vitrina.events import (
    Authenticated,
    Extension,
    Joined,
    Left,
    Pong,
    Position,
    RoomJoined,
    RoomLeft,
)
from vitrina.messages import Auth, Join, Leave, Ping, Resume
from vitrina.sender import Post

logger = Logger()

# For 500 frames, posted one after another. The function times out after 29 s.
RECOVERY_SECONDS = 25
# Between two reads of the connection, which may end during a recovery.
FRAMES_PER_LOOK = 10
SECONDS_PER_LOOK = 2


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Do what a message requests, or answer with `error`; the connection stays open."""
    logger.append_keys(**websocket_api.ids(event))
    try:
        frame = websocket_api.message(event)
        connection = message_budget.take(frame.connection_id)
        return _answer(connection, messages.parse(frame.body))
    except Problem as problem:
        logger.info("refused", code=problem.code)
        return websocket_api.refuse_message(problem)


def _answer(connection: Connection, message: Ping | Resume | Join | Leave | Auth) -> dict[str, Any]:
    match message:
        case Ping():
            return websocket_api.reply(Pong())
        case Auth(token=token):
            return _extend(connection, token)
    connections.require_open(connection)
    match message:
        case Resume(positions=positions):
            return _resume(connection, positions)
        case Join(room=room):
            return _join(connection, room)
        case Leave(room=room):
            return _leave(connection, room)


def _resume(connection: Connection, positions: dict[str, Position]) -> dict[str, Any]:
    if not positions.keys() <= set(connection.channels):
        sentence = f"The channels of this connection are {', '.join(connection.channels)}."
        raise Forbidden("channel_forbidden", sentence)
    heads = history.positions(positions)
    limit = recovery.limit_for(connection)
    missed = recovery.count_missed(positions, heads, limit)
    with message_budget.recovery(connection, missed) as permit:
        limit = limit if permit.is_granted else 0
        found = recovery.recover(connection, positions, heads, limit)
        events, is_complete = len(found.events), found.is_complete
        if sample.has(connection.connection_id) or not is_complete:
            logger.info("resumed", recovered=is_complete, events=events, channels=[*positions])
        metrics.emit(Recovered=is_complete, NotRecovered=not is_complete)
        *posted, last = recovery.frames_for(connection, found.bodies)
        permit.posts = len(posted)
        _post(connection, tuple(posted))
    # After the others, as API Gateway sends an answer when the function returns.
    return websocket_api.reply_with(last)


def _post(connection: Connection, frames: tuple[bytes, ...]) -> None:
    """Post frames in order, and stop when the connection has ended.

    Raises Forbidden `connection_expired`, or Unavailable `recovery_interrupted`.
    """
    deadline = time.monotonic() + RECOVERY_SECONDS
    for first in range(0, len(frames), FRAMES_PER_LOOK):
        if first:
            connections.require_open(connections.find(connection.connection_id))
        left = deadline - time.monotonic()
        delivery = sender.post(
            [Post(connection.subscription, frames[first : first + FRAMES_PER_LOOK])],
            budget_seconds=min(left, SECONDS_PER_LOOK),
        )
        if delivery.unreached:
            raise Unavailable("recovery_interrupted", "Not everything was sent; resume again.")


def _join(connection: Connection, room: str) -> dict[str, Any]:
    channel = f"room:{room}"
    position = rooms.join(connection, room)
    _log(connection, "joined", channel=channel)
    joined = RoomJoined(room=room, channel=channel, position=position)
    return websocket_api.reply(Joined(data=joined))


def _leave(connection: Connection, room: str) -> dict[str, Any]:
    rooms.leave(connection, room)
    _log(connection, "left", channel=f"room:{room}")
    return websocket_api.reply(Left(data=RoomLeft(room=room)))


def _extend(connection: Connection, token: str) -> dict[str, Any]:
    # Imported here: most messages need no PyJWT, which is slow to import.
    from vitrina import admission, auth

    end = admission.extend(connection, auth.verify(token))
    _log(connection, "extended", expires_at=end)
    extension = Extension(expires_at=datetime.fromtimestamp(end, UTC))
    return websocket_api.reply(Authenticated(data=extension))


def _log(connection: Connection, message: str, **fields: Any) -> None:
    if sample.has(connection.connection_id):
        logger.info(message, **fields)
