"""Responses of the HTTP API: what is read, and how the rest is refused."""

from ops.verify.expectation import Unexpected, expect
from ops.verify.site import Site, problem

# Above Lambda's limit of 6 MB, below API Gateway's of 10 MB.
LARGE_BODY_BYTES = 8 * 1024 * 1024
TOO_LARGE = 413
NO_PRODUCT = "/api/v1/products/999999999999"
APPROVE_NO_PRODUCT = "/api/v1/admin/products/999999999999/approve"


def health(site: Site) -> str:
    answer = site.request("GET", "/health")
    return expect(f"{answer.status_code} {answer.json().get('status')}", "200 ok")


def statistics(site: Site) -> str:
    answer = site.request("GET", "/ws/stats")
    missing = {"total", "by_type", "rooms"} - answer.json().keys()
    if answer.status_code != 200 or missing:  # noqa: PLR2004
        raise Unexpected(f"{answer.status_code} without {', '.join(missing)}")
    return "200"


def openapi(site: Site) -> str:
    return _document(site, "openapi", "3.1")


def asyncapi(site: Site) -> str:
    return _document(site, "asyncapi", "3.0")


def _document(site: Site, name: str, version: str) -> str:
    answer = site.request("GET", f"/{name}.json")
    came = str(answer.json().get(name)) if answer.ok else ""
    return expect(f"{answer.status_code} {name} {came[: len(version)]}", f"200 {name} {version}")


def token_in_a_request(site: Site) -> str:
    answer = site.request("GET", "/api/v1/admin/settings", site.token("admin"))
    return expect(answer.status_code, 200)


def unknown_route(site: Site) -> str:
    return expect(problem(site.request("GET", "/nowhere")), "404 route_not_found")


def unknown_client_type(site: Site) -> str:
    return expect(problem(site.request("GET", "/ws/root")), "404 route_not_found")


def unknown_method(site: Site) -> str:
    answer = site.request("PATCH", "/health")
    return expect(
        f"{problem(answer)}, Allow: {answer.headers.get('Allow')}",
        "405 method_not_allowed, Allow: GET, HEAD",
    )


def large_body(site: Site) -> str:
    token = site.token("admin")
    answer = site.request("POST", APPROVE_NO_PRODUCT, token, data=b" " * LARGE_BODY_BYTES)
    return expect(answer.status_code, TOO_LARGE)


def refusal_is_not_kept(site: Site) -> str:
    """Ask twice: the second response does not come from a cache."""
    first, second = (site.request("GET", NO_PRODUCT) for _ in range(2))
    kept = [name for name in ("Age", "X-Cache") if "Hit" in second.headers.get(name, "")]
    kept += ["Age"] if "Age" in second.headers else []
    caching = second.headers.get("Cache-Control")
    return expect(
        f"{problem(first)}, {caching}, {', '.join(kept) or 'not cached'}",
        "404 product_not_found, no-store, not cached",
    )
