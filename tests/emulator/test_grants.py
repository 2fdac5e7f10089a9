"""A function fails without one of its grants, on a deployed stack: roles are enforced here."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import boto3
import pytest
from websockets.exceptions import InvalidStatus

from local.client import Api, Client
from tests.emulator.conftest import Connect, let_half_a_minute_pass, sweep, wait_until
from tests.emulator.grants import function_name, removed
from vitrina import history


class Call(NamedTuple):
    """A request, and the one grant that it is made without."""

    name: str
    action: str
    resource: str
    method: str
    path: str
    """{} is a pending product."""
    client_type: str | None = "admin"
    body: Any = None


NOTES = {"moderation_notes": "Нет фотографии"}
NEWS = {"to": "user", "title": "Тест", "text": "Тест"}
NOBODY = {"email": "stranger@example.com", "password": "12345678"}
CALLS = [
    Call("approve", "dynamodb:PutItem", "Products", "POST", "admin/products/{}/approve"),
    Call("approve", "dynamodb:BatchGetItem", "History", "POST", "admin/products/{}/approve"),
    Call("reject", "dynamodb:PutItem", "History", "POST", "admin/products/{}/reject", body=NOTES),
    Call(
        "products",
        "dynamodb:UpdateItem",
        "Platform",
        "POST",
        "products",
        "shop",
        {"product_name": "Стул"},
    ),
    Call("products", "dynamodb:Query", "index/moderation_status", "GET", "products", None),
    Call("products", "dynamodb:GetItem", "Platform", "GET", "admin/moderation/queue"),
    Call(
        "products", "dynamodb:Query", "index/shop_status", "GET", "products?status=pending", "shop"
    ),
    Call("announce", "dynamodb:PutItem", "History", "POST", "admin/announcements", body=NEWS),
    Call("accounts", "dynamodb:UpdateItem", "Sessions", "POST", "admin/accounts/4242/disconnect"),
    Call("settings", "dynamodb:GetItem", "Platform", "GET", "admin/settings"),
    Call("events", "dynamodb:Query", "History", "GET", "events?channel=admin"),
    Call("events", "dynamodb:UpdateItem", "Platform", "GET", "events?channel=admin"),
    Call("devices", "dynamodb:GetItem", "Devices", "DELETE", "me/devices/phone"),
    Call("login", "dynamodb:GetItem", "Accounts", "POST", "auth/login", None, NOBODY),
    Call("login", "dynamodb:UpdateItem", "Platform", "POST", "auth/login", None, NOBODY),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.name}-{call.action}")
def test_a_request_fails_without_a_grant_and_says_nothing_of_why(
    api: Api, tokens: dict[str, str], submit: Callable[[], int], call: Call
) -> None:
    path = f"/api/v1/{call.path.format(submit())}"

    def status() -> int:
        token = tokens[call.client_type] if call.client_type else None
        answer = api.answer(call.method, path, token, json=call.body)
        if answer.status_code == 500:
            assert answer.json()["code"] == "internal_error"
            assert "AccessDenied" not in answer.text
        return answer.status_code

    with removed(call.name, call.action, call.resource):
        assert status() == 500
    assert status() != 500


@pytest.mark.parametrize(
    ("action", "table"),
    [
        ("dynamodb:Query", "Connections"),
        ("dynamodb:GetItem", "Platform"),
        ("dynamodb:UpdateItem", "Platform"),
    ],
)
def test_health_is_not_ok_without_a_grant(api: Api, action: str, table: str) -> None:
    with removed("stats", action, table):
        # What was counted is kept for two seconds.
        wait_until(lambda: api.answer("GET", "/health").status_code, 503)
    wait_until(lambda: api.answer("GET", "/health").status_code, 200)


def test_connecting_fails_when_connections_cannot_be_stored(
    api: Api, tokens: dict[str, str]
) -> None:
    url = api.websocket_url("user", tokens["user"])
    with removed("connect", "dynamodb:PutItem", "Connections"), pytest.raises(InvalidStatus):
        Client(url)
    with Client.connected(url):
        pass


def invoke(name: str, event: object) -> Any:
    """Invoke a function; return its answer, or raise RuntimeError with what it raised."""
    answer = boto3.client("lambda").invoke(
        FunctionName=function_name(name), Payload=json.dumps(event)
    )
    payload = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise RuntimeError(payload)
    return json.loads(payload)


def is_denied() -> AbstractContextManager[Any]:
    return pytest.raises(RuntimeError, match="AccessDenied")


def websocket_event(connection_id: str, event_type: str, body: Any = None) -> dict[str, Any]:
    context = {"connectionId": connection_id, "eventType": event_type}
    return {"requestContext": context, "body": json.dumps(body)}


def test_a_connection_is_not_forgotten_without_the_deletion_of_rows(connect: Connect) -> None:
    connection_id = connect("user").frames[0].event["data"]["connection_id"]
    event = websocket_event(connection_id, "DISCONNECT")
    with (
        removed("disconnect", "dynamodb:DeleteItem", "Connections"),
        pytest.raises(RuntimeError, match="AccessDenied"),
    ):
        invoke("disconnect", event)
    assert invoke("disconnect", event)["statusCode"] == 200


def test_a_room_is_not_joined_without_the_change_of_rows(connect: Connect) -> None:
    connection_id = connect("user").frames[0].event["data"]["connection_id"]
    event = websocket_event(connection_id, "MESSAGE", {"type": "join", "room": "sale"})
    with (
        removed("message", "dynamodb:UpdateItem", "Connections"),
        pytest.raises(RuntimeError, match="AccessDenied"),
    ):
        invoke("message", event)
    assert "joined" in invoke("message", event)["body"]


def test_nothing_is_swept_without_the_index_of_the_outbox() -> None:
    with (
        removed("sweep", "dynamodb:Query", "index/outbox"),
        pytest.raises(RuntimeError, match="AccessDenied"),
    ):
        invoke("sweep", {})
    invoke("sweep", {})


def test_a_task_goes_back_to_the_queue_without_the_reading_of_history() -> None:
    task = {"type": "post_again", "channel": "user", "seqs": [1], "members": [], "attempt": 1}
    event = {"Records": [{"messageId": "one", "body": json.dumps(task)}]}
    with removed("fanout", "dynamodb:Query", "History"):
        assert invoke("fanout", event)["batchItemFailures"] == [{"itemIdentifier": "one"}]
    assert invoke("fanout", event)["batchItemFailures"] == []


def test_an_approval_that_may_not_post_is_late_and_not_lost(
    connect: Connect, submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    """What the management API refuses stays in the outbox, and all connections stay stored."""
    client = connect("user")
    product_id = submit()
    with removed("approve", "execute-api:ManageConnections", "/POST/@connections"):
        broadcast = approve(product_id).json()["broadcast"]
    assert broadcast["delivered"] == 0
    assert client.events("product.approved") == []
    let_half_a_minute_pass()
    sweep()
    [frame] = client.wait_for("product.approved")
    assert frame.event["data"]["product_id"] == product_id
    assert list(history.unsent(-1)) == []
