"""OpenAPI descriptions of the responses of routes."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse, OpenAPIResponseHeader

from vitrina import entity_tags
from vitrina.errors import KINDS
from vitrina.http_api import PROBLEM_JSON

ETAG: dict[str, OpenAPIResponseHeader] = {
    "ETag": {"schema": {"type": "string", "pattern": entity_tags.PATTERN}}
}
# Headers of a refusal, by its status or by one of its codes.
_HEADERS = {
    401: "WWW-Authenticate",
    429: "Retry-After",
    503: "Retry-After",
    "request_running": "Retry-After",
}


def describe(
    *codes: str, done: HTTPStatus = HTTPStatus.OK, is_versioned: bool = False
) -> dict[int, OpenAPIResponse]:
    """Describe the answers of a route: success, and refusals with these codes.

    Codes that follow from the types of a route's parameters, such as `token_missing`, are added
    by `reference.openapi`.
    """
    success: OpenAPIResponse = {"description": done.phrase}
    if is_versioned:
        success["headers"] = {**ETAG}
    return {int(done): success, **refusals(codes)}


def refusals(codes: Iterable[str]) -> dict[int, OpenAPIResponse]:
    """Describe refusals with these codes, by status; raises ValueError for an unknown code."""
    wanted = set(codes)
    responses: dict[int, OpenAPIResponse] = {}
    for problem in KINDS:
        if found := [code for code in problem.codes if code in wanted]:
            # With `$ref` and siblings, generators of clients would lose the codes.
            schema: dict[str, Any] = {
                "allOf": [
                    {"$ref": "#/components/schemas/Problem"},
                    {"properties": {"code": {"type": "string", "enum": found}}},
                ]
            }
            responses[problem.status] = {
                "description": problem.title,
                "content": {PROBLEM_JSON: {"schema": schema}},
            }
            if headers := [_HEADERS[each] for each in (problem.status, *found) if each in _HEADERS]:
                responses[problem.status]["headers"] = {
                    header: {"schema": {"type": "string"}} for header in headers
                }
            wanted -= {*found}
    if wanted:
        raise ValueError(f"vitrina.errors has no {sorted(wanted)}")
    return responses
