"""API Gateway's HTTP events and answers: routing, who is asking, errors as RFC 9457 problems."""

import base64
import json
import re
from collections.abc import Iterable
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
from aws_lambda_powertools.event_handler.depends import (
    DependencyResolutionError,
    Depends,
    build_dependency_tree,
    solve_dependencies,
)
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from vitrina import auth
from vitrina.auth import Identity
from vitrina.channels import ClientType
from vitrina.errors import (
    KINDS,
    Invalid,
    Malformed,
    NotFound,
    PreconditionRequired,
    Problem,
    TooLarge,
    UnsupportedContent,
)

logger = Logger()

LARGEST_BODY_BYTES = 64 * 1024
PROBLEM_JSON = "application/problem+json"

ETAG_PATTERN = r'^"([0-9]{1,15})"$'
_ETAG = re.compile(ETAG_PATTERN)

# What a refusal says besides, by its status.
_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After"}


def resolver() -> APIGatewayHttpResolver:
    """Return an empty set of routes that validates with pydantic and refuses with problem+json."""
    app = APIGatewayHttpResolver(
        enable_validation=True,
        serializer=partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
        json_body_deserializer=_read_json,
    )
    app.exception_handler(Problem)(answer)
    app.exception_handler(Malformed)(lambda problem: _refusal(app) or answer(problem))
    app.exception_handler(RequestValidationError)(
        lambda invalid: _refusal(app) or _answer_invalid(invalid)
    )
    app.exception_handler(NotFoundError)(lambda _: answer_unknown_route())
    app.exception_handler(Exception)(_answer_defect)
    return app


def handle(
    app: APIGatewayHttpResolver, event: dict[str, Any], context: LambdaContext
) -> dict[str, Any]:
    """Answer one request by the routes of `app`; nobody may keep an answer that does not say so."""
    # Clients have it in the header `apigw-requestid`.
    logger.append_keys(api_request_id=event["requestContext"].get("requestId"))
    answer = _resolve(app, event, context)
    return {**answer, "headers": {"Cache-Control": "no-store", **answer["headers"]}}


def _resolve(
    app: APIGatewayHttpResolver, event: dict[str, Any], context: LambdaContext
) -> dict[str, Any]:
    # Without its content type Powertools reads any body as JSON, never as a form.
    headers = {**event.get("headers", {})}
    try:
        _require_json(headers.pop("content-type", ""), event.get("body"))
        body = _read_body(event)
    except Problem as problem:
        logger.info("refused", code=problem.code)
        return {
            "statusCode": problem.status,
            "headers": {"Content-Type": PROBLEM_JSON, **problem.headers},
            "body": _problem_json(problem),
        }
    return app.resolve(
        {**event, "headers": headers, "body": body, "isBase64Encoded": False}, context
    )


def _require_json(content_type: str, body: str | None) -> None:
    """Raise UnsupportedContent for a body that says it is anything else; forms are not read."""
    media_type = content_type.partition(";")[0].strip().lower()
    if body and media_type not in {"", content_types.APPLICATION_JSON}:
        raise UnsupportedContent("content_type_unsupported", "Send application/json.")


def _read_body(event: dict[str, Any]) -> str | None:
    """Return the body as text; API Gateway encodes what its content type does not call text."""
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
    if len(encoded) > LARGEST_BODY_BYTES:
        raise TooLarge("body_too_large", f"A body has at most {LARGEST_BODY_BYTES} bytes.")
    return body


def answers(
    *codes: str, done: HTTPStatus = HTTPStatus.OK, is_versioned: bool = False
) -> dict[int, OpenAPIResponse]:
    """Describe what a route answers: `done`, or a refusal with one of these codes.

    Codes that follow from the types of a route's parameters, as `token_missing` does, are not
    said: whoever describes the routes adds them.
    """
    success: OpenAPIResponse = {"description": done.phrase}
    if is_versioned:
        success["headers"] = {"ETag": {"schema": {"type": "string", "pattern": ETAG_PATTERN}}}
    return {int(done): success, **refusals(codes)}


def refusals(codes: Iterable[str]) -> dict[int, OpenAPIResponse]:
    """Describe refusals as OpenAPI does, by their status."""
    wanted = set(codes)
    responses: dict[int, OpenAPIResponse] = {}
    for problem in KINDS:
        if found := [code for code in problem.codes if code in wanted]:
            schema: dict[str, Any] = {
                "$ref": "#/components/schemas/Problem",
                "properties": {"status": {"const": problem.status}, "code": {"enum": found}},
            }
            responses[problem.status] = {
                "description": problem.title,
                "content": {PROBLEM_JSON: {"schema": schema}},
            }
            if header := _HEADERS.get(problem.status):
                responses[problem.status]["headers"] = {header: {"schema": {"type": "string"}}}
            wanted -= {*found}
    if wanted:
        raise ValueError(f"vitrina.errors has no {sorted(wanted)}")
    return responses


def versioned(body: BaseModel, version: int) -> Response[Any]:
    """Answer with something that is changed under `If-Match`."""
    return Response(
        HTTPStatus.OK, content_types.APPLICATION_JSON, body, headers={"ETag": f'"{version}"'}
    )


def _bearer(request: Request) -> Identity:
    """Return who asks; raises Unauthenticated."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return auth.verify(token.strip() if scheme.lower() == "bearer" else None)


def _visitor(request: Request) -> Identity | None:
    return _bearer(request) if "authorization" in request.headers else None


def _admin(request: Request) -> Identity:
    identity = _bearer(request)
    identity.require(ClientType.ADMIN)
    return identity


# Powertools describes the parameters of a dependency, and passes it none but the request.
_IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=ETAG_PATTERN,
        examples=['"3"'],
        description="The version that you have read.",
    ),
]


def _seen(request: Request, _if_match: _IfMatch = None) -> int | None:
    """Return the version that the caller has seen; raises Invalid `request_invalid`."""
    tag = request.headers.get("if-match")
    if tag is None:
        return None
    if not (found := _ETAG.fullmatch(tag.strip())):
        raise Invalid("request_invalid", 'If-Match: expected a version, as in If-Match: "3".')
    return int(found[1])


def _required_version(request: Request, _if_match: _IfMatch = None) -> int:
    seen = _seen(request)
    if seen is None:
        raise PreconditionRequired(
            "version_missing", "Say in If-Match which version you have read, as its ETag gave it."
        )
    return seen


def _shop(request: Request) -> Identity:
    identity = _bearer(request)
    identity.require(ClientType.SHOP)
    return identity


# What a route asks of its caller, by the type of a parameter.
Admin = Annotated[Identity, Depends(_admin)]
Shop = Annotated[Identity, Depends(_shop)]
Visitor = Annotated[Identity | None, Depends(_visitor)]
Bearer = Annotated[Identity, Depends(_bearer)]
Seen = Annotated[int | None, Depends(_seen)]
RequiredVersion = Annotated[int, Depends(_required_version)]


def _read_json(body: str) -> Any:
    """Parse a body; unlike `json`, this refuses NaN and ten thousand levels of nesting."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed("body_not_json", f"The body is not JSON: {error}.") from None


def _problem_json(problem: Problem, errors: list[dict[str, Any]] | None = None) -> str:
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    return to_json(members | ({"errors": errors} if errors else {})).decode()


def answer(problem: Problem, errors: list[dict[str, Any]] | None = None) -> Response[str]:
    """Answer with a problem, and every single fault of the request if there is such a list."""
    logger.info("refused", code=problem.code)
    return Response(
        problem.status, PROBLEM_JSON, _problem_json(problem, errors), headers={**problem.headers}
    )


def _refusal(app: APIGatewayHttpResolver) -> Response[str] | None:
    """Tell whoever may not ask so, and nothing of what was asked.

    Powertools reads a request before it resolves what the route depends on.
    """
    route = app.context["_route"]
    try:
        solve_dependencies(dependant=build_dependency_tree(route.func), request=app.request)
    except DependencyResolutionError as failed:
        cause = failed.__cause__
        return answer(cause) if isinstance(cause, Problem) else _answer_defect(failed)
    return None


def _answer_invalid(invalid: RequestValidationError) -> Response[str]:
    """Name every field that breaks a rule, without repeating what was sent."""
    errors = [
        {"field": ".".join(map(str, error["loc"])), "code": error["type"], "detail": error["msg"]}
        for error in invalid.errors()
    ]
    first = errors[0]
    problem = Invalid("request_invalid", f"{first['field']}: {first['detail']}.")
    return answer(problem, errors)


def answer_unknown_route() -> Response[str]:
    return answer(NotFound("route_not_found", "There is no such route."))


def _answer_defect(defect: Exception) -> Response[str]:
    logger.error("unhandled", exc_info=defect)
    return answer(Problem("internal_error", "Something went wrong here; it is logged."))
