"""The descriptions of both APIs, pages, a client, and the response to unknown routes."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aws_lambda_powertools
from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from vitrina import http_api
from vitrina.errors import MethodNotAllowed

app = http_api.resolver()

HERE = Path(__file__).parent
OPENAPI = (HERE / "openapi.json").read_text()
ASYNCAPI = (HERE / "asyncapi.json").read_text()

# Swagger UI comes with Powertools, whose own page has scripts that a strict policy refuses.
_SWAGGER_UI = Path(aws_lambda_powertools.__file__).parent / "event_handler/openapi/swagger_ui"
PARTS = {
    "docs.js": HERE / "docs.js",
    "pages.css": HERE / "pages.css",
    "swagger-ui.css": _SWAGGER_UI / "swagger-ui.min.css",
    "swagger-ui.js": _SWAGGER_UI / "swagger-ui-bundle.min.js",
}
# The npm package @vitrina/client as one file, which the Makefile puts into the artifact.
CLIENT = HERE / "vitrina.js"

PARTS_TTL_SECONDS = 3600
_SHARED = {"Cache-Control": f"public, max-age={PARTS_TTL_SECONDS}"}
_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript"}

# The pages have no inline scripts or styles, and request nothing from other hosts.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def _methods(described: Iterable[str]) -> str:
    names = {method.upper() for method in described}
    return ", ".join(sorted(names | {"HEAD"} if "GET" in names else names))


_PAGES = {path: ["get"] for path in ("/problems", "/docs", "/docs/{name}", "/client/vitrina.js")}
_ROUTES = [
    (re.compile(re.sub(r"{\w+}", "[^/]+", path)), _methods(described))
    for path, described in (_PAGES | json.loads(OPENAPI)["paths"]).items()
]

# The documents are JSON text, returned as they are.
_ANSWERS: Any = {
    200: {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}
}


@app.get("/openapi.json", responses=_ANSWERS)
def get_openapi() -> Response[str]:
    """Read the OpenAPI 3.1 description of the HTTP API: this document."""
    return Response(200, content_types.APPLICATION_JSON, OPENAPI)


@app.get("/asyncapi.json", responses=_ANSWERS)
def get_asyncapi() -> Response[str]:
    """Read the AsyncAPI 3.0 description of the WebSocket protocol."""
    return Response(200, content_types.APPLICATION_JSON, ASYNCAPI)


@app.get("/problems", include_in_schema=False)
def get_problems() -> Response[str]:
    """Read what each code of a problem means, at the code's anchor."""
    return _page("problems.html")


@app.get("/docs", include_in_schema=False)
def get_docs() -> Response[str]:
    """Read openapi.json as a page."""
    return _page("docs.html")


@app.get("/docs/<name>", include_in_schema=False)
def get_page_part(name: str) -> Response[str]:
    """Read a script or a style sheet of the pages; the edge may cache it."""
    if name not in PARTS:
        return http_api.answer_unknown_route()
    return _file(PARTS[name], _MEDIA_TYPES[name.rpartition(".")[2]], _SHARED)


@app.get("/client/vitrina.js", include_in_schema=False)
def get_client() -> Response[str]:
    """Read the client for pages without a bundler; browsers and the edge may cache it."""
    return _file(CLIENT, _MEDIA_TYPES["js"], _SHARED | {"ETag": _tag(CLIENT)})


def _page(name: str) -> Response[str]:
    return _file(HERE / name, content_types.TEXT_HTML, {"Content-Security-Policy": POLICY})


def _file(path: Path, media_type: str, headers: Mapping[str, str]) -> Response[str]:
    return Response(HTTPStatus.OK, f"{media_type}; charset=utf-8", _read(path), headers=headers)


@cache
def _tag(path: Path) -> str:
    return f'"{hashlib.sha256(_read(path).encode()).hexdigest()[:16]}"'


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def answer_unknown(_error: NotFoundError) -> Response[Any]:
    """Answer a preflight with 204, another method of a path with 405, another path with 404.

    Browsers accept a preflight's response by its status and its CORS headers (Fetch standard). A
    page then reads the response of the request itself, also when that is a 404.
    """
    request = app.current_event
    if request.http_method == "OPTIONS":
        return http_api.no_content()
    for pattern, methods in _ROUTES:
        if pattern.fullmatch(request.path):
            return http_api.answer(MethodNotAllowed(methods))
    return http_api.answer_unknown_route()


app.exception_handler(NotFoundError)(answer_unknown)


handler = http_api.handler(app)
