"""The HTTP API as an OpenAPI 3.1 document, from the handlers' routes."""

import inspect
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge
from aws_lambda_powertools.event_handler.openapi.models import Tag

from reference import schemas
from vitrina import http_api, responses

ROOT = Path(__file__).parents[1]

DESCRIPTION = """\
Refusals are `application/problem+json` (RFC 9457) with a stable `code`. An unknown route is refused
with 404 `route_not_found`, another method with 405 `method_not_allowed` and `Allow`. What API
Gateway itself refuses, as too many logins at once, has the body `{"message": …}`.
"""

# What a folder's routes are about.
AREAS = {
    "Tokens": ["login"],
    "Products": ["products"],
    "Moderation": ["approve", "reject"],
    "Administration": ["accounts", "announce", "settings"],
    "Service": ["stats", "openapi"],
}

PROBLEM = {
    "type": "object",
    "description": "A refusal, as of RFC 9457.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Names the case, and never changes."},
        "detail": {"type": "string", "description": "A sentence for people."},
        "errors": {
            "type": "array",
            "description": "Every fault of a request that breaks a rule.",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "additionalProperties": False,
            },
        },
    },
    "unevaluatedProperties": False,
}

SECURITY_SCHEMES: dict[str, Any] = {
    "bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
}
# Powertools' own answer to a request that breaks a rule; here that is a problem.
UNUSED = ("HTTPValidationError", "ResponseValidationError", "ValidationError")


class Asked(NamedTuple):
    """What the type of a parameter asks of a caller, and so what may be refused."""

    codes: list[str]
    security: list[dict[str, list[str]]] | None = None
    caller: str = "anyone"


_TOKEN = ["token_missing", "token_invalid", "token_expired", "token_revoked", "issuer_unreachable"]
_NEEDED: list[dict[str, list[str]]] = [{"bearerAuth": []}]

ASKED: list[tuple[Any, Asked]] = [
    (http_api.Admin, Asked([*_TOKEN, "client_type_forbidden"], _NEEDED, "admin")),
    (http_api.Shop, Asked([*_TOKEN, "client_type_forbidden"], _NEEDED, "shop")),
    (http_api.Bearer, Asked(_TOKEN, _NEEDED, "whoever has a token")),
    (http_api.OptionalBearer, Asked(_TOKEN, [{}, *_NEEDED], "anyone; a token shows more")),
    (http_api.IfMatch, Asked(["request_invalid"])),
    (http_api.RequiredIfMatch, Asked(["request_invalid", "version_missing"])),
]
# Of a body, whether or not the route has a use for it.
_BODY = ["body_not_json", "body_too_large", "content_type_unsupported"]


def document() -> dict[str, Any]:
    merge = OpenAPIMerge(
        title="Vitrina",
        version=tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"],
        openapi_version="3.1.0",
        description=DESCRIPTION,
        tags=[Tag(name=area) for area in AREAS],
        security_schemes=SECURITY_SCHEMES,
        on_conflict="error",
    )
    for area, folders in AREAS.items():
        for folder in folders:
            merge.add_schema(_describe(folder, area))
    merged = merge.get_openapi_schema()
    components = merged["components"]["schemas"]
    for name in UNUSED:
        components.pop(name, None)
    components["Problem"] = PROBLEM
    return {name: _tidy(name, value) for name, value in merged.items()}


def _tidy(name: str, value: Any) -> Any:
    return value if name == "info" else schemas.tidy(value)


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every method, path and operation of a document."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def refused(operation: dict[str, Any]) -> Iterator[str]:
    """Yield the codes that an operation may be refused with."""
    for response in operation["responses"].values():
        yield from codes(response)


def codes(response: Any) -> list[str]:
    problem = response.get("content", {}).get(http_api.PROBLEM_JSON)
    found: list[str] = problem["schema"]["properties"]["code"]["enum"] if problem else []
    return found


def _describe(folder: str, area: str) -> dict[str, Any]:
    """Describe the routes of one handler, and what the types of their parameters say."""
    app = import_module(f"functions.{folder}.handler").app
    described: dict[str, Any] = app.get_openapi_schema().model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    routes = {(route.method, route.openapi_path): route for route in _routes(app)}
    for method, path, operation in operations(described):
        route = routes[method, path]
        summary, _, description = inspect.getdoc(route.func).partition("\n\n")  # type: ignore[union-attr]
        operation |= {
            "operationId": f"{folder}.{route.func.__name__}",
            "summary": summary.removesuffix("."),
            "tags": [area],
        }
        if description:
            operation["description"] = description
        asked = [asked for kind, asked in ASKED if kind in _parameter_types(route)]
        operation["x-caller"] = "anyone"
        for one in asked:
            if one.security:
                operation |= {"security": one.security, "x-caller": one.caller}
        for parameter in operation.get("parameters", ()):
            _describe_parameter(parameter, route)
        possible = {*refused(operation), *_from_parameters(route), "internal_error"}
        possible.update(*(one.codes for one in asked))
        operation["responses"] = _by_status(operation, responses.refusals(possible))
    return described


def _routes(app: Any) -> list[Route]:
    return [*app._dynamic_routes, *app._static_routes]  # noqa: SLF001 - there is no public name


def _parameter_types(route: Route) -> list[Any]:
    hints = get_type_hints(route.func, include_extras=True)
    return [hint for name, hint in hints.items() if name != "return"]


def _describe_parameter(parameter: dict[str, Any], route: Route) -> None:
    """Say of a parameter what pydantic does not: what is left out is not null."""
    schema = parameter["schema"]
    if schema.get("anyOf", [])[1:] == [{"type": "null"}]:
        schema |= schema.pop("anyOf")[0]
    schema.pop("description", None)
    if parameter["name"] == "if-match":
        parameter["name"] = "If-Match"
        parameter["required"] = http_api.RequiredIfMatch in _parameter_types(route)


def _from_parameters(route: Route) -> Iterator[str]:
    dependant = route.dependant
    if route.method != "GET":
        yield from _BODY
    if dependant.path_params or dependant.query_params or dependant.body_params:
        yield "request_invalid"
    if dependant.path_params:
        # A path that is not even of an id's characters is another route, which there is not.
        yield "route_not_found"


def _by_status(operation: dict[str, Any], refused: Any) -> dict[str, Any]:
    successes = {
        status: response
        for status, response in operation["responses"].items()
        if status.startswith("2")
    }
    return successes | {str(status): response for status, response in refused.items()}
