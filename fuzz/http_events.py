"""HTTP requests with hostile input, as API Gateway sends them to functions."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from fuzz import words
from fuzz.backend import EMAILS, EPOCH, PASSWORD, STALE_CURSOR, TOKENS, Case
from fuzz.source import Source, is_chosen, pick
from fuzz.words import document, word
from harness import gateway_events

Body = Callable[[Source], dict[str, Any]]
Route = tuple[str, str, Body | None]
"""Method, path, and a function that makes a valid body."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "X")
_CONTENT_TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    "application/problem+json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/json; charset=utf-16",
)
_SOURCES = ("192.0.2.1", "198.51.100.1", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8:0:1::1")
_BOUNDARY_BODY = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n--x--\r\n'


def _credentials(source: Source) -> dict[str, Any]:
    return {
        "email": word(source, *EMAILS),
        "password": PASSWORD if is_chosen(source, 2) else words.secret(source),
        **({"device": word(source, "{{device}}", "..", "a.1.b")} if is_chosen(source, 2) else {}),
        **({"device_name": word(source, "Phone")} if is_chosen(source, 2) else {}),
    }


def _refresh(source: Source) -> dict[str, Any]:
    halves = pick(source, ("{{refresh}}", "{{user}}", f"user:1.{'A' * 22}.{'A' * 43}.{'A' * 22}"))
    return {"refresh_token": word(source, halves)}


def _submission(source: Source) -> dict[str, Any]:
    return {
        "product_name": word(source, "Summer Dress"),
        "description": word(source, "Light, cotton"),
        "price": pick(source, (words.Raw("19.99"), 0, *words.NUMBERS, *words.RAW)),
        "image_url": word(source, "https://example.com/dress.jpg", *words.URLS),
    }


def _approval(source: Source) -> dict[str, Any]:
    return {"moderation_notes": word(source, "Approved", "")}


def _bulk_approval(source: Source) -> dict[str, Any]:
    ids = [pick(source, (1, 2, 3, 4, 5, *words.NUMBERS)) for _ in range(source.number(0, 5))]
    if is_chosen(source, 2):
        seen = [
            {"product_id": product_id, "version": pick(source, (1, 2, 3, *words.NUMBERS))}
            for product_id in (1, *ids)
        ]
        return {"products": seen * pick(source, (1, 1, 1, 2, 30)), **_approval(source)}
    return {"product_ids": [1, *ids] * pick(source, (1, 1, 2, 30)), **_approval(source)}


def _announcement(source: Source) -> dict[str, Any]:
    to = word(source, "user", "shop:10", "room:sale", "admin", "room:shop:10.x", "room:Admin.x")
    return {"to": to, "title": word(source, "News"), "text": word(source, "Something new")}


def _platform_settings(source: Source) -> dict[str, Any]:
    return {
        "approval_fee": pick(source, (5, *words.RAW, *words.NUMBERS)),
        "currency": word(source, "RUB", "EUR"),
        "longest_notes": pick(source, (1000, *words.NUMBERS)),
        "shortest_rejection_notes": pick(source, (1, *words.NUMBERS)),
    }


def _registration(source: Source) -> dict[str, Any]:
    return {
        "platform": word(source, "apns", "fcm", "apns_sandbox"),
        "token": word(source, "a" * 64) if is_chosen(source, 2) else words.secret(source),
        "locale": word(source, "ru-RU", "en"),
        "timezone": word(source, "Europe/Moscow", "Europe", "../UTC", "UTC"),
        "app_version": word(source, "1.0"),
    }


def _preferences(source: Source) -> dict[str, Any]:
    events = ("product.approved", "product.rejected", "announcement.published", "product.submitted")
    quiet = {name: word(source, "22:00", "07:00", "24:00") for name in ("start", "end")}
    return {
        "events": {
            word(source, *events): word(source, "push", "digest", "off")
            for _ in range(source.number(0, 3))
        },
        "quiet_hours": pick(source, (None, quiet, quiet | {"timezone": "Europe/Berlin"})),
    }


ROUTES: Mapping[str, tuple[Route, ...]] = {
    "accounts": (
        ("GET", "/api/v1/admin/accounts", None),
        ("GET", "/api/v1/admin/accounts/{account_id}/sessions", None),
        ("DELETE", "/api/v1/admin/accounts/{account_id}/sessions/{session_id}", None),
        ("POST", "/api/v1/admin/accounts/{account_id}/disconnect", None),
    ),
    "announce": (("POST", "/api/v1/admin/announcements", _announcement),),
    "approve": (
        ("POST", "/api/v1/admin/products/{product_id}/approve", _approval),
        ("POST", "/api/v1/admin/products/bulk-approve", _bulk_approval),
    ),
    "devices": (
        ("PUT", "/api/v1/me/devices/{device_id}", _registration),
        ("DELETE", "/api/v1/me/devices/{device_id}", None),
        ("GET", "/api/v1/me/notifications", None),
        ("PUT", "/api/v1/me/notifications", _preferences),
    ),
    "events": (("GET", "/api/v1/events", None),),
    "login": (("POST", "/api/v1/auth/login", _credentials),),
    "openapi": (("GET", "/openapi.json", None), ("GET", "/asyncapi.json", None)),
    "products": (
        ("GET", "/api/v1/products", None),
        ("GET", "/api/v1/products/{product_id}", None),
        ("GET", "/api/v1/admin/moderation/queue", None),
        ("POST", "/api/v1/products", _submission),
        ("PUT", "/api/v1/products/{product_id}", _submission),
    ),
    "reject": (
        ("POST", "/api/v1/admin/products/{product_id}/reject", _approval),
        ("POST", "/api/v1/admin/products/{product_id}/withdraw", _approval),
        ("POST", "/api/v1/admin/products/bulk-reject", _bulk_approval),
    ),
    "sessions": (
        ("POST", "/api/v1/auth/refresh", _refresh),
        ("POST", "/api/v1/auth/logout", None),
        ("GET", "/api/v1/me", None),
        ("GET", "/api/v1/me/sessions", None),
        ("DELETE", "/api/v1/me/sessions", None),
        ("DELETE", "/api/v1/me/sessions/{session_id}", None),
    ),
    "settings": (
        ("GET", "/api/v1/admin/settings", None),
        ("PUT", "/api/v1/admin/settings", _platform_settings),
        ("GET", "/api/v1/settings", None),
    ),
    "stats": (("GET", "/health", None), ("GET", "/ws/stats", None)),
}
_ALL = tuple(route for routes in ROUTES.values() for route in routes)

# The parameters of a route's query.
_DECLARED = {
    "GET /api/v1/products": ("status", "limit", "cursor", "since", "shop_id"),
    "GET /api/v1/events": ("channel", "since", "limit"),
    "GET /api/v1/admin/moderation/queue": ("limit", "cursor", "shop_id"),
    "GET /api/v1/admin/accounts": ("email",),
    "GET /api/v1/admin/accounts/{account_id}/sessions": ("client_type",),
    "POST /api/v1/admin/accounts/{account_id}/disconnect": ("client_type",),
}

# The usual token of a path.
_BEARERS = {
    "/api/v1/products": "{{shop}}",
    "/api/v1/admin": "{{admin}}",
    # No other request needs its session.
    "/api/v1/auth/logout": "{{leaver}}",
    "/api/v1/me": "{{leaver}}",
}


def case(name: str, source: Source) -> Case:
    """Return a request to one of a handler's routes, or sometimes to another route."""
    method, template, body = pick(source, _ALL if is_chosen(source, 12) else ROUTES[name])
    if is_chosen(source, 12):
        method = pick(source, _METHODS)
    event = gateway_events.http(
        method, _path(source, template), query=_query(source, f"{method} {template}")
    )
    event["headers"] = _headers(source, template)
    event["requestContext"]["http"]["userAgent"] = word(source, "agent")
    event["requestContext"]["http"]["sourceIp"] = pick(source, _SOURCES)
    if is_chosen(source, 20):
        event["cookies"] = [word(source, "a=b")]
    return Case(event | _body(source, body))


def _path(source: Source, template: str) -> str:
    path = template.replace("{product_id}", "{id}").replace("{account_id}", "{id}")
    ids = ("1", "2", "3", "4", "5", "66", "100")
    path = path.replace("{id}", word(source, *ids) if "{id}" in path else "")
    path = path.replace("{device_id}", word(source, "phone", "A" * 64))
    path = path.replace("{session_id}", word(source, "{{session}}", "A" * 22))
    return word(source, path) if is_chosen(source, 12) else path


def _query(source: Source, route: str) -> dict[str, str]:
    """Return a query of the parameters that a route declares; it refuses all others."""
    likely = {
        "status": ("pending", "approved", "rejected", "withdrawn", "approved,pending"),
        "shop_id": ("10", "11"),
        "limit": ("1", "2", "100", "1,2", "1_0"),
        "cursor": (STALE_CURSOR, _cursor(source)),
        "since": (f"{EPOCH}:1", f"{EPOCH}:99"),
        "channel": ("user", "user:1", "room:sale", "admin", "user,user:1"),
        "email": EMAILS,
        "client_type": ("user", "shop"),
    }
    query = {
        name: word(source, *likely[name])
        for name in _DECLARED.get(route, ())
        if is_chosen(source, 3)
    }
    if is_chosen(source, 20):
        query[word(source, "Limit", "status[]", "token")] = source.text()
    return query


def _cursor(source: Source) -> str:
    """Return a cursor with plausible contents."""
    listing = word(source, "approved", "10#pending", "pending")
    changed_at = word(source, "2026-01-01T00:00:00+00:00", "1")
    sound = {"product_id": 1, "listing": listing, "status_changed_at": changed_at}
    text = document(source, sound)
    return base64.urlsafe_b64encode(text.encode(errors="surrogatepass")).decode()


def _headers(source: Source, template: str) -> dict[str, str]:
    bearer = next((of for start, of in _BEARERS.items() if template.startswith(start)), "{{user}}")
    headers = {"host": "api.example.com", "x-forwarded-for": word(source, "192.0.2.1")}
    if not is_chosen(source, 12):
        headers["content-type"] = (
            "application/json" if not is_chosen(source, 6) else word(source, *_CONTENT_TYPES)
        )
    if not is_chosen(source, 12):
        headers["authorization"] = (
            f"Bearer {bearer}" if not is_chosen(source, 4) else authorization(source)
        )
    if is_chosen(source, 3):
        headers["if-match"] = word(source, '"1"', '"0"', '"2"', '"999999999999999"', "*", 'W/"1"')
    if is_chosen(source, 3):
        headers["idempotency-key"] = word(source, "a", "b", "c" * 255, "", "a b")
    if is_chosen(source, 20):
        headers[word(source, "cookie", "accept", "origin", "x-http-method-override").lower()] = (
            word(source, "*/*")
        )
    return headers


def authorization(source: Source) -> str:
    """Return a header with a token, possibly a valid one."""
    scheme = pick(source, ("Bearer ", "bearer ", "BEARER  ", "Basic ", "Bearer", ""))
    token = words.secret(source) if is_chosen(source, 3) else pick(source, TOKENS)
    return scheme + token


def _body(source: Source, sound: Body | None) -> dict[str, Any]:
    if sound is None and not is_chosen(source, 6):
        return {"isBase64Encoded": False}
    members = sound(source) if sound else {}
    text = document(source, members)
    if is_chosen(source, 20):
        name = pick(source, list(members)) if members else "a"
        text = pick(source, (_BOUNDARY_BODY.format(name, word(source, "x")), f"{name}=1&a"))
    if not is_chosen(source, 6):
        return {"body": text, "isBase64Encoded": False}
    raw = text.encode(errors="surrogatepass") if is_chosen(source, 2) else source.data()
    return {
        "body": word(source, base64.b64encode(raw).decode()),
        "isBase64Encoded": True,
    }
