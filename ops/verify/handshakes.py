"""Handshakes: which open, and with which status the others are refused."""

from ops.verify.expectation import Unexpected, expect
from ops.verify.site import OPENS, Site
from vitrina import config
from vitrina.websocket_api import BEARER

FOREIGN_ORIGIN = "https://foreign.example.invalid"


def unauthorized(site: Site) -> int:
    """Return the status of a handshake with a bad token; the local cloud has one for all."""
    return 403 if site.is_local else 401


def without_a_token(site: Site) -> str:
    return expect(site.handshake("user"), unauthorized(site))


def with_a_bad_token(site: Site) -> str:
    return expect(site.handshake("user", "x"), unauthorized(site))


def of_another_type(site: Site) -> str:
    return expect(site.handshake("admin", site.token("user")), 403)


def type_of_the_path(site: Site) -> str:
    query = {"client_type": "user"}
    return expect(site.handshake("shop", site.token("user"), query=query), 403)


def of_a_foreign_origin(site: Site) -> str:
    return expect(site.handshake("user", site.token("user"), origin=FOREIGN_ORIGIN), 403)


def of_its_own_origin(site: Site) -> str:
    return expect(site.handshake("user", site.token("user"), origin=site.own_origin), OPENS)


def of_an_allowed_origin(site: Site) -> str:
    origin = config.current().allowed_origins[0]
    return expect(site.handshake("user", site.token("user"), origin=origin), OPENS)


def token_in_the_query(site: Site) -> str:
    return expect(site.handshake("user", site.token("user")), OPENS)


def token_in_the_header(site: Site) -> str:
    bearer = {"Authorization": f"Bearer {site.token('user')}"}
    return expect(site.handshake("user", additional_headers=bearer), OPENS)


def token_in_the_subprotocol(site: Site) -> str:
    with site.connect("user", subprotocols=[BEARER, site.token("user")]) as client:
        if client.socket.subprotocol != BEARER:
            raise Unexpected(f"101, subprotocol {client.socket.subprotocol}")
    return f"101, subprotocol {BEARER}"
