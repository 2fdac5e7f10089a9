"""$default: what clients say. `ping` comes here only where API Gateway does not answer it."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from vitrina import connections, recovery, sender, websocket_api
from vitrina.events import Error, Pong, Position, Refusal
from vitrina.sender import Post

logger = Logger()

LONGEST_MESSAGE_BYTES = 8 * 1024
EXPECTED = (
    'Expected {"type":"ping"} or {"type":"resume","positions":{"user":{"epoch":"…","seq":57}}}.'
)
# 500 events one after another, of which each waits for the one before: the function has 29 s.
RECOVERY_SECONDS = 25


class Ping(BaseModel):
    """Keep-alive, as in the seed document: with the client's own timestamp or without."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["ping"]
    timestamp: Annotated[str, StringConstraints(max_length=64)] | None = None


class Resume(BaseModel):
    """Give me what I missed: how far I have read, by channel."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["resume"]
    positions: Annotated[dict[str, Position], Field(min_length=1)]


_Message: TypeAdapter[Ping | Resume] = TypeAdapter(
    Annotated[Ping | Resume, Field(discriminator="type")]
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Do what a client asks, or answer with `error`; the connection stays."""
    frame = websocket_api.message(event)
    if len(frame.body.encode()) > LONGEST_MESSAGE_BYTES:
        return _refuse("message_too_large", "A message has at most 8 KB.")
    try:
        message = _Message.validate_json(frame.body)
    except ValidationError:
        return _refuse("message_invalid", EXPECTED)
    if isinstance(message, Ping):
        return websocket_api.reply(Pong())
    return _resume(frame.connection_id, message)


def _resume(connection_id: str, message: Resume) -> dict[str, Any]:
    row = connections.find(connection_id)
    if row is None or row.has_expired:
        return _refuse("connection_expired", "This connection has ended; connect again.")
    if not message.positions.keys() <= set(row.channels):
        sentence = f"The channels of this connection are {', '.join(row.channels)}."
        return _refuse("channel_forbidden", sentence)
    delivery = sender.post(
        [Post(row.member, recovery.recover(message.positions))], budget_seconds=RECOVERY_SECONDS
    )
    if delivery.unreached:
        return _refuse("recovery_interrupted", "Not everything could be sent; resume again.")
    return websocket_api.done()


def _refuse(code: str, sentence: str) -> dict[str, Any]:
    return websocket_api.reply(Error(data=Refusal(code=code, message=sentence)))
