"""The WebSocket API: API Gateway's events, read into models, and its answers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, StringConstraints

from vitrina import door, origins, positions
from vitrina.errors import Invalid, Problem

if TYPE_CHECKING:
    from vitrina.events import Authenticated, Error, Joined, Left, Pong, Recovered

BEARER = "bearer"

# Not `\w`: the pattern of 128 Unicode word characters takes 40 ms to compile.
ConnectionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=+/-]{1,128}$")]


class _Context(BaseModel):
    connection_id: ConnectionId = Field(alias="connectionId")
    event_type: Literal["CONNECT", "MESSAGE", "DISCONNECT"] = Field(alias="eventType")


class _Event(BaseModel):
    context: _Context = Field(alias="requestContext")
    headers: dict[str, str] = {}
    query: dict[str, str] | None = Field(default=None, alias="queryStringParameters")
    body: str | None = None
    is_base64: bool = Field(default=False, alias="isBase64Encoded")


class Handshake(NamedTuple):
    """A client's request to connect."""

    connection_id: str
    token: str | None
    client_type: str | None
    """The client type in the path, which must equal the token's."""
    origin: str | None
    """The origin of a web page on another host; None for apps.

    React Native sends the URL that it connects to; other apps send no origin.
    """
    subprotocol: str | None
    """`bearer` if the client offered it; the answer must then repeat it."""
    takes_batches: bool
    """Whether the query has `batch=1`. Any other value means no, as if it were absent."""
    positions: str | None
    """How far the client has read its channels, in the form that `vitrina.positions` reads.

    A value in another form is ignored, so that a defective app can connect: it sends `resume`.
    """


class Message(NamedTuple):
    """A frame that a client sent."""

    connection_id: str
    body: str | None
    """None for a binary frame."""


def ids(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ids that every log line of an event has: the connection's and the request's.

    Errors that API Gateway itself sends to a client have the request's id.
    """
    context = event["requestContext"]
    return {
        "connection_id": context.get("connectionId"),
        "api_request_id": context.get("requestId"),
    }


def handshake(event: Mapping[str, Any]) -> Handshake:
    """Read a $connect event.

    The token comes in `?token=`, `Authorization: Bearer …` or `Sec-WebSocket-Protocol: bearer, …`;
    the first one found is used. Raises Invalid `message_invalid` for a message that names this
    route as its type.
    """
    request = _Event.model_validate(event)
    if request.context.event_type != "CONNECT":
        raise _misrouted()
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.query or {}
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    offered = [part.strip() for part in headers.get("sec-websocket-protocol", "").split(",")]
    offers_bearer = offered[0] == BEARER
    return Handshake(
        connection_id=request.context.connection_id,
        token=query.get("token")
        or (credentials.strip() if scheme.lower() == BEARER else None)
        or (offered[1] if offers_bearer and len(offered) > 1 else None),
        client_type=query.get("client_type"),
        origin=_foreign_origin(headers),
        subprotocol=BEARER if offers_bearer else None,
        takes_batches=query.get("batch") == "1",
        positions=positions.valid(query.get("positions")),
    )


def _foreign_origin(headers: Mapping[str, str]) -> str | None:
    origin = headers.get("origin")
    is_own = origin is None or origins.is_own(origin, door.trusted_headers(headers))
    return None if is_own else origin


def disconnected(event: Mapping[str, Any]) -> str:
    """Return the id of the connection that has ended.

    Raises Invalid `message_invalid` for a message that names this route as its type.
    """
    request = _Event.model_validate(event)
    if request.context.event_type != "DISCONNECT":
        raise _misrouted()
    return request.context.connection_id


def message(event: Mapping[str, Any]) -> Message:
    """Read a frame that a client sent."""
    request = _Event.model_validate(event)
    body = None if request.is_base64 else request.body or ""
    return Message(connection_id=request.context.connection_id, body=body)


def _misrouted() -> Invalid:
    """Return the refusal of a message whose type is the name of a route."""
    return Invalid("message_invalid", "A message has the type ping, resume, join, leave or auth.")


def accept(request: Handshake) -> dict[str, Any]:
    """Accept $connect; an offered subprotocol must be repeated (RFC 6455)."""
    headers = {"Sec-WebSocket-Protocol": request.subprotocol} if request.subprotocol else {}
    return {"statusCode": 200, "headers": headers}


def refuse(problem: Problem) -> dict[str, Any]:
    """Refuse $connect. The client receives the status only."""
    return {"statusCode": problem.status}


def refuse_message(problem: Problem) -> dict[str, Any]:
    """Answer a frame with `error`; the connection stays."""
    # Imported here: `connect` and `disconnect` rarely need the models of events.
    from vitrina.events import Error, Refusal

    refusal = Refusal(
        code=problem.code, message=problem.detail, retry_after=problem.retry_after_seconds
    )
    return reply(Error(data=refusal))


def reply(event: "Pong | Joined | Left | Authenticated | Recovered | Error") -> dict[str, Any]:
    """Answer a frame with an event to the same connection."""
    return reply_with(event.body())


def reply_with(frame: bytes) -> dict[str, Any]:
    """Answer a frame with another one, which may be a batch, to the same connection."""
    return {"statusCode": 200, "body": frame.decode()}


def done() -> dict[str, Any]:
    """Answer $disconnect. Where a route has a response, no body would be an empty frame."""
    return {"statusCode": 200}
