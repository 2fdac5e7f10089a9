"""$default: messages of clients. `ping` comes here only where API Gateway does not answer it."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import connections, messages, recovery, rooms, sender, websocket_api
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

# For 500 events, posted one after another. The function times out after 29 s.
RECOVERY_SECONDS = 25


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Do what a message requests, or answer with `error`; the connection stays open."""
    logger.append_keys(**websocket_api.ids(event))
    try:
        frame = websocket_api.message(event)
        match messages.parse(frame.body):
            case Ping():
                return websocket_api.reply(Pong())
            case Resume(positions=positions):
                return _resume(frame.connection_id, positions)
            case Join(room=room):
                return _join(frame.connection_id, room)
            case Leave(room=room):
                return _leave(frame.connection_id, room)
            case Auth(token=token):
                return _extend(frame.connection_id, token)
    except Problem as problem:
        logger.info("refused", code=problem.code)
        return websocket_api.refuse_message(problem)


def _resume(connection_id: str, positions: dict[str, Position]) -> dict[str, Any]:
    connection = connections.find_open(connection_id)
    if not positions.keys() <= set(connection.channels):
        sentence = f"The channels of this connection are {', '.join(connection.channels)}."
        raise Forbidden("channel_forbidden", sentence)
    frames, recovered = recovery.recover(positions, connection)
    if frames:
        delivery = sender.post(
            [Post(connection.subscription, frames)], budget_seconds=RECOVERY_SECONDS
        )
        if delivery.unreached:
            raise Unavailable("recovery_interrupted", "Not everything was sent; resume again.")
    # After the events, as API Gateway sends an answer when the function returns.
    return websocket_api.reply(recovered)


def _join(connection_id: str, room: str) -> dict[str, Any]:
    channel = f"room:{room}"
    position = rooms.join(connection_id, room)
    logger.info("joined", channel=channel)
    joined = RoomJoined(room=room, channel=channel, position=position)
    return websocket_api.reply(Joined(data=joined))


def _leave(connection_id: str, room: str) -> dict[str, Any]:
    rooms.leave(connection_id, room)
    logger.info("left", channel=f"room:{room}")
    return websocket_api.reply(Left(data=RoomLeft(room=room)))


def _extend(connection_id: str, token: str) -> dict[str, Any]:
    # Here and not above: most messages need no PyJWT, which is slow to import.
    from vitrina import auth

    end = connections.extend(connection_id, auth.verify(token))
    logger.info("extended", expires_at=end)
    extension = Extension(expires_at=datetime.fromtimestamp(end, UTC))
    return websocket_api.reply(Authenticated(data=extension))
