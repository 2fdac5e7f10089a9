"""Connections that are closed from this side."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from functions.approve.handler import handler as approve_handler
from functions.greet.handler import handler as greet_handler
from functions.sweep.handler import handler as sweep_handler
from harness import deployment
from harness.gateway_events import CONTEXT
from harness.management_api import DROP, HANG, ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Clock, HttpCall, connect, stored, stored_connections
from tests.aws.test_moderation import submit
from vitrina import aws, closing, connections, endings, sender, subscriptions
from vitrina.channels import ClientType
from vitrina.errors import Unavailable
from vitrina.sender import Delivery, Post


def sweep() -> None:
    sweep_handler({}, CONTEXT)


def test_a_connection_whose_token_expires_gets_no_events_and_is_closed(
    management_api: ManagementApiStub, at: Clock
) -> None:
    connect("listens", ClientType.USER, account_id=1)
    connections.join(stored("listens"), "sale")
    at(3601)
    connect("new", ClientType.USER, account_id=2)
    path = f"/api/v1/admin/products/{submit()}/approve"
    HttpCall(approve_handler)("POST", path, token=token_of(ClientType.ADMIN))
    assert set(management_api.received) == {"new"}
    sweep()
    [body] = management_api.received["listens"]
    event = json.loads(body)
    assert (event["event"], event["data"]) == ("closing", {"reason": "token_expired"})
    assert management_api.closed == ["listens"]
    assert stored_connections() == {"new"}


def test_one_that_was_extended_in_time_is_not_closed(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch, at: Clock
) -> None:
    """The list of what has expired is eventually consistent: here it is late."""
    connect("c1", ClientType.USER)
    row = connections.find("c1")
    assert row
    monkeypatch.setattr("vitrina.subscriptions.expired", lambda _: iter([row.subscription]))
    sweep()
    assert not management_api.requests
    assert stored_connections() == {"c1"}


def test_a_row_without_its_connection_is_deleted(management_api: ManagementApiStub) -> None:
    left_behind = {"partition": "user#03", "member": "42#c1", "connected_at": 1, "expires_at": 2}
    aws.dynamodb().put_item(TableName="connections", Item=aws.to_item(left_behind))
    sweep()
    assert aws.dynamodb().scan(TableName="connections")["Items"] == []


def test_those_that_left_by_themselves_are_forgotten(
    management_api: ManagementApiStub, at: Clock
) -> None:
    connect("gone", ClientType.USER)
    management_api.behave = lambda _: 410
    at(3601)
    sweep()
    assert stored_connections() == set()


def test_one_that_cannot_be_closed_now_is_closed_by_the_next_sweep(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch, at: Clock
) -> None:
    connect("c1", ClientType.USER)
    at(3601)
    monkeypatch.setattr("functions.sweep.handler.CLOSING_SECONDS", 0.2)
    management_api.behave = lambda _: 500
    sweep()
    assert stored_connections() == {"c1"}
    management_api.behave = lambda _: 200
    monkeypatch.setattr("functions.sweep.handler.CLOSING_SECONDS", 15)
    sweep()
    assert management_api.closed == ["c1"]
    assert stored_connections() == set()


def test_many_that_have_expired_are_closed_in_one_sweep(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch, at: Clock
) -> None:
    deployment.configure(monkeypatch, management_url=management_api.url, posts_per_second=20_000)
    monkeypatch.setattr("functions.sweep.handler.CLOSING_SECONDS", 600)
    monkeypatch.setattr(closing, "EXPIRED_PER_BATCH", 30)
    for n in range(100):
        connect(f"c{n}", ClientType.USER, account_id=n + 1)
    at(3601)
    sweep()
    assert len(management_api.closed) == 100
    assert stored_connections() == set()


def test_an_identitys_oldest_connection_gives_way_to_one_too_many(
    management_api: ManagementApiStub, at: Clock
) -> None:
    for n in range(12):
        at(n)
        connect(f"c{n}", ClientType.USER, account_id=42)
    connect("another", ClientType.USER, account_id=4)
    key = connections.key("c11")
    [row] = aws.batch_get("connections", [key])
    greet_handler({"Records": [{"dynamodb": {"NewImage": row}}]}, CONTEXT)
    assert sorted(management_api.closed) == ["c0", "c1"]
    assert json.loads(management_api.received["c0"][0])["data"] == {
        "reason": "too_many_connections"
    }
    assert json.loads(management_api.received["c11"][0])["event"] == "connected"
    assert stored_connections() == {"another", *(f"c{n}" for n in range(2, 12))}


def test_a_client_that_reconnects_while_all_are_closed_stays_open(cloud: None, at: Clock) -> None:
    connect("before", ClientType.USER, account_id=1)
    connect("a shop", ClientType.SHOP)
    began = int(time.time())
    at(1.5)
    connect("after", ClientType.USER, account_id=2)
    found = subscriptions.connected_until(ClientType.USER, began)
    assert [member.connection_id for member in found] == ["before"]


def test_one_is_expired_before_it_is_told_and_closed(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise workers go on posting to it until its rows are deleted."""
    connect("c1", ClientType.USER, account_id=7)
    post = sender.post

    def expired_by_now(posts: Sequence[Post], **pace: Any) -> Delivery:
        found = connections.find("c1")
        assert found
        assert found.has_expired
        return post(posts, **pace)

    monkeypatch.setattr(sender, "post", expired_by_now)
    assert closing.close_account(endings.end_account(ClientType.USER, 7)) == 1


def test_one_that_does_not_take_the_last_frame_is_closed_all_the_same(
    management_api: ManagementApiStub,
) -> None:
    for n, answer in enumerate((429, 500, DROP, 400, 413)):
        connect(f"c{n}", ClientType.USER, account_id=7)
        management_api.answers[f"c{n}"] = [answer] * (1 if answer in (400, 413) else 2)
    assert closing.close_account(endings.end_account(ClientType.USER, 7)) == 5
    assert sorted(management_api.closed) == [f"c{n}" for n in range(5)]
    assert stored_connections() == set()


def test_one_that_hangs_is_closed_within_the_budget(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "CLOSING_FRAME_SECONDS", 0.1)
    connect("c1", ClientType.USER, account_id=7)
    management_api.answers["c1"] = [HANG, HANG]
    assert closing.close_account(endings.end_account(ClientType.USER, 7)) == 1
    assert management_api.closed == ["c1"]


def test_one_that_keeps_changing_its_rows_is_closed_all_the_same(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames of a client may make every write of its rows conflict."""
    connect("c1", ClientType.USER, account_id=7)

    def expire(_: str) -> None:
        raise Unavailable("busy", "x")

    monkeypatch.setattr(connections, "expire", expire)
    management_api.behave = lambda _: 500
    with monkeypatch.context() as patch:
        patch.setattr(closing, "BUDGET_SECONDS", 0.1)
        with pytest.raises(Unavailable):
            closing.close_account(endings.end_account(ClientType.USER, 7))
    assert stored_connections() == {"c1"}
    management_api.behave = lambda _: 200
    assert closing.close_account(endings.end_account(ClientType.USER, 7)) == 1
    assert stored_connections() == set()
