"""The tables of docs/protocol.md, each between `<!-- generated: NAME -->` and `<!-- end -->`."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from reference import asyncapi, openapi, schemas
from vitrina import responses
from vitrina.channels import CHANNELS

_TABLE = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

# Of an answer that is shown in a table.
MAX_MEMBERS = 6

Row = tuple[str, ...]


def renew(text: str, http: dict[str, Any]) -> str:
    """Return a document with its tables as they should be now; raises KeyError for a wrong name."""
    tables = {
        "events": _table(("event", "goes to", "data"), _events()),
        "messages": _table(("message", "what it asks", "answer"), _messages()),
        "routes": _table(("route", "who", "what it does", "answer"), _routes(http)),
        "refusals": _table(("status", "codes"), _refusals(http)),
    }
    return _TABLE.sub(lambda found: found[1] + "\n" + tables[found[2]] + "\n" + found[3], text)


def _table(heads: Row, rows: Iterator[Row]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _events() -> Iterator[Row]:
    for event in asyncapi.event_classes():
        name = asyncapi.name(event)
        channels = ", ".join(f"`{channel}`" for channel in CHANNELS.get(name, ()))
        goes_to = channels or _sentence(asyncapi.summary(event))
        yield f"`{name}`", goes_to, _fields(event)


def _fields(event: type[BaseModel]) -> str:
    data = event.model_fields.get("data")
    if data is None or data.annotation is None:
        return "none"
    return ", ".join(f"`{name}`" for name in data.annotation.model_fields)


def _messages() -> Iterator[Row]:
    for message in asyncapi.client_messages():
        shape = ", ".join(
            f'"type": "{asyncapi.name(message)}"' if name == "type" else _member(name, field)
            for name, field in message.model_fields.items()
        )
        asks = _sentence(asyncapi.summary(message))
        yield f"`{{{shape}}}`", asks, f"`{asyncapi.name(asyncapi.ANSWERS[message])}`"


def _member(name: str, field: Any) -> str:
    return f'"{name}"' if field.is_required() else f'"{name}"?'


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".")


def _routes(http: dict[str, Any]) -> Iterator[Row]:
    for method, path, operation in openapi.operations(http):
        query = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
        url = path + ("?" + "&".join(f"{name}=" for name in query) if query else "")
        shape = _body(http, operation)
        route = f"`{method} {url}`" + (f" `{shape}`" if shape else "")
        yield (
            route,
            operation["x-caller"],
            _sentence(operation["summary"]),
            _answer(http, operation),
        )


def _body(http: dict[str, Any], operation: dict[str, Any]) -> str:
    """Return the members of a body, as in `{product_name, price?}`."""
    if "requestBody" not in operation:
        return ""
    model = _model(http, operation["requestBody"])
    required = model.get("required", ())
    return _braced(name if name in required else f"{name}?" for name in model["properties"])


def _answer(http: dict[str, Any], operation: dict[str, Any]) -> str:
    [(status, response)] = [
        (status, response)
        for status, response in operation["responses"].items()
        if status.startswith("2")
    ]
    members = _model(http, response).get("properties", ())
    if len(members) > MAX_MEMBERS:
        *_, name = response["content"]["application/json"]["schema"]["$ref"].split("/")
        return f"{status} `{name}`, as in the OpenAPI document"
    return f"{status} " + (f"`{_braced(members)}`" if members else "the document")


def _model(http: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a body or of an answer."""
    schema = described["content"]["application/json"]["schema"]
    # A body that may be left out is a schema or null.
    [schema, *_] = schema.get("anyOf", [schema])
    found: dict[str, Any] = schemas.resolve(http, schema["$ref"]) if "$ref" in schema else schema
    return found


def _braced(names: Iterable[str]) -> str:
    return "{" + ", ".join(names) + "}"


def _refusals(http: dict[str, Any]) -> Iterator[Row]:
    # These two are answered where there is no operation.
    said = {"route_not_found", "method_not_allowed"}
    for _, _, operation in openapi.operations(http):
        said.update(openapi.refused(operation))
    for status, response in sorted(responses.refusals(said).items()):
        codes = openapi.codes(response)
        yield str(status), ", ".join(f"`{code}`" for code in codes)
