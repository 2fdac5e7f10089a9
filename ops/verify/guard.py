"""The guard: what the APIs' own URLs answer without the edge's header."""

from ops.verify.expectation import Unexpected, expect
from ops.verify.site import Site, problem
from vitrina import config
from vitrina.door import SECRET_HEADER, VIEWER_HEADER
from vitrina.origins import EDGE_HOST_HEADER

# Of functions that need a token and of those that need none, and one that does not exist.
ROUTES = {
    "/health": "GET",
    "/openapi.json": "GET",
    "/api/v1/products": "GET",
    "/api/v1/admin/settings": "GET",
    "/api/v1/auth/login": "POST",
    "/nowhere": "GET",
}
REFUSAL = "403 edge_required"
# What anyone can send.
FORGED = {
    SECRET_HEADER: "x" * 64,
    VIEWER_HEADER: "192.0.2.1",
    EDGE_HOST_HEADER: "localhost",
}


def requests(site: Site) -> str:
    for path, method in ROUTES.items():
        for headers in ({}, FORGED):
            answer = site.request(method, path, headers=headers)
            if (came := problem(answer)) != REFUSAL:
                raise Unexpected(f"{came} to {method} {path}")
    return REFUSAL


def handshakes(site: Site) -> str:
    # A stage that is not guarded lets this token in; without one it answers 401.
    token = "" if config.current().token_jwks_url else site.token("user")
    plain = site.handshake("user", token)
    forged = site.handshake("user", token, additional_headers=FORGED)
    return expect(f"{plain}, {forged}", "403, 403")
