"""Rooms and announcements."""

import json
import time
from typing import Any

import pytest

from functions.announce.handler import handler as announce_handler
from functions.disconnect.handler import handler as disconnect_handler
from functions.message.handler import handler as message_handler
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Answer, HttpCall, connect, stored_connections
from vitrina import aws, connections, message_budget, subscriptions
from vitrina.channels import ClientType

call_announce = HttpCall(announce_handler)


@pytest.fixture(autouse=True)
def _connected(management_api: ManagementApiStub) -> None:
    connect("c1", ClientType.USER, account_id=42)


def say(message: Any, connection_id: str = "c1") -> Any:
    context = {"eventType": "MESSAGE", "connectionId": connection_id}
    answer = message_handler({"requestContext": context, "body": json.dumps(message)}, CONTEXT)
    return json.loads(answer["body"]) if "body" in answer else None


def join(room: str, connection_id: str = "c1") -> Any:
    return say({"type": "join", "room": room}, connection_id)


def leave(room: str, connection_id: str = "c1") -> Any:
    return say({"type": "leave", "room": room}, connection_id)


def announce(to: object, **more: Any) -> Answer:
    body = {"to": to, "title": "Распродажа", "text": "Началась"} | more.pop("body", {})
    more = {"token": token_of(ClientType.ADMIN)} | more
    return call_announce("POST", "/api/v1/admin/announcements", body, **more)


def rooms_of(connection_id: str) -> set[str]:
    row = connections.find(connection_id)
    assert row
    stored = {
        item["member"]["S"].partition("#")[0]
        for item in aws.dynamodb().scan(TableName="connections")["Items"]
        if item["partition"]["S"].startswith("room#")
        and item["member"]["S"].endswith(f"#{connection_id}")
    }
    assert stored == row.rooms
    return stored


def test_joining_is_acknowledged_with_where_the_room_stands() -> None:
    announce("room:sale")
    joined = join("sale")
    assert (joined["event"], joined["data"]["room"]) == ("joined", "sale")
    assert joined["data"]["channel"] == "room:sale"
    assert joined["data"]["position"]["seq"] == 1
    assert join("sale")["data"] == joined["data"]
    assert rooms_of("c1") == {"sale"}
    assert leave("sale")["data"] == {"room": "sale"}
    assert leave("sale")["event"] == "left"
    assert rooms_of("c1") == set()


def test_a_connection_is_in_at_most_so_many_rooms() -> None:
    for n in range(20):
        assert join(f"room-{n}")["event"] == "joined"
    refused = join("one-more")
    assert (refused["event"], refused["data"]["code"]) == ("error", "too_many_rooms")
    assert "20" in refused["data"]["message"]
    assert len(rooms_of("c1")) == 20
    assert join("room-7")["event"] == "joined"
    leave("room-7")
    assert join("one-more")["event"] == "joined"


def test_two_joins_at_the_same_moment_do_not_pass_the_cap_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for n in range(19):
        join(f"room-{n}")
    take = message_budget.take

    def take_then_lose(connection_id: str) -> connections.Connection:
        monkeypatch.undo()
        found = take(connection_id)
        assert join("faster")["event"] == "joined"
        return found

    monkeypatch.setattr(message_budget, "take", take_then_lose)
    assert join("slower")["data"]["code"] == "too_many_rooms"
    assert rooms_of("c1") == {"faster", *(f"room-{n}" for n in range(19))}


@pytest.mark.parametrize("room", ["", "a b", "x" * 65, "a#b", "комната", 7, None, "a\n"])
def test_a_room_that_has_no_proper_name_is_refused(room: object) -> None:
    answer = say({"type": "join", "room": room})
    assert answer["data"]["code"] == "message_invalid"
    assert answer["data"]["message"].startswith("room: ")
    assert rooms_of("c1") == set()


def test_rooms_end_with_their_connection() -> None:
    join("sale")
    join("news")
    assert subscriptions.count().rooms == 2
    context = {"eventType": "DISCONNECT", "connectionId": "c1"}
    disconnect_handler({"requestContext": context}, CONTEXT)
    assert subscriptions.count()[:2] == ({"user": 0, "shop": 0, "admin": 0}, 0)
    assert stored_connections() == set()


def test_a_room_joined_while_the_connection_ends_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    find = connections.find

    def find_then_join(connection_id: str) -> connections.Connection | None:
        monkeypatch.undo()
        found = find(connection_id)
        assert join("late")["event"] == "joined"
        return found

    monkeypatch.setattr(connections, "find", find_then_join)
    connections.forget("c1")
    assert stored_connections() == set()


def test_an_expired_connection_joins_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.time() + 7200
    monkeypatch.setattr(time, "time", lambda: later)
    assert join("sale")["data"]["code"] == leave("sale")["data"]["code"] == "connection_expired"
    assert join("sale", "never-seen")["data"]["code"] == "connection_expired"


@pytest.mark.parametrize(
    ("to", "reached"),
    [
        ("user", {"c1", "u2"}),
        ("shop", {"s1"}),
        ("user:42", {"c1"}),
        ("shop:10", {"s1"}),
        ("admin:1", {"a1"}),
        ("room:sale", {"u2", "s1"}),
        ("room:empty", set()),
    ],
)
def test_an_announcement_reaches_whom_it_is_addressed_to(
    management_api: ManagementApiStub, to: str, reached: set[str]
) -> None:
    connect("u2", ClientType.USER, account_id=2)
    connect("s1", ClientType.SHOP)
    connect("a1", ClientType.ADMIN)
    join("sale", "u2")
    join("sale", "s1")
    answer = announce(to)
    assert (answer.status, answer.body["delivered"]) == (200, len(reached))
    assert set(management_api.received) == reached
    for [body] in management_api.received.values():
        event = json.loads(body)
        assert (event["event"], event["channel"]) == ("announcement.published", to)
        assert event["data"] == {
            "to": to,
            "title": "Распродажа",
            "text": "Началась",
            "admin_id": 1,
        }


@pytest.mark.parametrize(
    "to", ["", "everyone", "user:0", "user:x", "room:", "room:a b", "connection#c1", "room#1", 7]
)
def test_an_announcement_to_an_unknown_channel_is_refused(to: object) -> None:
    assert announce(to).status == 422


def test_an_announcement_has_its_limits_and_fits_a_frame() -> None:
    assert announce("user", body={"text": "😀" * 4001}).status == 422
    assert announce("user", body={"title": " "}).status == 422
    assert announce("user", body={"text": "😀" * 4000}).status == 200
    assert announce("user", token=token_of(ClientType.SHOP)).status == 403


@pytest.mark.parametrize("text", ["\u200b", "\u3164", "a\u202eb", "a\0b", "a\x1b[2Jb"])
def test_an_announcement_is_visible_and_in_its_own_direction(text: str) -> None:
    assert announce("user", body={"title": text}).status == 422
    assert announce("user", body={"text": text}).status == 422
    assert announce("user", body={"title": "a\nb"}).status == 422
    assert announce("user", body={"text": "a\nb"}).status == 200


def test_what_was_missed_in_a_room_is_recovered_by_those_in_it(
    management_api: ManagementApiStub,
) -> None:
    began = join("sale")["data"]["position"]
    resume = {"type": "resume", "positions": {"room:sale": began}}
    leave("sale")
    announce("room:sale")
    assert say(resume)["data"]["code"] == "channel_forbidden"
    join("sale")
    recovered = say(resume)
    [missed] = [json.loads(body) for body in management_api.received["c1"]]
    assert (missed["event"], recovered["event"]) == ("announcement.published", "recovered")
    assert recovered["data"]["channels"]["room:sale"]["recovered"]
