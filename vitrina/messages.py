"""Messages that clients send over their WebSocket."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from vitrina.channels import Channel, Room
from vitrina.errors import Invalid, Malformed, TooLarge
from vitrina.events import Position
from vitrina.types import BYTE_ORDER_MARK, MAX_TOKEN_CHARACTERS

MAX_MESSAGE_BYTES = 8 * 1024
MAX_POSITIONS = 64


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Ping(_Message):
    """Keep the connection open; the client may add its own timestamp."""

    type: Literal["ping"]
    timestamp: Annotated[str, StringConstraints(max_length=64)] | None = None


class Resume(_Message):
    """Request the events after the given positions, by channel."""

    type: Literal["resume"]
    positions: Annotated[dict[Channel, Position], Field(min_length=1, max_length=MAX_POSITIONS)]


class Join(_Message):
    """Join a room."""

    type: Literal["join"]
    room: Room


class Leave(_Message):
    """Leave a room."""

    type: Literal["leave"]
    room: Room


class Auth(_Message):
    """Extend this connection with another token of the same identity."""

    type: Literal["auth"]
    token: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TOKEN_CHARACTERS)]


Message = Annotated[Ping | Resume | Join | Leave | Auth, Field(discriminator="type")]
MESSAGE: TypeAdapter[Ping | Resume | Join | Leave | Auth] = TypeAdapter(Message)


def parse(body: str | None) -> Ping | Resume | Join | Leave | Auth:
    """Read a message; None is a binary frame.

    Raises TooLarge `message_too_large`, Malformed `message_not_json` or Invalid
    `message_invalid`, whose details say what was expected and never repeat a value.
    """
    if body is None:
        raise _not_json()
    if len(body.encode(errors="surrogatepass")) > MAX_MESSAGE_BYTES:
        raise TooLarge("message_too_large", f"A message has at most {MAX_MESSAGE_BYTES} bytes.")
    try:
        return MESSAGE.validate_json(body.removeprefix(BYTE_ORDER_MARK))
    except ValidationError as invalid:
        [first, *_] = invalid.errors(include_url=False, include_input=False, include_context=False)
    if first["type"] == "json_invalid":
        raise _not_json()
    field = ".".join(map(str, first["loc"][1:]))
    raise Invalid("message_invalid", f"{field}: {first['msg']}." if field else _EXPECTED)


_EXPECTED = "Expected a JSON object whose type is ping, resume, join, leave or auth."


def _not_json() -> Malformed:
    return Malformed("message_not_json", "Expected a JSON object, in a text frame.")
