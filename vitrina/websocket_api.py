"""API Gateway's WebSocket events and answers; no such dict goes further than this file."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, StringConstraints

from vitrina.errors import Problem
from vitrina.events import Error, Pong

BEARER = "bearer"

ConnectionId = Annotated[str, StringConstraints(pattern=r"^[\w=+/-]{1,128}$")]


class _Context(BaseModel):
    connection_id: ConnectionId = Field(alias="connectionId")


class _Event(BaseModel):
    context: _Context = Field(alias="requestContext")
    headers: dict[str, str] = {}
    query: dict[str, str] | None = Field(default=None, alias="queryStringParameters")
    body: str | None = None


class Handshake(NamedTuple):
    """What a client says when it asks to connect."""

    connection_id: str
    token: str | None
    client_type: str | None
    """The type in the path the client used, a hint: the token decides."""
    subprotocol: str | None
    """What the answer must repeat, when the client offered it."""


class Message(NamedTuple):
    """A frame from an open connection."""

    connection_id: str
    body: str


def handshake(event: Mapping[str, Any]) -> Handshake:
    """Read a $connect event.

    The token may ride in `?token=`, `Authorization: Bearer …` or
    `Sec-WebSocket-Protocol: bearer, …`; the first found counts.
    """
    request = _Event.model_validate(event)
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
        subprotocol=BEARER if offers_bearer else None,
    )


def connection_id(event: Mapping[str, Any]) -> str:
    """Read which connection an event is about."""
    return _Event.model_validate(event).context.connection_id


def message(event: Mapping[str, Any]) -> Message:
    """Read a frame that a client sent."""
    request = _Event.model_validate(event)
    return Message(connection_id=request.context.connection_id, body=request.body or "")


def accept(request: Handshake) -> dict[str, Any]:
    """Answer $connect: welcome. A subprotocol that was offered must be repeated (RFC 6455)."""
    headers = {"Sec-WebSocket-Protocol": request.subprotocol} if request.subprotocol else {}
    return {"statusCode": 200, "headers": headers}


def refuse(problem: Problem) -> dict[str, Any]:
    """Answer $connect: no. The client sees the status and nothing else."""
    return {"statusCode": problem.status}


def reply(event: Pong | Error) -> dict[str, Any]:
    """Answer a frame with an event to the same connection."""
    return {"statusCode": 200, "body": event.body().decode()}


def done() -> dict[str, Any]:
    """Answer a route that has nothing to say."""
    return {"statusCode": 200}
