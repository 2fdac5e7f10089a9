"""A conflict at any single write changes nothing but the time that a function takes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from moto import mock_aws

from functions.approve.handler import handler as approve
from functions.connect.handler import handler as connect_handler
from functions.disconnect.handler import handler as disconnect
from functions.greet.handler import handler as greet
from functions.login.handler import handler as login
from functions.message.handler import handler as message
from functions.products.handler import handler as products
from functions.settings.handler import handler as settings
from functions.sweep.handler import handler as sweep
from harness import deployment
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conflicts import conflicts
from tests.aws.conftest import FanoutQueue, HttpCall, connect, stored, unpublished
from vitrina import accounts, auth, aws, connections, history, moderation, tasks
from vitrina.channels import ClientType
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import Change, Span
from vitrina.products import Submission

# What differs from run to run.
VARYING = {
    "timestamp",
    "id",
    "epoch",
    "event_id",
    "created_at",
    "connected_at",
    "expires_at",
    "session",
}
VARYING |= {"status_changed_at", "changed_at", "body", "password_hash", "next_at"}
VARYING |= {"tat", "recovering_until", "publication"}


def websocket(handler: Any, event_type: str, connection_id: str = "c1", **more: Any) -> Any:
    context = {"eventType": event_type, "connectionId": connection_id}
    return handler({"requestContext": context, **more}, CONTEXT)


def say(**body: Any) -> Any:
    return websocket(message, "MESSAGE", body=json.dumps(body))["statusCode"]


def announce(to: str = "user") -> None:
    event = AnnouncementPublished(data=Announcement(to=to, title="x", text="x", admin_id=1))
    with unpublished():
        history.commit([Change(None, [event])])


def submit() -> None:
    with unpublished():
        moderation.submit(Submission(product_name="x"), auth.verify(token_of(ClientType.SHOP)))


def a_handshake() -> tuple[Callable[[], Any], Callable[[], Any]]:
    query = {"token": token_of(ClientType.USER)}
    return lambda: None, lambda: websocket(connect_handler, "CONNECT", queryStringParameters=query)


def an_end() -> tuple[Callable[[], Any], Callable[[], Any]]:
    def before() -> None:
        connect("c1", ClientType.USER)
        connections.join(stored("c1"), "sale")

    return before, lambda: websocket(disconnect, "DISCONNECT")


def a_greeting() -> tuple[Callable[[], Any], Callable[[], Any]]:
    def run() -> Any:
        image = aws.dynamodb().get_item(
            TableName="connections", Key=aws.to_item(connections.key("c1"))
        )["Item"]
        return greet({"Records": [{"dynamodb": {"NewImage": image}}]}, CONTEXT)

    return lambda: connect("c1", ClientType.USER), run


def messages() -> tuple[Callable[[], Any], Callable[[], Any]]:
    def run() -> Any:
        token = token_of(ClientType.USER)
        return [
            say(type="join", room="sale"),
            say(type="join", room="news"),
            say(type="leave", room="news"),
            say(type="auth", token=token),
        ]

    return lambda: connect("c1", ClientType.USER), run


def a_task_of_the_queue() -> tuple[Callable[[], Any], Callable[[], Any]]:
    def before() -> None:
        connect("c1", ClientType.USER, account_id=1)
        connect("gone", ClientType.USER, account_id=2)
        announce()
        gone = [row for name in ("c1", "gone") if (row := connections.find(name))]
        members = [row.subscription for row in gone]
        [task] = tasks.post_again(Span("user", 1, 1), members, 6)
        FanoutQueue().put(task.model_dump_json())

    return before, lambda: FanoutQueue().work()


def a_sweep() -> tuple[Callable[[], Any], Callable[[], Any]]:
    def before() -> None:
        connect("c1", ClientType.USER, account_id=1)
        connect("late", ClientType.USER, account_id=2)
        connections.expire("late")
        announce()
        announce("room:sale")

    return before, lambda: sweep({}, CONTEXT)


def an_approval() -> tuple[Callable[[], Any], Callable[[], Any]]:
    def before() -> None:
        connect("c1", ClientType.USER)
        submit()

    def run() -> Any:
        path = "/api/v1/admin/products/1/approve"
        return HttpCall(approve)("POST", path, token=token_of(ClientType.ADMIN)).status

    return before, run


def a_withdrawal_by_an_edit() -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Of two events, after one write."""

    def before() -> None:
        connect("c1", ClientType.USER)
        submit()
        with unpublished():
            moderation.approve([1], None, auth.verify(token_of(ClientType.ADMIN)))

    def run() -> Any:
        shop = token_of(ClientType.SHOP)
        body = {"product_name": "y"}
        return HttpCall(products)("PUT", "/api/v1/products/1", body, token=shop).status

    return before, run


def a_change_of_settings() -> tuple[Callable[[], Any], Callable[[], Any]]:
    new = {"approval_fee": 7, "currency": "RUB"}

    def run() -> Any:
        headers = {"if-match": '"0"'}
        token = token_of(ClientType.ADMIN)
        return HttpCall(settings)(
            "PUT", "/api/v1/admin/settings", new, token=token, headers=headers
        ).status

    return lambda: None, run


def logins() -> tuple[Callable[[], Any], Callable[[], Any]]:
    def run() -> Any:
        bodies = [{"email": "a@b.c", "password": word} for word in ("wrong", "password")]
        return [HttpCall(login)("POST", "/api/v1/auth/login", body).status for body in bodies]

    return lambda: accounts.create("a@b.c", "password", ClientType.USER), run


def tables() -> dict[str, list[str]]:
    """Return every table, without what differs from run to run."""
    rows = {
        name: [aws.from_item(row) for row in aws.dynamodb().scan(TableName=name)["Items"]]
        for name in ("connections", "products", "accounts", "platform", "history")
    }
    return {name: sorted(map(repr, map(steady, found))) for name, found in rows.items()}


def steady(value: Any) -> Any:
    """Return a value without what differs from run to run, in an order that does not."""
    match value:
        case dict():
            return sorted((k, steady(v)) for k, v in value.items() if k not in VARYING)
        case list():
            return [steady(each) for each in value]
    return str(value)


@pytest.mark.parametrize(
    "scenario",
    [
        a_handshake,
        an_end,
        a_greeting,
        messages,
        a_task_of_the_queue,
        a_sweep,
        an_approval,
        a_withdrawal_by_an_edit,
        a_change_of_settings,
        logins,
    ],
    ids=lambda scenario: scenario.__name__,
)
def test_a_conflict_at_any_single_write_changes_nothing(
    scenario: Callable[[], tuple[Callable[[], Any], Callable[[], Any]]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("functions.sweep.handler.MIN_UNSENT_SECONDS", -1)
    monkeypatch.setattr(connections, "MAX_HANDSHAKE_SECONDS", 0)
    deployment.use_cheap_passwords(monkeypatch)

    def run(conflict_at: int | None) -> tuple[int, Any]:
        writes = 0

        def happens() -> bool:
            nonlocal writes
            writes += 1
            return writes - 1 == conflict_at

        with mock_aws(), ManagementApiStub.running() as stub:
            deployment.configure(monkeypatch, management_url=stub.url)
            deployment.create()
            stub.behave = lambda name: 410 if name == "gone" else 200
            before, act = scenario()
            before()
            with conflicts(happens):
                answer = act()
            frames = {
                name: [json.loads(body)["event"] for body in bodies]
                for name, bodies in stub.received.items()
            }
            return writes, (answer, tables(), frames, stub.closed)

    writes, undisturbed = run(None)
    assert writes
    for conflict_at in range(writes):
        count, result = run(conflict_at)
        assert result == undisturbed, f"conflict at write {conflict_at} of {writes}"
        assert count > writes
    assert [record for record in caplog.records if record.levelname in {"ERROR", "WARNING"}] == []
