"""$connect and $disconnect, as API Gateway calls them."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from functions.connect.handler import handler as connect_handler
from functions.disconnect.handler import handler as disconnect_handler
from harness import deployment, tokens
from harness.deployment import KEY
from harness.gateway_events import CONTEXT
from harness.tokens import token_of
from tests.aws.conftest import Clock, stored, stored_connections, subscribed_connections
from vitrina import aws, config, keys, origins
from vitrina.channels import ClientType

pytestmark = pytest.mark.usefixtures("cloud")


def connect(
    token: str | None = None,
    client_type: str | None = None,
    headers: dict[str, str] | None = None,
    connection_id: str = "c1",
    **more: str | None,
) -> Any:
    query = {"token": token, "client_type": client_type, **more}
    event = {
        "requestContext": {
            "eventType": "CONNECT",
            "connectionId": connection_id,
            "routeKey": "$connect",
        },
        "queryStringParameters": {k: v for k, v in query.items() if v is not None} or None,
        "headers": headers or {},
    }
    return connect_handler(event, CONTEXT)


def disconnect(connection_id: str) -> Any:
    return disconnect_handler(
        {"requestContext": {"eventType": "DISCONNECT", "connectionId": connection_id}}, CONTEXT
    )


@pytest.mark.parametrize("client_type", list(ClientType))
def test_a_valid_token_opens_a_connection_of_its_own_path(client_type: ClientType) -> None:
    assert connect(token_of(client_type), client_type)["statusCode"] == 200
    assert stored_connections() == {"c1"}


def test_without_a_path_the_token_alone_decides() -> None:
    assert connect(token_of(ClientType.ADMIN))["statusCode"] == 200


@pytest.mark.parametrize(
    ("batch", "takes_batches"), [("1", True), ("0", False), ("yes", False), (None, False)]
)
def test_a_client_says_in_the_handshake_whether_it_takes_batches(
    batch: str | None, takes_batches: bool
) -> None:
    assert connect(token_of(ClientType.USER), batch=batch)["statusCode"] == 200
    assert stored("c1").takes_batches is takes_batches


@pytest.mark.parametrize(
    ("positions", "kept"),
    [
        ("user:3f0c9a1e:57,user:42:b71d0c55:0", "user:3f0c9a1e:57,user:42:b71d0c55:0"),
        ("undefined:NaN", None),
        (None, None),
    ],
)
def test_positions_that_can_be_read_are_kept_and_others_lock_no_client_out(
    positions: str | None, kept: str | None
) -> None:
    assert connect(token_of(ClientType.USER), positions=positions)["statusCode"] == 200
    assert stored("c1").positions == kept


def test_opening_makes_two_plain_writes_and_two_reads(calls: list[str]) -> None:
    token = token_of(ClientType.USER)
    calls.clear()
    connect(token)
    assert calls == ["Query", "PutItem", "PutItem", "BatchGetItem"]


def test_the_other_two_ways_to_bring_a_token_work() -> None:
    token = token_of(ClientType.USER)
    bearer = connect(headers={"Authorization": f"Bearer {token}"})
    offered = connect(headers={"Sec-WebSocket-Protocol": f"bearer, {token}"}, connection_id="c2")
    assert bearer["statusCode"] == offered["statusCode"] == 200
    assert offered["headers"] == {"Sec-WebSocket-Protocol": "bearer"}
    assert stored_connections() == {"c1", "c2"}


@pytest.mark.parametrize("fault", tokens.INVALID)
def test_a_bad_token_is_refused_stores_nothing_and_is_not_logged(
    fault: str, logged: Callable[[], str]
) -> None:
    token = tokens.invalid(KEY)[fault]
    assert connect(token, "user")["statusCode"] == 401
    assert stored_connections() == set()
    assert '"message":"refused"' in logged()
    assert not token or token not in logged()


def test_a_path_for_another_type_is_refused() -> None:
    assert connect(token_of(ClientType.USER), "admin")["statusCode"] == 403
    assert stored_connections() == set()


def test_an_accepted_token_is_not_logged_either(logged: Callable[[], str]) -> None:
    token = token_of(ClientType.USER)
    connect(token)
    [line] = logged().splitlines()
    assert json.loads(line)["message"] == "connected"
    assert token.split(".")[2] not in line


def test_disconnecting_forgets_the_connection_and_may_come_twice_or_alone() -> None:
    connect(token_of(ClientType.USER), connection_id="c1")
    connect(token_of(ClientType.USER), connection_id="c2")
    for connection_id in ("c1", "c1", "unknown"):
        assert disconnect(connection_id)["statusCode"] == 200
    assert subscribed_connections() == {"c2"}


def test_disconnecting_leaves_the_connections_own_row_to_its_expiry() -> None:
    connect(token_of(ClientType.USER))
    end = stored("c1").expires_at
    disconnect("c1")
    [row] = aws.dynamodb().scan(TableName="connections")["Items"]
    assert aws.from_item(row)["partition"] == "connection#c1"
    assert aws.from_item(row)["expires_at"] == end


def test_a_connection_that_an_eventually_consistent_read_does_not_find_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect(token_of(ClientType.USER))
    get_item = aws.dynamodb().get_item

    def lagging(**request: Any) -> Any:
        return get_item(**request) if request["ConsistentRead"] else {}

    monkeypatch.setattr(aws.dynamodb(), "get_item", lagging)
    disconnect("c1")
    assert subscribed_connections() == set()


def test_the_signing_key_is_read_once_for_many_connections(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Mock(wraps=keys._read)
    monkeypatch.setattr(keys, "_read", read)
    for n in range(5):
        connect(token_of(ClientType.USER), connection_id=f"c{n}")
    read.assert_called_once_with("AWSCURRENT")


def test_pages_connect_from_allowed_origins_only_and_apps_have_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allowed = ("https://Console.example.com:443/", "capacitor://localhost", "ionic://localhost")
    deployment.configure(
        monkeypatch, allowed_origins=tuple(filter(None, map(origins.normalize, allowed)))
    )
    token = token_of(ClientType.ADMIN)
    for origin, status in {
        "https://console.example.com": 200,
        "https://console.example.com:443": 200,
        "capacitor://localhost": 200,
        "ionic://localhost": 200,
        "http://localhost": 403,
        "http://console.example.com": 403,
        "https://evil.example.com": 403,
        "https://console.example.com.evil.com": 403,
        "null": 403,
        "": 403,
    }.items():
        assert connect(token, headers={"Origin": origin})["statusCode"] == status, origin
    assert connect(token, headers={}, connection_id="app")["statusCode"] == 200
    assert stored_connections() == {"c1", "app"}


def test_react_native_may_send_the_requested_host_as_its_origin() -> None:
    headers = {"Host": "api.example.com"}
    for own in ("https://api.example.com:443", "https://api.example.com/", "wss://API.example.com"):
        opened = connect(token_of(ClientType.USER), headers=headers | {"Origin": own})
        assert opened["statusCode"] == 200, own
    for origin in ("https://api.example.com.evil.com", "https://", "//", "https://[", ""):
        assert connect(headers=headers | {"Origin": origin})["statusCode"] == 403


def test_a_forwarded_host_that_anyone_may_send_is_not_believed() -> None:
    for name in ("X-Forwarded-Host", "X-Vitrina-Host"):
        headers = {name: "evil.example", "Origin": "https://evil.example"}
        assert connect(token_of(ClientType.USER), headers=headers)["statusCode"] == 403


def test_no_page_connects_where_no_origin_is_allowed() -> None:
    headers = {"origin": "https://console.example.com"}
    assert connect(token_of(ClientType.ADMIN), headers=headers)["statusCode"] == 403


def test_a_message_that_is_called_as_a_route_is_no_handshake_and_no_end() -> None:
    """Where the type of a message selects the route, it may say `$connect`."""
    connect(token_of(ClientType.USER))
    before = aws.dynamodb().scan(TableName="connections")["Items"]
    event = {
        "requestContext": {"eventType": "MESSAGE", "connectionId": "c1"},
        "body": '{"type":"$disconnect"}',
    }
    for handler in (connect_handler, disconnect_handler):
        answer = handler(event, CONTEXT)
        assert json.loads(answer["body"])["data"]["code"] == "message_invalid"
    assert aws.dynamodb().scan(TableName="connections")["Items"] == before


# --- An identity's limit ---


def test_an_identity_that_has_twice_its_limit_stored_is_refused_before_anything_is_written() -> (
    None
):
    limit = config.current().connections_per_identity
    for n in range(2 * limit):
        assert connect(token_of(ClientType.USER, 42), connection_id=f"c{n}")["statusCode"] == 200
    assert connect(token_of(ClientType.USER, 42), connection_id="more")["statusCode"] == 429
    assert connect(token_of(ClientType.USER, 4), connection_id="another")["statusCode"] == 200
    assert stored_connections() == {"another", *(f"c{n}" for n in range(2 * limit))}


def test_connections_that_have_expired_do_not_count(at: Clock) -> None:
    for n in range(2 * config.current().connections_per_identity):
        connect(token_of(ClientType.USER, 42), connection_id=f"c{n}")
    at(3601)
    assert connect(token_of(ClientType.USER, 42), connection_id="new")["statusCode"] == 200
