"""$default: what clients say. `ping` comes here only where API Gateway does not answer it."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from vitrina import websocket_api
from vitrina.events import Error, Pong, Refusal

logger = Logger()

LONGEST_MESSAGE_BYTES = 8 * 1024


class Ping(BaseModel):
    """Keep-alive, as in the seed document: with the client's own timestamp or without."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["ping"]
    timestamp: Annotated[str, StringConstraints(max_length=64)] | None = None


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Answer `ping` with `pong`, and anything else with `error`; the connection stays."""
    message = websocket_api.message(event)
    if len(message.body.encode()) > LONGEST_MESSAGE_BYTES:
        return _refuse("message_too_large", "A message has at most 8 KB.")
    try:
        Ping.model_validate_json(message.body)
    except ValidationError:
        return _refuse("message_invalid", 'Expected {"type":"ping"}.')
    return websocket_api.reply(Pong())


def _refuse(code: str, sentence: str) -> dict[str, Any]:
    return websocket_api.reply(Error(data=Refusal(code=code, message=sentence)))
