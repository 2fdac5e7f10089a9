"""Origins: which pages may read responses of the HTTP API."""

import requests

from ops.verify.expectation import Unexpected, expect
from ops.verify.handshakes import FOREIGN_ORIGIN
from ops.verify.site import Site
from vitrina import config, cors

NO_CONTENT = 204
# A route of each method that needs a preflight, and one that does not exist.
ROUTES = {
    "/api/v1/admin/settings": "PUT",
    "/api/v1/admin/products/1/approve": "POST",
    "/api/v1/products": "GET",
    "/api/v1/auth/login": "POST",
    "/nowhere": "POST",
}


def preflights(site: Site) -> str:
    """Ask for each route with the allowed origin, method and headers."""
    origin = config.current().allowed_origins[0]
    for path, method in ROUTES.items():
        answer = _preflight(site, path, method, origin)
        methods = answer.headers.get("Access-Control-Allow-Methods", "")
        if (answer.status_code, _allowed(answer)) != (NO_CONTENT, origin) or method not in methods:
            allowed = {name: answer.headers[name] for name in answer.headers if _is_cors(name)}
            raise Unexpected(f"{answer.status_code} {method} {path}: {allowed}")
        if answer.headers.get("Access-Control-Allow-Headers") != ", ".join(cors.REQUEST_HEADERS):
            raise Unexpected(f"{path}: {answer.headers.get('Access-Control-Allow-Headers')}")
    return f"204 for {len(ROUTES)} routes"


def foreign_preflight(site: Site) -> str:
    answer = _preflight(site, "/api/v1/admin/settings", "PUT", FOREIGN_ORIGIN)
    return expect(f"{answer.status_code}, {_cors_of(answer)}", "204, no CORS header")


def allowed_page(site: Site) -> str:
    """Read the list twice: a response that was cached for an app must not reach a page."""
    origin = config.current().allowed_origins[0]
    path = "/api/v1/products"
    site.request("GET", path)
    return expect(_allowed(site.request("GET", path, headers={"Origin": origin})), origin)


def foreign_page(site: Site) -> str:
    answer = site.request("GET", "/health", headers={"Origin": FOREIGN_ORIGIN})
    return expect(f"{answer.status_code}, {_cors_of(answer)}", "200, no CORS header")


def _preflight(site: Site, path: str, method: str, origin: str) -> requests.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ",".join(cors.REQUEST_HEADERS),
    }
    return site.request("OPTIONS", path, headers=asked)


def _allowed(answer: requests.Response) -> str | None:
    return answer.headers.get("Access-Control-Allow-Origin")


def _cors_of(answer: requests.Response) -> str:
    return ", ".join(filter(_is_cors, answer.headers)) or "no CORS header"


def _is_cors(name: str) -> bool:
    return name.lower().startswith("access-control-")
