"""The HTTP API: routing, authentication of callers, refusals as RFC 9457 problems."""

import base64
import json
from collections.abc import Callable, Container
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import (
    APIGatewayHttpResolver,
    Request,
    Response,
    content_types,
)
from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.depends import (
    DependencyResolutionError,
    Depends,
    build_dependency_tree,
    solve_dependencies,
)
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json

from vitrina import auth, cors, door, entity_tags, trail
from vitrina.auth import Identity
from vitrina.channels import ClientType
from vitrina.errors import (
    Invalid,
    Malformed,
    NotFound,
    PreconditionRequired,
    Problem,
    TooLarge,
    UnsupportedContent,
)
from vitrina.types import BYTE_ORDER_MARK, SESSION_ID_PATTERN, Id, Numeral

logger = Logger()

MAX_BODY_BYTES = 64 * 1024
PROBLEM_JSON = "application/problem+json"
READING_METHODS = {"GET", "HEAD", "OPTIONS"}


class Answered(Exception):
    """The response to a request is known: its route stops."""

    def __init__(self, answer: Response[str]) -> None:
        super().__init__()
        self.answer = answer


def resolver() -> APIGatewayHttpResolver:
    """Return an app without routes, which validates with pydantic and refuses with problem+json."""
    app = APIGatewayHttpResolver(
        enable_validation=True,
        serializer=partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
        json_body_deserializer=_read_json,
    )
    app.exception_handler(Problem)(answer)
    app.exception_handler(Answered)(lambda answered: answered.answer)
    app.exception_handler(Malformed)(lambda problem: _refusal(app) or answer(problem))
    app.exception_handler(RequestValidationError)(
        lambda invalid: _refusal(app) or _answer_invalid([*invalid.errors(), *_unknown(app)])
    )
    app.use([_require_known_query])
    app.exception_handler(NotFoundError)(lambda _: answer_unknown_route())
    app.exception_handler(Exception)(_answer_defect)
    return app


Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def handler(app: APIGatewayHttpResolver) -> Handler:
    """Return the Lambda handler that answers requests by the routes of `app`.

    Responses are `no-store` unless the route says otherwise.
    """

    @logger.inject_lambda_context
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        # Clients get this id in the header `apigw-requestid`.
        logger.append_keys(api_request_id=event["requestContext"].get("requestId"))
        trail.begin()
        answer = _without_content(event, _resolve(app, _as_get(event), context))
        _record(app, event, answer["statusCode"])
        defaults = {"Cache-Control": "no-store", **cors.headers(event.get("headers", {}))}
        return {**answer, "headers": {**defaults, **answer["headers"]}}

    return handle


def _as_get(event: dict[str, Any]) -> dict[str, Any]:
    """Return HEAD as GET: both have the same status and headers (RFC 9110, section 9.3.2)."""
    context = event["requestContext"]
    if context["http"]["method"] != "HEAD":
        return event
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}


def _without_content(event: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Drop the content of a response to HEAD, or to a GET whose `ETag` the client has: 304."""
    method = event["requestContext"]["http"]["method"]
    if method in {"GET", "HEAD"} and _is_known(event, answer):
        headers = {n: text for n, text in answer["headers"].items() if n != "Content-Type"}
        return {**answer, "statusCode": HTTPStatus.NOT_MODIFIED, "headers": headers, "body": ""}
    return {**answer, "body": ""} if method == "HEAD" else answer


def _is_known(event: dict[str, Any], answer: dict[str, Any]) -> bool:
    condition = event.get("headers", {}).get("if-none-match")
    tag = answer["headers"].get("ETag")
    if condition is None or tag is None or answer["statusCode"] != HTTPStatus.OK:
        return False
    return entity_tags.is_known(condition, tag)


def _resolve(
    app: APIGatewayHttpResolver, event: dict[str, Any], context: LambdaContext
) -> dict[str, Any]:
    # Without a content type Powertools reads every body as JSON, and none as a form.
    headers = {**event.get("headers", {})}
    try:
        door.require_edge(event)
        _require_path(event["rawPath"])
        _require_json(headers.pop("content-type", ""), event.get("body"))
        body = _read_body(event)
    except Problem as problem:
        _log_refusal(problem)
        return {
            "statusCode": problem.status,
            "headers": {"Content-Type": PROBLEM_JSON, **problem.headers},
            "body": _problem_json(problem),
        }
    return app.resolve(
        {**event, "headers": headers, "body": body, "isBase64Encoded": False}, context
    )


def _record(app: APIGatewayHttpResolver, event: dict[str, Any], status: int) -> None:
    """Write the trail's line of a request to a route that may change something."""
    method = event["requestContext"]["http"]["method"].upper()
    for route in _routes(app):
        ids = route.rule.match(event["rawPath"])
        if ids and route.method == method not in READING_METHODS:
            source = door.client_address(event)
            trail.write(source, method, route.openapi_path, ids.groupdict(), status)
            return


def _routes(app: APIGatewayHttpResolver) -> list[Route]:
    return [*app._static_routes, *app._dynamic_routes]  # noqa: SLF001 - Powertools has no public API


def _log_refusal(problem: Problem) -> None:
    logger.info("refused", code=problem.code)
    trail.note(code=problem.code)


def _require_path(path: str) -> None:
    """Raise NotFound for a path with a newline, which Powertools would ignore at its end."""
    if "\n" in path:
        raise _unknown_route()


def _require_json(content_type: str, body: str | None) -> None:
    """Raise UnsupportedContent for a body of another media type."""
    media_type = content_type.partition(";")[0].strip().lower()
    if body and media_type not in {"", content_types.APPLICATION_JSON}:
        raise UnsupportedContent("content_type_unsupported", "Send application/json.")


def _read_body(event: dict[str, Any]) -> str | None:
    """Return the body as text; API Gateway encodes bodies whose content type is not text."""
    body: str | None = event.get("body")
    if not body:
        return None
    try:
        encoded = body.encode()
        if event.get("isBase64Encoded"):
            encoded = base64.b64decode(encoded)
            body = encoded.decode()
    except ValueError:
        raise Malformed("body_not_json", "The body is not JSON in UTF-8.") from None
    if len(encoded) > MAX_BODY_BYTES:
        raise TooLarge("body_too_large", f"A body has at most {MAX_BODY_BYTES} bytes.")
    return body


def versioned(body: BaseModel, version: int, status: HTTPStatus = HTTPStatus.OK) -> Response[Any]:
    """Answer with a resource and its version, which `If-Match` takes."""
    return with_headers(body, {"ETag": entity_tags.write(version)}, status)


def with_headers(
    body: BaseModel, headers: dict[str, str], status: HTTPStatus = HTTPStatus.OK
) -> Response[Any]:
    """Answer with JSON and headers."""
    return Response(status, content_types.APPLICATION_JSON, body, headers=headers)


def no_content() -> Response[str]:
    """Answer 204, without a body."""
    # API Gateway expects a text.
    return Response(HTTPStatus.NO_CONTENT, body="")


def _bearer(request: Request) -> Identity:
    """Return the bearer of the request's token; raises Unauthorized."""
    return _noted(auth.verify(_token(request)))


def _former_bearer(request: Request) -> Identity:
    """Return the bearer of a token whose session may have ended; raises Unauthorized."""
    return _noted(auth.read(_token(request)))


def _token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _noted(identity: Identity) -> Identity:
    trail.note(actor=f"{identity.client_type}:{identity.account_id}")
    return identity


def _optional_bearer(request: Request) -> Identity | None:
    return _bearer(request) if "authorization" in request.headers else None


# Other dependencies get the same result: the token is verified once.
Bearer = Annotated[Identity, Depends(_bearer)]


def _admin(bearer: Bearer) -> Identity:
    bearer.require(ClientType.ADMIN)
    return bearer


# Powertools describes the parameters of a dependency, and passes only the request to it.
_IfMatchHeader = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=entity_tags.LIST_PATTERN,
        examples=['"3"'],
        description="The version that you have read; several, or `*` for each that exists.",
    ),
]


def _expected_versions(request: Request, _if_match: _IfMatchHeader = None) -> Container[int] | None:
    """Return the versions in `If-Match`, if any; raises Invalid `request_invalid`."""
    condition = request.headers.get("if-match")
    return None if condition is None else entity_tags.read_if_match(condition)


def _required_versions(request: Request, _if_match: _IfMatchHeader = None) -> Container[int]:
    expected = _expected_versions(request)
    if expected is None:
        raise PreconditionRequired(
            "version_missing", "Send If-Match with the version that you have read, from its ETag."
        )
    return expected


def _no_version(request: Request) -> None:
    """Raise Invalid `request_invalid` for `If-Match`, on a route of several products."""
    if "if-match" in request.headers:
        raise Invalid(
            "request_invalid",
            "If-Match: one version is not that of several products; send products.",
        )


def _shop(bearer: Bearer) -> Identity:
    bearer.require(ClientType.SHOP)
    return bearer


# Requirements of a route for its caller, as types of parameters.
Admin = Annotated[Identity, Depends(_admin)]
Shop = Annotated[Identity, Depends(_shop)]
OptionalBearer = Annotated[Identity | None, Depends(_optional_bearer)]
FormerBearer = Annotated[Identity, Depends(_former_bearer)]
IfMatch = Annotated[Container[int] | None, Depends(_expected_versions)]
RequiredIfMatch = Annotated[Container[int], Depends(_required_versions)]
NoIfMatch = Annotated[None, Depends(_no_version)]

PathId = Annotated[Id, Numeral, Path()]
PathSessionId = Annotated[str, Path(pattern=SESSION_ID_PATTERN)]
Limit = Annotated[int, Field(ge=1, le=100), Numeral, Query()]
"""The most items of a page."""


def _read_json(body: str) -> Any:
    """Parse a body; unlike `json`, pydantic refuses NaN and ten thousand levels of nesting."""
    try:
        return from_json(body.removeprefix(BYTE_ORDER_MARK), allow_inf_nan=False)
    except ValueError as error:
        raise Malformed("body_not_json", f"The body is not JSON: {error}.") from None


def _problem_json(problem: Problem, errors: list[dict[str, Any]] | None = None) -> str:
    members: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    return to_json(members | ({"errors": errors} if errors else {})).decode()


def answer(problem: Problem, errors: list[dict[str, Any]] | None = None) -> Response[str]:
    """Answer with a problem, and with the list of the request's errors, if any."""
    _log_refusal(problem)
    return Response(
        problem.status, PROBLEM_JSON, _problem_json(problem, errors), headers={**problem.headers}
    )


def _refusal(app: APIGatewayHttpResolver) -> Response[str] | None:
    """Return the refusal of a caller that may not use this route, if any.

    Powertools validates a request before it resolves the route's dependencies. A caller without
    access gets this refusal instead of the list of the request's errors.
    """
    route = app.context["_route"]
    try:
        solve_dependencies(dependant=build_dependency_tree(route.func), request=app.request)
    except DependencyResolutionError as failed:
        cause = failed.__cause__
        return answer(cause) if isinstance(cause, Problem) else _answer_defect(failed)
    return None


def _require_known_query(app: APIGatewayHttpResolver, go_on: NextMiddleware) -> Response[Any]:
    """Refuse unknown query parameters, after Powertools has validated the others."""
    if _unknown(app):
        raise RequestValidationError([])
    return go_on(app)


def _unknown(app: APIGatewayHttpResolver) -> list[dict[str, Any]]:
    """Return the error of each query parameter that the route does not declare."""
    route = app.context["_route"]
    # Powertools makes a route of a request without one.
    if route not in _routes(app):
        return []
    declared = {field.alias for field in route.dependant.query_params}
    return [
        {"loc": ("query", name), "type": "extra_forbidden", "msg": "There is no such parameter"}
        for name in app.current_event.query_string_parameters
        if name not in declared
    ]


def _answer_invalid(invalid: list[dict[str, Any]]) -> Response[str]:
    """Name every field that breaks a rule, without repeating its value."""
    errors = [
        {"field": ".".join(map(str, error["loc"])), "code": error["type"], "detail": error["msg"]}
        for error in invalid
    ]
    first = errors[0]
    problem = Invalid("request_invalid", f"{first['field']}: {first['detail']}.")
    return answer(problem, errors)


def answer_unknown_route() -> Response[str]:
    return answer(_unknown_route())


def _unknown_route() -> NotFound:
    return NotFound("route_not_found", "There is no such route.")


def _answer_defect(defect: Exception) -> Response[str]:
    logger.error("unhandled", exc_info=defect)
    return answer(Problem("internal_error", "An internal error occurred; it is logged."))
