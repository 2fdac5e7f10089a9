"""The WebSocket protocol as an AsyncAPI 3.0 document, from the events and the client messages."""

import inspect
import json
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from reference import examples, schemas
from vitrina import events, positions
from vitrina.channels import CHANNELS, ClientType
from vitrina.events import Published
from vitrina.messages import Auth, Join, Leave, Message, Ping, Resume

DESCRIPTION = """\
Every frame is one JSON object in UTF-8. Clients send messages, which have a `type`; the server
sends events, which have an `event`. Published events are sent to channels and numbered in each.
"""

# The reply to a client message, unless it is `error`.
REPLIES: dict[type[BaseModel], type[BaseModel]] = {
    Ping: events.Pong,
    Resume: events.Recovered,
    Join: events.Joined,
    Leave: events.Left,
    Auth: events.Authenticated,
}

# Two fields that `Published.body_for` adds for each channel.
_CHANNEL_FIELDS = {
    "channel": {"type": "string", "description": "The channel that it was sent to."},
    "seq": {
        "type": "integer",
        "minimum": 1,
        "description": "Its number in the channel, without gaps.",
    },
}

# The token is among the security schemes.
_QUERY = {
    "type": "object",
    "properties": {
        "batch": {
            "type": "string",
            "description": "`1` if the client takes several events in one frame: `batch`.",
        },
        "positions": {
            "type": "string",
            "maxLength": positions.MAX_POSITIONS_CHARACTERS,
            "description": "How far the client has read its channels, as `CHANNEL:EPOCH:SEQ`"
            " separated by commas: it receives what it missed after `connected`.",
            "examples": ["user:3f0c9a1e:57,user:42:b71d0c55:0"],
        },
    },
}


def document() -> dict[str, Any]:
    payloads = _payloads()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Vitrina",
            "version": schemas.project_version(),
            "description": DESCRIPTION,
            **_contact_and_licence(),
            "tags": [{"name": "Notifications", "description": "Events, and how to catch up."}],
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {"notifications": _channel()},
        "operations": {
            **{f"receive_{name(message)}": _receive(message) for message in client_messages()},
            "send_events": {
                "action": "send",
                "summary": "Send events and replies",
                "description": "Events of the connection's channels, and replies to its messages.",
                "channel": {"$ref": "#/channels/notifications"},
                "messages": [_in_channel(event) for event in event_classes()],
            },
        },
        "components": {
            "messages": {
                name(model): _message(model) for model in (*client_messages(), *event_classes())
            },
            "schemas": payloads,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "query": {"type": "httpApiKey", "in": "query", "name": "token"},
            },
        },
    }


def client_messages() -> list[type[BaseModel]]:
    union, *_ = get_args(Message)
    return list(get_args(union))


def event_classes() -> list[type[BaseModel]]:
    """Return every event, in the order of `vitrina/events.py`."""
    return [
        model
        for model in vars(events).values()
        if inspect.isclass(model)
        and issubclass(model, BaseModel)
        and "event" in model.model_fields
        and model is not Published
    ]


def in_batches() -> list[type[BaseModel]]:
    """Return the events that batches contain."""
    return [
        event
        for event in event_classes()
        if issubclass(event, Published) or event in (events.Connected, events.Recovered)
    ]


def name(model: type[BaseModel]) -> str:
    """Return the name of a model in frames: `product.approved`, `ping`."""
    field = model.model_fields.get("event") or model.model_fields["type"]
    [found] = get_args(field.annotation)
    return str(found)


def summary(model: type[BaseModel]) -> str:
    return inspect.cleandoc(model.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def _contact_and_licence() -> dict[str, Any]:
    """Return these members of `info`; Spectral asks for an address here, and not in OpenAPI.

    `your.shop` stands for the operator's domain, as in all pages.
    """
    found = schemas.contact_and_licence()
    return {**found, "contact": {**found["contact"], "email": "api@your.shop"}}


def _servers() -> dict[str, Any]:
    security = [{"$ref": f"#/components/securitySchemes/{name}"} for name in ("bearer", "query")]
    return {
        "deployed": {
            "host": "{host}",
            "protocol": "wss",
            "variables": {"host": {"description": "The host name of the deployment."}},
            "security": security,
        },
        "local": {"host": "localhost:8000", "protocol": "ws", "security": security},
    }


def _channel() -> dict[str, Any]:
    models = (*client_messages(), *event_classes())
    return {
        "address": "/ws/{type}",
        "summary": "One connection for client messages and events",
        "parameters": {
            "type": {
                "description": "The client type, as in the token.",
                "enum": [str(kind) for kind in ClientType],
            }
        },
        "messages": {
            name(model): {"$ref": f"#/components/messages/{name(model)}"} for model in models
        },
        "bindings": {"ws": {"method": "GET", "query": _QUERY, "bindingVersion": "0.1.0"}},
    }


def _receive(message: type[BaseModel]) -> dict[str, Any]:
    return {
        "action": "receive",
        "summary": summary(message).removesuffix("."),
        "description": inspect.cleandoc(message.__doc__ or ""),
        "channel": {"$ref": "#/channels/notifications"},
        "messages": [_in_channel(message)],
        "reply": {
            "channel": {"$ref": "#/channels/notifications"},
            "messages": [_in_channel(reply) for reply in replies(message)],
        },
    }


def replies(message: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the events that answer a message; `recovered` may come in a batch."""
    in_batch = [events.Batch] if REPLIES[message] is events.Recovered else []
    return [REPLIES[message], *in_batch, events.Error]


def _in_channel(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/channels/notifications/messages/{name(model)}"}


def _message(model: type[BaseModel]) -> dict[str, Any]:
    described = {
        "name": name(model),
        "summary": summary(model),
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        "examples": [{"payload": _example(model)}],
    }
    if issubclass(model, Published):
        described["x-channels"] = list(CHANNELS[name(model)])
    return described


def _example(model: type[BaseModel]) -> Any:
    example = examples.BY_MODEL[model]
    if isinstance(example, Published):
        return json.loads(example.body_for(example.channels()[0], seq=58))
    return example.model_dump(mode="json", exclude_none=True)


def _payloads() -> dict[str, Any]:
    """Return the schemas of all frames and of the models in them."""
    # Clients may omit fields with a default; the server sends every field.
    sent = _definitions(event_classes(), "serialization")
    found = _definitions(client_messages(), "validation") | sent
    for event in event_classes():
        if issubclass(event, Published):
            found[event.__name__]["properties"] |= _CHANNEL_FIELDS
    found["Batch"]["properties"]["events"]["items"] = {
        "anyOf": [{"$ref": f"#/components/schemas/{event.__name__}"} for event in in_batches()]
    }
    for model, described in sent.items():
        if issubclass(getattr(events, model), BaseModel):
            described["required"] = list(described["properties"])
    return found


def _definitions(models: list[type[BaseModel]], mode: JsonSchemaMode) -> dict[str, Any]:
    _, schema = models_json_schema(
        [(model, mode) for model in models], ref_template="#/components/schemas/{model}"
    )
    found: dict[str, Any] = schemas.tidy(schema["$defs"])
    return found
