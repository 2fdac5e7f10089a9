"""An approval reaches every connected phone, on a deployed stack."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.tokens import token_of
from local.client import Api
from tests.emulator.conftest import Connect, wait_until
from vitrina import auth, connections
from vitrina.channels import ClientType

FIELDS = [
    *("product_id", "product_name", "shop_id", "shop_name"),
    *("moderation_status", "moderation_notes", "admin_id", "approval_fee"),
]


def test_an_approval_reaches_users_shops_and_admins_with_its_eight_fields(
    api: Api, connect: Connect, submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    wait_until(lambda: api.call("GET", "/ws/stats")["total"], 0)
    clients = [connect(client_type) for client_type in ("user", "user", "shop", "admin")]
    product_id = submit()
    answer = approve(product_id, json={"moderation_notes": "Отличный товар"}).json()
    assert answer["broadcast"]["delivered"] == 4
    for client in clients:
        [frame] = client.wait_for("product.approved")
        assert "Отличный товар" in frame.text
        assert frame.event["timestamp"].endswith("Z")
        assert list(frame.event["data"]) == FIELDS
        assert frame.event["data"]["product_id"] == product_id
        assert frame.event["data"]["shop_name"] == "Fashion Store"
        assert frame.event["data"]["admin_id"] == 1
        assert frame.event["data"]["approval_fee"] == 5.0
    assert clients[3].events("product.submitted")
    assert not clients[0].events("product.submitted")


def test_connected_comes_first_and_says_who_and_until_when(
    connect: Connect, tokens: dict[str, str]
) -> None:
    client = connect("shop")
    first = client.frames[0].event
    assert first["event"] == "connected"
    assert first["data"]["client_type"] == "shop"
    assert first["data"]["ping_interval_seconds"] == 30
    assert set(first["data"]) == {
        *("connection_id", "client_type", "expires_at", "ping_interval_seconds", "positions"),
        "recovering",
    }


def test_ping_is_answered_and_nonsense_is_refused_on_an_open_connection(connect: Connect) -> None:
    client = connect("user")
    client.send({"type": "ping", "timestamp": "2024-01-01T12:00:00.000Z"})
    [pong] = client.wait_for("pong")
    assert pong.text == '{"event":"pong"}'
    client.send({"type": "dance"})
    [error] = client.wait_for("error")
    assert error.event["data"]["code"] == "message_invalid"
    client.send({"type": "ping"})
    client.wait_for("pong", 2)


def test_stats_are_right_while_clients_come_and_go(api: Api, connect: Connect) -> None:
    def by_type() -> Any:
        return api.call("GET", "/ws/stats")["by_type"]

    wait_until(by_type, {"user": 0, "shop": 0, "admin": 0})
    leaving = [connect("user"), connect("shop")]
    connect("user")
    connect("admin")
    wait_until(by_type, {"user": 2, "shop": 1, "admin": 1})
    assert set(api.call("GET", "/ws/stats")) == {"total", "by_type", "rooms"}
    for client in leaving:
        client.close()
    wait_until(by_type, {"user": 1, "shop": 0, "admin": 1})


def test_of_two_approvals_at_the_same_moment_one_publishes_its_event(
    connect: Connect, submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    client = connect("user")
    product_ids = [submit() for _ in range(5)]
    with ThreadPoolExecutor(2) as pool:
        for product_id in product_ids:
            answers = [answer.json() for answer in pool.map(approve, [product_id, product_id])]
            assert answers[0]["product"] == answers[1]["product"]
            assert sorted(len(each["broadcast"]["event_ids"]) for each in answers) == [0, 1]
    frames = client.wait_for("product.approved", len(product_ids))
    marker = submit()
    approve(marker)
    frames = client.wait_for("product.approved", len(product_ids) + 1)
    assert [frame.event["data"]["product_id"] for frame in frames] == [*product_ids, marker]


def test_publishers_racing_for_one_channel_number_their_events_without_gaps(
    connect: Connect, submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    client = connect("user")
    product_ids = [submit() for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(approve, product_ids))
    assert [answer.status_code for answer in answers] == [200] * 12
    events = client.wait_for_events(12)
    first = events[0]["seq"]
    assert [event["seq"] for event in events] == list(range(first, first + 12))
    assert {event["data"]["product_id"] for event in events} == set(product_ids)


def test_bulk_approval_sends_one_event_for_each_product_in_order(
    api: Api, connect: Connect, submit: Callable[[], int], tokens: dict[str, str]
) -> None:
    client = connect("user")
    product_ids = [submit() for _ in range(5)]
    answer = api.call(
        "POST",
        "/api/v1/admin/products/bulk-approve",
        tokens["admin"],
        json={"product_ids": [*product_ids, 10**9], "moderation_notes": "Все сразу"},
    )
    assert [result["result"] for result in answer["results"]] == ["approved"] * 5 + ["not_found"]
    frames = client.wait_for("product.approved", 5)
    assert [frame.event["data"]["product_id"] for frame in frames] == product_ids


def test_a_client_that_vanished_is_forgotten_and_the_others_still_receive(
    api: Api,
    connect: Connect,
    submit: Callable[[], int],
    approve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """$disconnect is best effort: here it was never called, and the rows are still there."""
    wait_until(lambda: api.call("GET", "/ws/stats")["total"], 0)
    client = connect("user")
    identity = auth.verify(token_of(ClientType.USER, 77))
    a_minute_ago = time.time() - 60
    monkeypatch.setattr(time, "time", lambda: a_minute_ago)
    connections.add("dead000000000000", identity)
    monkeypatch.undo()
    broadcast = approve(submit()).json()["broadcast"]
    # The greeting may have found it first, and forgotten it.
    assert (broadcast["delivered"], broadcast["queued"]) == (1, 0)
    assert broadcast["gone"] in {0, 1}
    client.wait_for("product.approved")
    assert connections.find("dead000000000000") is None
    assert approve(submit()).json()["broadcast"]["gone"] == 0


def test_the_event_is_on_the_wire_as_utf8(
    connect: Connect, submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    client = connect("user")
    approve(submit(), json={"moderation_notes": "Ёлка 🎄 «ёж»"})
    [frame] = client.wait_for("product.approved")
    assert "Ёлка 🎄 «ёж»" in frame.text
    assert "\\u" not in frame.text
    assert json.loads(frame.text)["channel"] == "user"
