"""A guarded stage: around the edge nothing is answered, and the edge alone is believed."""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from functions.connect.handler import handler as connect
from harness import deployment, gateway_events
from harness.gateway_events import CONTEXT
from harness.tokens import token_of
from infra.cdk.functions import FUNCTIONS
from ops import edge_value
from tests.aws.conftest import Clock
from vitrina import aws, config, copies, door, keys
from vitrina.channels import ClientType
from vitrina.door import SECRET_HEADER, VIEWER_HEADER
from vitrina.origins import EDGE_HOST_HEADER

FIRST, SECOND = "f" * 64, "s" * 64
EDGE_SECRET = "edge-secret"
FROM_EDGE = {SECRET_HEADER: FIRST}
AROUND: list[dict[str, str]] = [
    {},
    {SECRET_HEADER: ""},
    {SECRET_HEADER: FIRST[1:]},
    {SECRET_HEADER: f"{FIRST}, {FIRST}"},
    {SECRET_HEADER: "ключ"},
    {VIEWER_HEADER: "198.51.100.7", EDGE_HOST_HEADER: "api.your.shop"},
]
PATHS = {
    "login": ("POST", "/api/v1/auth/login"),
    "approve": ("POST", "/api/v1/admin/products/1/approve"),
    "reject": ("POST", "/api/v1/admin/products/1/reject"),
    "products": ("GET", "/api/v1/products"),
    "settings": ("GET", "/api/v1/admin/settings"),
    "announce": ("POST", "/api/v1/admin/announcements"),
    "accounts": ("POST", "/api/v1/admin/accounts/1/disconnect"),
    "sessions": ("GET", "/api/v1/me"),
    "devices": ("GET", "/api/v1/me/notifications"),
    "events": ("GET", "/api/v1/events"),
    "stats": ("GET", "/health"),
    "openapi": ("OPTIONS", "/api/v1/products"),
}


def store(**values: str) -> None:
    aws.secretsmanager().put_secret_value(SecretId=EDGE_SECRET, SecretString=json.dumps(values))


def stored() -> Any:
    found = aws.secretsmanager().get_secret_value(SecretId=EDGE_SECRET)
    return json.loads(found["SecretString"])


@pytest.fixture
def edge(cloud: None) -> None:
    """Create the edge's secret as a first deployment does."""
    text = json.dumps({"first": FIRST, "second": ""})
    aws.secretsmanager().create_secret(Name=EDGE_SECRET, SecretString=text)


@pytest.fixture
def guarded(edge: None, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.configure(monkeypatch, guarded=True, edge_secret=EDGE_SECRET)


@pytest.fixture
def unguarded(edge: None, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.configure(monkeypatch, edge_secret=EDGE_SECRET)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the secrets that are read, one after the other."""
    seen: list[str] = []
    client = aws.secretsmanager()
    original = client.get_secret_value

    def read(**request: Any) -> Any:
        seen.append(request["SecretId"])
        return original(**request)

    monkeypatch.setattr(client, "get_secret_value", read)
    return seen


def status_of_handshake(headers: dict[str, str], **more: Any) -> int:
    event = gateway_events.websocket(
        "CONNECT", "one", token=token_of(ClientType.USER), headers=headers, **more
    )
    return int(connect(event, CONTEXT)["statusCode"])


def request(name: str, headers: dict[str, str]) -> Any:
    method, path = PATHS[name]
    handler = import_module(f"functions.{name}.handler").handler
    return handler(gateway_events.http(method, path, headers=headers), CONTEXT)


def test_every_function_behind_the_http_api_is_asked() -> None:
    assert {*PATHS, "connect"} == {name for name, needs in FUNCTIONS.items() if needs.has_door}


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("headers", AROUND, ids=str)
def test_around_the_edge_every_function_answers_403(
    guarded: None, name: str, headers: dict[str, str]
) -> None:
    answer = request(name, headers)
    assert answer["statusCode"] == 403
    assert json.loads(answer["body"])["code"] == "edge_required"
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert request(name, headers | FROM_EDGE)["statusCode"] != 403


@pytest.mark.parametrize("headers", AROUND, ids=str)
def test_around_the_edge_no_handshake_opens(guarded: None, headers: dict[str, str]) -> None:
    assert status_of_handshake(headers) == 403
    assert status_of_handshake(headers | FROM_EDGE) == 200


def test_a_stage_that_is_not_guarded_answers_around_the_edge(unguarded: None) -> None:
    assert status_of_handshake({}) == 200
    assert request("products", {})["statusCode"] == 200


def test_a_request_without_the_header_makes_nobody_read_a_secret(
    guarded: None, reads: list[str]
) -> None:
    assert status_of_handshake({}) == 403
    assert request("products", {})["statusCode"] == 403
    assert EDGE_SECRET not in reads


def test_the_secret_is_read_once_for_five_minutes(
    guarded: None, reads: list[str], at: Clock
) -> None:
    at(-copies.TTL_SECONDS)
    for _ in range(3):
        assert request("openapi", FROM_EDGE)["statusCode"] == 204
        assert request("openapi", {SECRET_HEADER: "guess"})["statusCode"] == 403
    assert reads == [EDGE_SECRET]
    at(0)
    assert request("openapi", FROM_EDGE)["statusCode"] == 204
    assert reads == [EDGE_SECRET] * 2


def test_known_values_are_accepted_while_secrets_manager_fails(
    guarded: None, at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise ConnectionError

    assert request("openapi", FROM_EDGE)["statusCode"] == 204
    monkeypatch.setattr(aws.secretsmanager(), "get_secret_value", fail)
    at(copies.MAX_OUTAGE_SECONDS - 1)
    assert request("openapi", FROM_EDGE)["statusCode"] == 204
    assert request("openapi", {SECRET_HEADER: SECOND})["statusCode"] == 403


def test_a_value_is_replaced_while_the_edge_sends_the_other(guarded: None, at: Clock) -> None:
    def statuses() -> list[int]:
        values = (FIRST, SECOND)
        return [request("openapi", {SECRET_HEADER: value})["statusCode"] for value in values]

    assert statuses() == [204, 403]
    store(first=FIRST, second=SECOND)
    at(copies.TTL_SECONDS)
    assert statuses() == [204, 204]
    store(first="n" * 64, second=SECOND)
    at(2 * copies.TTL_SECONDS)
    assert statuses() == [403, 204]


def test_an_operator_replaces_the_value_that_the_edge_does_not_send(guarded: None) -> None:
    outputs = {"EdgeSecret": EDGE_SECRET, "EdgeValue": "first"}
    assert edge_value.replace_unused(outputs) == "second"
    assert stored()["first"] == FIRST
    second = stored()["second"]
    assert len(second) == 64
    assert edge_value.replace_unused(outputs | {"EdgeValue": "second"}) == "first"
    assert (stored()["first"] == FIRST, stored()["second"]) == (False, second)
    assert request("openapi", {SECRET_HEADER: second})["statusCode"] == 204


def test_the_empty_value_opens_nothing(guarded: None) -> None:
    store(first="", second="")
    door.forget()
    assert [status_of_handshake(headers) for headers in (*AROUND, FROM_EDGE)] == [403] * (
        len(AROUND) + 1
    )


def test_no_value_is_logged(guarded: None, logged: Callable[[], str]) -> None:
    status_of_handshake(FROM_EDGE)
    request("products", FROM_EDGE)
    status_of_handshake({SECRET_HEADER: SECOND})
    assert "edge_required" in logged()
    assert not {FIRST, SECOND} & {*logged().replace('"', " ").split()}
    assert FIRST not in logged()


# --- What the edge says --------------------------------------------------------------------------


def events(headers: dict[str, str]) -> list[dict[str, Any]]:
    return [
        gateway_events.http("GET", "/health", headers=headers),
        gateway_events.websocket(
            "CONNECT", "one", headers={name.title(): value for name, value in headers.items()}
        ),
    ]


@pytest.mark.parametrize("is_guarded", [True, False])
def test_the_address_is_the_clients_if_the_edge_says_it(
    edge: None, monkeypatch: pytest.MonkeyPatch, *, is_guarded: bool
) -> None:
    deployment.configure(monkeypatch, guarded=is_guarded, edge_secret=EDGE_SECRET)
    said = {VIEWER_HEADER: "2001:db8::7"}
    for event in events(said | FROM_EDGE):
        assert door.client_address(event) == "2001:db8::7"
    for headers in (said, said | {SECRET_HEADER: "guess"}, FROM_EDGE, {}):
        for event in events(headers):
            assert door.client_address(event) == "192.0.2.1"


def test_without_an_edge_nobody_names_another_address_than_their_own(
    cloud: None, reads: list[str]
) -> None:
    for event in events({VIEWER_HEADER: "198.51.100.7", SECRET_HEADER: "x"}):
        assert door.client_address(event) == "192.0.2.1"
    assert reads == []


def test_an_event_without_an_address_has_none(cloud: None) -> None:
    assert door.client_address({"requestContext": {"connectionId": "one"}}) == ""
    assert door.client_address({}) == ""


def test_the_requested_host_is_the_edges_if_the_edge_says_it(unguarded: None) -> None:
    page = {"origin": "https://api.your.shop", "host": "x.execute-api.example"}
    said = page | {EDGE_HOST_HEADER: "api.your.shop"}
    assert status_of_handshake(said | FROM_EDGE) == 200
    assert status_of_handshake(said) == 403
    assert status_of_handshake(page | FROM_EDGE) == 403


def test_without_an_edge_only_the_own_host_is_believed(cloud: None) -> None:
    page = {"origin": "https://api.your.shop", "host": "api.your.shop"}
    assert status_of_handshake(page) == 200
    assert status_of_handshake(page | {"host": "x", EDGE_HOST_HEADER: "api.your.shop"}) == 403


def test_the_edges_secret_is_not_the_key_of_tokens(guarded: None, reads: list[str]) -> None:
    keys.signing()
    status_of_handshake(FROM_EDGE)
    assert {*reads} == {config.current().signing_key_secret, EDGE_SECRET}
