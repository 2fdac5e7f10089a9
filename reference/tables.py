"""The generated tables of docs/protocol.md."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from reference import asyncapi, openapi, pages, schemas
from vitrina import responses
from vitrina.channels import CHANNELS

# A response with more fields is shown by its name.
MAX_FIELDS = 6

Row = tuple[str, ...]


def parts(http: dict[str, Any]) -> dict[str, str]:
    """Return every table by its name in the page."""
    tables: dict[str, tuple[Row, Iterator[Row]]] = {
        "events": (("event", "channels, or when it is sent", "data"), _events()),
        "messages": (("message", "purpose", "reply"), _messages()),
        "routes": (("route", "caller", "what it does", "response"), _routes(http)),
        "refusals": (("status", "codes"), _refusals(http)),
    }
    return {
        name: pages.table(columns, rows, text_columns=len(columns))
        for name, (columns, rows) in tables.items()
    }


def _events() -> Iterator[Row]:
    for event in asyncapi.event_classes():
        name = asyncapi.name(event)
        channels = ", ".join(f"`{channel}`" for channel in CHANNELS.get(name, ()))
        sent = channels or _sentence(asyncapi.summary(event))
        yield f"`{name}`", sent, _fields(event)


def _fields(event: type[BaseModel]) -> str:
    data = event.model_fields.get("data")
    if data is None or data.annotation is None:
        return "none"
    return ", ".join(f"`{name}`" for name in data.annotation.model_fields)


def _messages() -> Iterator[Row]:
    for message in asyncapi.client_messages():
        others = (
            f'"{name}"' if field.is_required() else f'"{name}"?'
            for name, field in message.model_fields.items()
            if name != "type"
        )
        shape = _braced([f'"type": "{asyncapi.name(message)}"', *others])
        purpose = _sentence(asyncapi.summary(message))
        yield f"`{shape}`", purpose, f"`{asyncapi.name(asyncapi.REPLIES[message])}`"


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".")


def _routes(http: dict[str, Any]) -> Iterator[Row]:
    for method, path, operation in openapi.operations(http):
        query = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
        url = path + ("?" + "&".join(f"{name}=" for name in query) if query else "")
        shape = _body(http, operation)
        route = f"`{method} {url}`" + (f" `{shape}`" if shape else "")
        summary = _sentence(operation["summary"])
        yield route, operation["x-caller"], summary, _response(http, operation)


def _body(http: dict[str, Any], operation: dict[str, Any]) -> str:
    """Return the fields of a body, as in `{product_name, price?}`."""
    if "requestBody" not in operation:
        return ""
    model = _model(http, operation["requestBody"])
    required = model.get("required", ())
    return _braced(name if name in required else f"{name}?" for name in model["properties"])


def _response(http: dict[str, Any], operation: dict[str, Any]) -> str:
    [status] = (status for status in operation["responses"] if status.startswith("2"))
    response = operation["responses"][status]
    if "content" not in response:
        return f"{status}"
    fields = _model(http, response).get("properties", ())
    if len(fields) > MAX_FIELDS:
        names = " or ".join(f"`{name}`" for name in _names(response))
        return f"{status} {names}, as in the OpenAPI document"
    return f"{status} " + (f"`{_braced(fields)}`" if fields else "the document")


def _names(response: dict[str, Any]) -> list[str]:
    """Return the names of the models that a response may have."""
    schema = response["content"]["application/json"]["schema"]
    return [each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", [schema])]


def _model(http: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a request or response body."""
    schema = described["content"]["application/json"]["schema"]
    # An optional body is a schema or null; of several models the first one stands for all.
    [schema, *_] = schema.get("anyOf", [schema])
    found: dict[str, Any] = schemas.resolve(http, schema["$ref"]) if "$ref" in schema else schema
    return found


def _braced(names: Iterable[str]) -> str:
    return "{" + ", ".join(names) + "}"


def _refusals(http: dict[str, Any]) -> Iterator[Row]:
    # These two belong to no operation.
    found = {"route_not_found", "method_not_allowed"}
    for _, _, operation in openapi.operations(http):
        found.update(openapi.error_codes(operation))
    for status, response in sorted(responses.refusals(found).items()):
        codes = openapi.codes(response)
        yield str(status), ", ".join(f"`{code}`" for code in codes)
