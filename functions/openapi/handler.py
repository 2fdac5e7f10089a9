"""The descriptions of both APIs, and the answer to requests without a route."""

import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from vitrina import http_api
from vitrina.errors import MethodNotAllowed

app = http_api.resolver()

HERE = Path(__file__).parent
OPENAPI = (HERE / "openapi.json").read_text()
ASYNCAPI = (HERE / "asyncapi.json").read_text()

_ROUTES = [
    (re.compile(re.sub(r"{\w+}", "[^/]+", path)), ", ".join(sorted(map(str.upper, methods))))
    for path, methods in json.loads(OPENAPI)["paths"].items()
]


# The documents are JSON text, returned as they are.
_ANSWERS: Any = {
    200: {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}
}


@app.get("/openapi.json", responses=_ANSWERS)
def openapi() -> Response[str]:
    """Read the OpenAPI 3.1 description of the HTTP API: this document."""
    return Response(200, content_types.APPLICATION_JSON, OPENAPI)


@app.get("/asyncapi.json", responses=_ANSWERS)
def asyncapi() -> Response[str]:
    """Read the AsyncAPI 3.0 description of the WebSocket protocol."""
    return Response(200, content_types.APPLICATION_JSON, ASYNCAPI)


def answer_unknown(_error: NotFoundError) -> Response[Any]:
    """Answer a preflight with 204, another method of a path with 405, another path with 404.

    Browsers accept a preflight's response by its status and its CORS headers (Fetch standard). A
    page then reads the response of the request itself, also when that is a 404.
    """
    request = app.current_event
    if request.http_method == "OPTIONS":
        return Response(HTTPStatus.NO_CONTENT)
    for pattern, methods in _ROUTES:
        if pattern.fullmatch(request.path):
            return http_api.answer(MethodNotAllowed(methods))
    return http_api.answer_unknown_route()


app.exception_handler(NotFoundError)(answer_unknown)


handler = http_api.handler(app)
