"""What clients say over their WebSocket: these models are what is accepted, and nothing else."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from vitrina.channels import Channel, Room
from vitrina.errors import Invalid, Malformed, TooLarge
from vitrina.events import Position

LONGEST_MESSAGE_BYTES = 8 * 1024
LONGEST_TOKEN = 4096
MOST_POSITIONS = 64


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Ping(_Message):
    """Keep-alive, as in the seed document: with the client's own timestamp or without."""

    type: Literal["ping"]
    timestamp: Annotated[str, StringConstraints(max_length=64)] | None = None


class Resume(_Message):
    """Give me what I missed: how far I have read, by channel."""

    type: Literal["resume"]
    positions: Annotated[dict[Channel, Position], Field(min_length=1, max_length=MOST_POSITIONS)]


class Join(_Message):
    """Let me into a room."""

    type: Literal["join"]
    room: Room


class Leave(_Message):
    """Let me out of a room."""

    type: Literal["leave"]
    room: Room


class Auth(_Message):
    """Extend this connection by another token of the same identity."""

    type: Literal["auth"]
    token: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TOKEN)]


Message = Annotated[Ping | Resume | Join | Leave | Auth, Field(discriminator="type")]
MESSAGE: TypeAdapter[Ping | Resume | Join | Leave | Auth] = TypeAdapter(Message)


def parse(body: str) -> Ping | Resume | Join | Leave | Auth:
    """Read a frame.

    Raises TooLarge `message_too_large`, Malformed `message_not_json` or Invalid
    `message_invalid`, whose sentences say what was expected, and never repeat a value.
    """
    if len(body.encode(errors="surrogatepass")) > LONGEST_MESSAGE_BYTES:
        raise TooLarge("message_too_large", f"A message has at most {LONGEST_MESSAGE_BYTES} bytes.")
    try:
        return MESSAGE.validate_json(body)
    except ValidationError as invalid:
        [first, *_] = invalid.errors(include_url=False, include_input=False, include_context=False)
    if first["type"] == "json_invalid":
        raise Malformed("message_not_json", "Expected a JSON object, in a text frame.")
    field = ".".join(map(str, first["loc"][1:]))
    raise Invalid("message_invalid", f"{field}: {first['msg']}." if field else _EXPECTED)


_EXPECTED = "Expected a JSON object whose type is ping, resume, join, leave or auth."
