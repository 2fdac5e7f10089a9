"""The trail: one line for each request that may change something, and for each login."""

import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from functions.accounts.handler import handler as accounts_handler
from functions.announce.handler import handler as announce_handler
from functions.approve.handler import handler as approve_handler
from functions.devices.handler import handler as devices_handler
from functions.login.handler import handler as login_handler
from functions.openapi.handler import handler as openapi_handler
from functions.products.handler import handler as products_handler
from functions.sessions.handler import handler as sessions_handler
from functions.settings.handler import handler as settings_handler
from harness import gateway_events
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws import push
from tests.aws.conftest import HttpCall
from vitrina import login_attempts
from vitrina.accounts import Account
from vitrina.buckets import Rate
from vitrina.channels import ClientType

FUNCTIONS = Path(__file__).parents[2] / "functions"
HANDLERS = [
    import_module(f"functions.{folder.parent.name}.handler")
    for folder in sorted(FUNCTIONS.glob("*/handler.py"))
]
ROUTES = [
    (module.handler, route)
    for module in HANDLERS
    if (app := getattr(module, "app", None))
    for route in (*app._static_routes, *app._dynamic_routes)
]
CHANGING = [(handler, route) for handler, route in ROUTES if route.method != "GET"]
READING = [(handler, route) for handler, route in ROUTES if route.method == "GET"]

Lines = Callable[[], list[dict[str, Any]]]
login = HttpCall(login_handler)
RIGHT = {"email": "user@example.com", "password": "password"}
WRONG = RIGHT | {"password": "hunter2hunter2"}


@pytest.fixture
def lines(cloud: None, logged: Callable[[], str]) -> Lines:
    """Return the trail's lines, without what every log line has."""
    # A handler of WebSockets that ran before in this process leaves its own id.
    common = {"level", "location", "message", "timestamp", "service", "cold_start"} | {
        "connection_id"
    }

    def read() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in logged().splitlines()]
        return [
            {
                name: value
                for name, value in line.items()
                if name not in common and not name.startswith(("function_", "xray_"))
            }
            for line in found
            if line["message"] == "audit"
        ]

    return read


def named(routes: list[tuple[Any, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("handler", "route"), routes, ids=[f"{r.method} {r.openapi_path}" for _, r in routes]
    )


def path_of(route: Any) -> str:
    path: str = route.openapi_path
    path = path.replace("{product_id}", "7").replace("{account_id}", "7")
    return path.replace("{session_id}", "A" * 22).replace("{device_id}", "phone")


@named(CHANGING)
def test_every_route_that_changes_something_leaves_a_line(
    lines: Lines, handler: Any, route: Any
) -> None:
    event = gateway_events.http(route.method, path_of(route), body={})
    answer = handler(event, CONTEXT)
    [line] = lines()
    assert line["source"] == "192.0.2.1"
    assert (line["method"], line["route"]) == (route.method, route.openapi_path)
    numbers = len(re.findall("{(?!session_id|device_id)", route.openapi_path))
    ids = [value for name, value in line.items() if name.endswith("_id") and value == 7]
    assert ids == [7] * numbers
    assert line["status"] == answer["statusCode"]
    assert line["code"] == json.loads(answer["body"])["code"]


@named(CHANGING)
@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [("text/plain", "x", 415), ("application/json", "x" * 70_000, 413)],
)
def test_a_body_that_no_route_takes_leaves_a_line_too(
    lines: Lines, handler: Any, route: Any, content_type: str, body: str, status: int
) -> None:
    headers = {"content-type": content_type}
    event = gateway_events.http(route.method, path_of(route), body=body, headers=headers)
    assert handler(event, CONTEXT)["statusCode"] == status
    [line] = lines()
    assert line["status"] == status


@named(READING)
def test_reading_leaves_none(lines: Lines, handler: Any, route: Any) -> None:
    handler(gateway_events.http("GET", path_of(route)), CONTEXT)
    assert lines() == []


def test_an_unknown_route_changes_nothing_and_leaves_none(lines: Lines) -> None:
    assert HttpCall(openapi_handler)("POST", "/api/v1/unknown", {}).status == 404
    assert lines() == []


# --- What a line says -----------------------------------------------------------------------------


def test_a_registration_names_its_device(
    lines: Lines, monkeypatch: pytest.MonkeyPatch, management_api: ManagementApiStub
) -> None:
    push.turn_on(monkeypatch, management_url=management_api.url)
    token, path = token_of(ClientType.USER), "/api/v1/me/devices/phone"
    body = push.registration(push.token_for("phone")).model_dump(mode="json")
    call = HttpCall(devices_handler)
    call("PUT", path, body, token=token)
    call("DELETE", path, token=token)
    found = [(line["method"], line["actor"], line["device"], line["status"]) for line in lines()]
    assert found == [("PUT", "user:1", "phone", 204), ("DELETE", "user:1", "phone", 204)]


def test_who_did_what_from_where_with_which_result(lines: Lines) -> None:
    shop, admin = token_of(ClientType.SHOP, 4), token_of(ClientType.ADMIN, 7)
    body = {"product_name": "Summer Dress"}
    for _ in range(2):
        HttpCall(products_handler)("POST", "/api/v1/products", body, token=shop)
    approve = HttpCall(approve_handler)
    approve("POST", "/api/v1/admin/products/1/approve", token=admin)
    again = {"moderation_notes": "Again"}
    approve("POST", "/api/v1/admin/products/1/approve", again, token=admin)
    bulk = {"product_ids": [1, 2, 3]} | again
    approve("POST", "/api/v1/admin/products/bulk-approve", bulk, token=admin)
    HttpCall(announce_handler)(
        "POST",
        "/api/v1/admin/announcements",
        {"to": "shop:10", "title": "News", "text": "Something new"},
        token=admin,
    )
    HttpCall(accounts_handler)("POST", "/api/v1/admin/accounts/42/disconnect", token=admin)
    fee = {"approval_fee": 1, "currency": "EUR"}
    HttpCall(settings_handler)(
        "PUT", "/api/v1/admin/settings", fee, token=admin, headers={"if-match": '"9"'}
    )
    where = {"source": "192.0.2.1", "api_request_id": "request"}
    by_shop, by_admin = ({**where, "actor": actor} for actor in ("shop:4", "admin:7"))
    posted = {"method": "POST"}
    products, approval = "/api/v1/products", "/api/v1/admin/products/{product_id}/approve"
    assert lines() == [
        {**by_shop, **posted, "route": products, "product_id": 1, "status": 201},
        {**by_shop, **posted, "route": products, "product_id": 2, "status": 201},
        {**by_admin, **posted, "route": approval, "product_id": 1, "status": 200},
        {
            **by_admin,
            **posted,
            "route": approval,
            "product_id": 1,
            "status": 409,
            "code": "already_moderated",
        },
        {
            **by_admin,
            **posted,
            "route": "/api/v1/admin/products/bulk-approve",
            "products": {"1": "already_moderated", "2": "approved", "3": "not_found"},
            "status": 200,
        },
        {
            **by_admin,
            **posted,
            "route": "/api/v1/admin/announcements",
            "to": "shop:10",
            "status": 200,
        },
        {
            **by_admin,
            **posted,
            "route": "/api/v1/admin/accounts/{account_id}/disconnect",
            "account_id": 42,
            "status": 200,
        },
        {
            **by_admin,
            "method": "PUT",
            "route": "/api/v1/admin/settings",
            "status": 409,
            "code": "settings_changed",
        },
    ]


def test_logins_that_succeed_fail_and_are_refused(
    user_account: Account, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_attempts, "PAIR", Rate(2, 60))
    tokens = login("POST", "/api/v1/auth/login", RIGHT).body
    for _ in range(3):
        login("POST", "/api/v1/auth/login", WRONG)
    own = HttpCall(sessions_handler)
    own("POST", "/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    own("POST", "/api/v1/auth/logout", token=tokens["access_token"])
    *tried, refreshed, logged_out = lines()
    email_hash = login_attempts.email_hash("user@example.com")
    assert [line["email_hash"] for line in tried] == [email_hash] * 4
    assert [(line.get("actor"), line["status"], line.get("code")) for line in tried] == [
        ("user:1", 200, None),
        (None, 401, "credentials_invalid"),
        (None, 401, "credentials_invalid"),
        (None, 429, "too_many_attempts"),
    ]
    for line in (tried[0], refreshed, logged_out):
        assert line["actor"] == "user:1"
        assert line["session"] == tokens["refresh_token"].split(".")[1]
    assert "email_hash" not in refreshed


# --- What no line says ----------------------------------------------------------------------------


def test_no_line_has_a_token_a_password_an_address_or_a_text_of_the_request(
    user_account: Account, lines: Lines, logged: Callable[[], str]
) -> None:
    admin = token_of(ClientType.ADMIN)
    device = login("POST", "/api/v1/auth/login", RIGHT).body["device"]
    for body in (WRONG, WRONG | {"device": device}, WRONG | {"email": "user@example.com@"}):
        login("POST", "/api/v1/auth/login", body)
    for in_path in (admin, "user@example.com", "9" * 17, "hunter2hunter2", "-1", "²"):
        path = f"/api/v1/admin/products/{in_path}/approve"
        answer = HttpCall(approve_handler)("POST", path, token=admin)
        assert answer.status in {404, 422}
    assert len(lines()) == 10
    assert all("product_id" not in line for line in lines())
    for secret in (admin, device, "hunter2hunter2", "user@example.com", "9" * 17, "²"):
        assert secret not in logged()
