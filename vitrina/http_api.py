"""API Gateway's HTTP events and answers: routing, who is asking, errors as RFC 9457 problems."""

import json
from functools import partial
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Request, Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic_core import from_json, to_json

from vitrina import auth
from vitrina.auth import Identity
from vitrina.channels import ClientType
from vitrina.errors import (
    Invalid,
    Malformed,
    NotFound,
    Problem,
    TooLarge,
    UnsupportedContent,
)

logger = Logger()

LARGEST_BODY_BYTES = 64 * 1024
PROBLEM_JSON = "application/problem+json"


def resolver() -> APIGatewayHttpResolver:
    """Return an empty set of routes that validates with pydantic and refuses with problem+json."""
    app = APIGatewayHttpResolver(
        enable_validation=True,
        serializer=partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
        json_body_deserializer=_read_json,
    )
    app.exception_handler(Problem)(_answer)
    app.exception_handler(RequestValidationError)(_answer_invalid)
    app.exception_handler(RequestUnsupportedContentType)(_answer_unsupported)
    app.exception_handler(NotFoundError)(_answer_unknown_route)
    app.exception_handler(Exception)(_answer_defect)
    return app


def handle(
    app: APIGatewayHttpResolver, event: dict[str, Any], context: LambdaContext
) -> dict[str, Any]:
    """Answer one request by the routes of `app`."""
    body = (event.get("body") or "").encode()
    # Base64 is a third longer than what it stands for.
    if len(body) > LARGEST_BODY_BYTES * (4 / 3 if event.get("isBase64Encoded") else 1):
        problem = TooLarge("body_too_large", f"A body has at most {LARGEST_BODY_BYTES} bytes.")
        return {
            "statusCode": problem.status,
            "headers": {"Content-Type": PROBLEM_JSON},
            "body": _problem_json(problem),
        }
    return app.resolve(event, context)


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


def _shop(request: Request) -> Identity:
    identity = _bearer(request)
    identity.require(ClientType.SHOP)
    return identity


# What a route asks of its caller, by the type of a parameter.
Admin = Annotated[Identity, Depends(_admin)]
Shop = Annotated[Identity, Depends(_shop)]
Visitor = Annotated[Identity | None, Depends(_visitor)]


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


def _answer(problem: Problem, errors: list[dict[str, Any]] | None = None) -> Response[str]:
    return Response(problem.status, PROBLEM_JSON, _problem_json(problem, errors))


def _answer_invalid(invalid: RequestValidationError) -> Response[str]:
    """Name every field that breaks a rule, without repeating what was sent."""
    errors = [
        {"field": ".".join(map(str, error["loc"])), "code": error["type"], "detail": error["msg"]}
        for error in invalid.errors()
    ]
    first = errors[0]
    problem = Invalid("request_invalid", f"{first['field']}: {first['detail']}.")
    return _answer(problem, errors)


def _answer_unsupported(_error: RequestUnsupportedContentType) -> Response[str]:
    return _answer(UnsupportedContent("content_type_unsupported", "Send application/json."))


def _answer_unknown_route(_error: NotFoundError) -> Response[str]:
    return _answer(NotFound("route_not_found", "There is no such route."))


def _answer_defect(defect: Exception) -> Response[str]:
    logger.error("unhandled", exc_info=defect)
    return _answer(Problem("internal_error", "Something went wrong here; it is logged."))
