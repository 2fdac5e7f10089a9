"""Authentication and authorisation on a deployed stack."""

from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from harness import tokens as bad_tokens
from local import edge
from local.client import Api, Client
from local.emulator import PASSWORD, Cloud
from tests.emulator.conftest import all_logs, wait_until
from vitrina import keys, subscriptions
from vitrina.door import SECRET_HEADER, VIEWER_HEADER


def open_connections() -> int:
    return sum(subscriptions.count().by_type.values())


def refused(url: str, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as refusal:
        Client(url, **options)
    return refusal.value.response.status_code


def test_bad_tokens_are_refused_at_the_handshake_and_stored_nowhere(
    api: Api, tokens: dict[str, str]
) -> None:
    # Those of other tests are closed, and a closing takes a moment to be noticed.
    wait_until(open_connections, 0)
    for why, token in bad_tokens.invalid(keys.signing().value).items():
        assert refused(api.websocket_url("user", token)) in {401, 403}, why
    assert refused(api.websocket_url("admin", tokens["user"])) in {401, 403}
    assert refused(api.websocket_url("user", tokens["admin"])) in {401, 403}
    assert refused(api.websocket_url("root", tokens["user"])) in {401, 403, 404}
    assert open_connections() == 0


def test_the_token_may_ride_in_a_header_or_in_the_subprotocol(
    url: str, tokens: dict[str, str]
) -> None:
    address = url.replace("http", "ws", 1) + "/ws/user"
    bearer = {"Authorization": f"Bearer {tokens['user']}"}
    with Client.connected(address, additional_headers=bearer) as client:
        assert client.socket.subprotocol is None
    with Client.connected(address, subprotocols=["bearer", tokens["user"]]) as client:
        assert client.socket.subprotocol == "bearer"


def test_around_the_edge_the_apis_answer_nothing(cloud: Cloud, tokens: dict[str, str]) -> None:
    address = f"{cloud.websocket_url}?token={tokens['shop']}"
    forged = {SECRET_HEADER: "guess", VIEWER_HEADER: "192.0.2.1"}
    assert refused(address) == 403
    assert refused(address, additional_headers=forged) == 403
    around = Api(cloud.http_url)
    for path in ("/health", "/api/v1/products", "/openapi.json", "/nowhere"):
        answer = around.answer("GET", path, tokens["admin"], headers=forged)
        assert (answer.status_code, answer.json()["code"]) == (403, "edge_required")
    around.close()


def test_with_the_edges_header_the_apis_need_no_edge(cloud: Cloud, tokens: dict[str, str]) -> None:
    passport = {SECRET_HEADER: edge.secret_value(cloud.outputs)}
    address = f"{cloud.websocket_url}?token={tokens['shop']}"
    with Client.connected(address, additional_headers=passport) as client:
        assert client.frames[0].event["data"]["client_type"] == "shop"


@pytest.mark.parametrize(
    ("bearer", "product", "options", "status", "code"),
    [
        (None, "pending", {}, 401, "token_missing"),
        ("garbage", "pending", {}, 401, "token_invalid"),
        ("user", "pending", {}, 403, "client_type_forbidden"),
        ("shop", "pending", {}, 403, "client_type_forbidden"),
        ("admin", 10**9, {}, 404, "product_not_found"),
        ("admin", "x", {}, 422, "request_invalid"),
        ("admin", "pending", {"data": "{"}, 400, "body_not_json"),
        ("admin", "pending", {"data": b"\xff\xfe"}, 400, "body_not_json"),
        ("admin", "pending", {"json": {"moderation_notes": 5}}, 422, "request_invalid"),
        ("admin", "pending", {"data": "x" * 10_000_000}, 413, "body_too_large"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_approval_that_is_refused_says_why_and_writes_nothing(
    api: Api,
    tokens: dict[str, str],
    submit: Callable[[], int],
    bearer: str | None,
    product: object,
    options: dict[str, Any],
    status: int,
    code: str,
) -> None:
    pending = submit()
    answer = api.answer(
        "POST",
        f"/api/v1/admin/products/{pending if product == 'pending' else product}/approve",
        tokens.get(bearer, bearer) if bearer else None,
        headers={"Content-Type": "application/json"},
        **options,
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    path = f"/api/v1/products/{pending}"
    assert api.call("GET", path, tokens["admin"])["moderation_status"] == "pending"


def test_a_body_beyond_api_gateways_limit_is_refused(api: Api, tokens: dict[str, str]) -> None:
    path = "/api/v1/admin/products/1/approve"
    assert api.answer("POST", path, tokens["admin"], data="x" * 11_000_000).status_code == 413


def test_no_token_and_no_password_is_in_any_log(
    cloud: Cloud, api: Api, tokens: dict[str, str]
) -> None:
    """The local cloud keeps no logs of $connect; those are checked with moto."""
    expired = bad_tokens.invalid(keys.signing().value)["expired"]
    refused(api.websocket_url("user", expired))
    api.answer("POST", "/api/v1/admin/products/1/approve", expired)
    api.answer("POST", "/api/v1/auth/login", json={"email": "a@b", "password": "hunter2hunter2"})
    with Client.connected(api.websocket_url("user", tokens["user"])):
        pass
    logged = all_logs()
    assert '"message":"greeted"' in logged
    everything = logged + cloud.log.read_text()
    of_the_edge = edge.secret_value(cloud.outputs)
    signatures = [token.split(".")[2] for token in (*tokens.values(), expired)]
    for secret in (*signatures, of_the_edge, "hunter2hunter2", f'"{PASSWORD}"'):
        assert secret not in everything
