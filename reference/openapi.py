"""The HTTP API as an OpenAPI 3.1 document, from the handlers' routes."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple, get_type_hints

from aws_lambda_powertools.event_handler import content_types
from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge
from aws_lambda_powertools.event_handler.openapi.models import Tag

from reference import http_examples, schemas
from vitrina import http_api, idempotency, responses

DESCRIPTION = """\
Error responses are `application/problem+json` (RFC 9457) with a stable `code`. An unknown route
returns 404 `route_not_found`, an unsupported method 405 `method_not_allowed` with `Allow`. Errors
of API Gateway itself, such as too many logins per second, have the body `{"message": …}`.
"""


class TagSection(NamedTuple):
    """A tag's description, and the folders of functions whose routes have the tag."""

    description: str
    folders: list[str]


TAGS = {
    "Sessions": TagSection("Log in, refresh and end sessions.", ["login", "sessions"]),
    "Push": TagSection("Register phones, choose what they are notified of.", ["devices"]),
    "Products": TagSection("Submit, edit, list and read products.", ["products"]),
    "Moderation": TagSection("Decide on products.", ["approve", "reject"]),
    "Administration": TagSection(
        "Accounts, announcements and the platform's settings.",
        ["accounts", "announce", "settings"],
    ),
    "Events": TagSection("Read stored events without a WebSocket.", ["events"]),
    "Service": TagSection(
        "Health, counts of connections, and the descriptions of both APIs.", ["stats", "openapi"]
    ),
}

PROBLEM = {
    "type": "object",
    "description": "An error response (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "The URL of the code's text, relative to the host.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "A stable name of the error."},
        "detail": {"type": "string", "description": "An explanation for people."},
        "errors": {
            "type": "array",
            "description": "All validation errors, if the code is `request_invalid`.",
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
REPLAYED: dict[str, Any] = {
    idempotency.REPLAYED_HEADER: {
        "description": "Whether this is the answer to an earlier request with the key.",
        "schema": {"const": "true"},
    }
}
NO_CONTENT = "204"
NOT_MODIFIED = "304"
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The version that the client has, from its ETag.",
    "schema": {"type": "string"},
    "example": '"3"',
}
# Powertools' own schemas of validation errors; here they are problems.
UNUSED = ("HTTPValidationError", "ResponseValidationError", "ValidationError")


class Requirement(NamedTuple):
    """What a parameter's type requires of the request, with the codes of the errors it causes."""

    codes: list[str]
    security: list[dict[str, list[str]]] | None = None
    caller: str = "anyone"


_TOKEN_ALONE = ["token_missing", "token_invalid", "token_expired", "issuer_unreachable"]
_TOKEN = [*_TOKEN_ALONE, "token_revoked"]
_BEARER: list[dict[str, list[str]]] = [{"bearerAuth": []}]

REQUIREMENTS: list[tuple[Any, Requirement]] = [
    (http_api.Admin, Requirement([*_TOKEN, "client_type_forbidden"], _BEARER, "admin")),
    (http_api.Shop, Requirement([*_TOKEN, "client_type_forbidden"], _BEARER, "shop")),
    (http_api.Bearer, Requirement(_TOKEN, _BEARER, "any client with a token")),
    (http_api.FormerBearer, Requirement(_TOKEN_ALONE, _BEARER, "any client with a token")),
    (http_api.OptionalBearer, Requirement(_TOKEN, [{}, *_BEARER], "anyone; a token shows more")),
    (http_api.IfMatch, Requirement(["request_invalid"])),
    (http_api.RequiredIfMatch, Requirement(["request_invalid", "version_missing"])),
    (
        idempotency.Once,
        Requirement(["request_invalid", "idempotency_key_reused", "request_running", "busy"]),
    ),
]
# A stage may be guarded, and everything may fail.
_OF_ALL_ROUTES = ["edge_required", "internal_error"]
# Errors of a request body, even if the route does not use it.
_BODY = ["body_not_json", "body_too_large", "content_type_unsupported"]


def document() -> dict[str, Any]:
    merge = OpenAPIMerge(
        title="Vitrina",
        version=schemas.project_version(),
        openapi_version="3.1.0",
        description=DESCRIPTION,
        tags=[Tag(name=tag, description=of.description) for tag, of in TAGS.items()],
        security_schemes=SECURITY_SCHEMES,
        on_conflict="error",
    )
    for tag, section in TAGS.items():
        for folder in section.folders:
            merge.add_schema(_describe(folder, tag))
    merged = merge.get_openapi_schema()
    components = merged["components"]["schemas"]
    for name in UNUSED:
        components.pop(name, None)
    components["Problem"] = PROBLEM
    merged["servers"] = [{"url": "/", "description": "The host that serves this document."}]
    # `tidy` would drop the document's own title.
    return {
        "info": merged.pop("info") | schemas.contact_and_licence(),
        **_with_examples(schemas.tidy(merged)),
    }


def _with_examples(described: dict[str, Any]) -> dict[str, Any]:
    """Add an example to each request body and each response that has a body."""
    for _, _, operation in operations(described):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            if json := body.get("content", {}).get(content_types.APPLICATION_JSON):
                json["example"] = http_examples.of(json["schema"], operation["operationId"])
    return described


def operation_id(function: str) -> str:
    """Return `approveProduct` for `approve_product`."""
    first, *others = function.split("_")
    return first + "".join(map(str.capitalize, others))


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every method, path and operation of a document."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def error_codes(operation: dict[str, Any]) -> Iterator[str]:
    """Yield the codes of all error responses of an operation."""
    for response in operation["responses"].values():
        yield from codes(response)


def codes(response: Any) -> list[str]:
    problem = response.get("content", {}).get(http_api.PROBLEM_JSON)
    found: list[str] = (
        problem["schema"]["allOf"][1]["properties"]["code"]["enum"] if problem else []
    )
    return found


def _describe(folder: str, tag: str) -> dict[str, Any]:
    """Describe the routes of one handler, including what the types of their parameters require."""
    app = import_module(f"functions.{folder}.handler").app
    described: dict[str, Any] = app.get_openapi_schema().model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    routes = {(route.method, route.openapi_path): route for route in _routes(app)}
    for method, path, operation in operations(described):
        route = routes[method, path]
        documented = inspect.getdoc(route.func) or ""
        operation |= {
            "operationId": operation_id(route.func.__name__),
            "summary": documented.partition("\n\n")[0].removesuffix("."),
            "description": documented,
            "tags": [tag],
            "security": [],
            "x-caller": "anyone",
        }
        possible = {*error_codes(operation), *_from_parameters(route), *_OF_ALL_ROUTES}
        for kind, requirement in REQUIREMENTS:
            if kind in _parameter_types(route):
                possible.update(requirement.codes)
                if requirement.security:
                    operation |= {
                        "security": requirement.security,
                        "x-caller": requirement.caller,
                    }
        for parameter in operation.get("parameters", ()):
            _describe_parameter(parameter, route)
        successes = {k: v for k, v in operation["responses"].items() if k.startswith("2")}
        successes.get(NO_CONTENT, {}).pop("content", None)  # Powertools describes null
        if idempotency.Once in _parameter_types(route):
            for success in successes.values():
                success["headers"] = success.get("headers", {}) | REPLAYED
        if route.method == "GET" and "ETag" in successes["200"].get("headers", {}):
            operation.setdefault("parameters", []).append(IF_NONE_MATCH)
            successes[NOT_MODIFIED] = {"description": "Not Modified", "headers": responses.ETAG}
        errors = {str(status): found for status, found in responses.refusals(possible).items()}
        operation["responses"] = successes | errors
    return described


def _routes(app: Any) -> list[Route]:
    return [*app._dynamic_routes, *app._static_routes]  # noqa: SLF001 - there is no public name


def _parameter_types(route: Route) -> list[Any]:
    hints = get_type_hints(route.func, include_extras=True)
    return [hint for name, hint in hints.items() if name != "return"]


def _describe_parameter(parameter: dict[str, Any], route: Route) -> None:
    """Correct pydantic's schema of an optional parameter: it may be omitted, but not null."""
    schema = parameter["schema"]
    if schema.get("anyOf", [])[1:] == [{"type": "null"}]:
        schema |= schema.pop("anyOf")[0]
    schema.pop("description", None)
    if parameter["name"] == "if-match":
        parameter["name"] = "If-Match"
        parameter["required"] = http_api.RequiredIfMatch in _parameter_types(route)
    if parameter["name"] == idempotency.HEADER.lower():
        parameter["name"] = idempotency.HEADER


def _from_parameters(route: Route) -> Iterator[str]:
    dependant = route.dependant
    if route.method != "GET":
        yield from _BODY
    # Every route refuses query parameters that it does not declare.
    yield "request_invalid"
    if dependant.path_params:
        # A path with characters that no id has matches no route.
        yield "route_not_found"
