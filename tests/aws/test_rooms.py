"""Rooms and announcements."""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from functions.announce.handler import handler as announce_handler
from functions.disconnect.handler import handler as disconnect_handler
from functions.message.handler import handler as message_handler
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Answer, Clock, HttpCall, connect, subscribed_connections
from tests.aws.processes import Process, counted_calls
from vitrina import aws, connections, history, message_budget, rooms, subscriptions
from vitrina.channels import ClientType
from vitrina.events import Position

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
    end()
    assert subscriptions.count()[:2] == ({"user": 0, "shop": 0, "admin": 0}, 0)
    assert subscribed_connections() == set()


def end() -> None:
    context = {"eventType": "DISCONNECT", "connectionId": "c1"}
    disconnect_handler({"requestContext": context}, CONTEXT)


def extend() -> Any:
    return say({"type": "auth", "token": token_of(ClientType.USER, 42)})


@pytest.mark.parametrize("has_joined", [False, True])
@pytest.mark.parametrize("ending", [end, lambda: connections.forget("c1")], ids=["end", "forget"])
@pytest.mark.parametrize(
    "change", [lambda: join("late"), lambda: leave("sale"), extend], ids=["join", "leave", "auth"]
)
def test_what_a_message_changes_while_the_connection_ends_ends_too(
    change: Callable[[], Any], ending: Callable[[], None], has_joined: bool, at: Clock
) -> None:
    """Whichever stands still before any of its calls, while the other one runs."""
    at(60)  # so that another token ends later
    both = [(change, ending), (ending, change)]
    for late, (slow, fast) in itertools.product(range(20), both):
        connections.forget("c1")
        connect("c1", ClientType.USER, account_id=42)
        at(120)
        if has_joined:
            join("sale")
        with counted_calls():
            process = Process(slow)
            process.run(late)
            fast()
            process.run()
        assert subscribed_connections() == set(), (slow, late)
        at(60)
    assert late > process.calls, "it stood still before each of them"


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


def test_an_event_that_is_published_while_one_joins_is_sent(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = history.keep

    def keep_then_announce(channel: str) -> Position:
        position = keep(channel)
        announce("room:sale")
        return position

    monkeypatch.setattr(history, "keep", keep_then_announce)
    assert join("sale")["data"]["position"]["seq"] == 0
    [body] = management_api.received["c1"]
    assert json.loads(body)["seq"] == 1


# --- Who may join ---


def test_a_room_of_a_shop_is_for_that_shop_and_administrators() -> None:
    connect("s10", ClientType.SHOP, shop_id=10)
    connect("s1", ClientType.SHOP, shop_id=1)
    connect("a1", ClientType.ADMIN)
    connect("u10", ClientType.USER, account_id=10)
    answers = {each: join("shop:10.orders", each)["data"] for each in ("s10", "s1", "a1", "u10")}
    assert [each for each, answer in answers.items() if "channel" in answer] == ["s10", "a1"]
    assert answers["s10"]["channel"] == "room:shop:10.orders"
    assert {answers["s1"]["code"], answers["u10"]["code"]} == {"room_forbidden"}
    assert rooms_of("s1") == rooms_of("u10") == set()


def test_a_room_of_administrators_is_for_them_alone() -> None:
    connect("s1", ClientType.SHOP)
    connect("a1", ClientType.ADMIN)
    assert join("admin.alerts", "a1")["event"] == "joined"
    assert join("admin.alerts", "c1")["data"]["code"] == "room_forbidden"
    assert join("admin.alerts", "s1")["data"]["code"] == "room_forbidden"


def test_events_of_a_shops_room_reach_its_members(management_api: ManagementApiStub) -> None:
    connect("s1", ClientType.SHOP, shop_id=10)
    join("shop:10.orders", "s1")
    assert announce("room:shop:10.orders").body["delivered"] == 1
    [body] = management_api.received["s1"]
    assert json.loads(body)["channel"] == "room:shop:10.orders"
    assert subscriptions.count().rooms == 1


def test_nothing_is_announced_to_a_room_that_nobody_may_join() -> None:
    refused = announce("room:Admin.alerts")
    assert (refused.status, refused.body["code"]) == (403, "room_forbidden")
    assert "shop:N" in refused.body["detail"]
    assert announce("room:admin.alerts").status == 200
    assert aws.dynamodb().scan(TableName="history")["Count"] == 2


# --- A room's past ---


def resume(since: Any, management_api: ManagementApiStub, connection_id: str = "c1") -> Any:
    """Return the numbers of the events that the client gets; None if it recovers none."""
    management_api.received.clear()
    answer = say({"type": "resume", "positions": {"room:sale": since}}, connection_id)
    events = [json.loads(body)["seq"] for body in management_api.received[connection_id]]
    if answer["data"]["recovered"]:
        return events
    assert not events
    return None


def reconnect(connection_id: str) -> None:
    connections.forget("c1")
    connect(connection_id, ClientType.USER, account_id=42)


def test_the_past_of_a_room_begins_when_one_joins(management_api: ManagementApiStub) -> None:
    announce("room:sale")
    joined = join("sale")["data"]["position"]
    announce("room:sale")
    assert resume(joined, management_api) == [2]
    assert resume(joined | {"seq": 0}, management_api) is None


def test_what_a_member_missed_between_two_connections_is_recovered(
    management_api: ManagementApiStub,
) -> None:
    joined = join("sale")["data"]["position"]
    announce("room:sale")
    reconnect("c2")
    announce("room:sale")
    say_resume = {"type": "resume", "positions": {"room:sale": joined}}
    assert say(say_resume, "c2")["data"]["code"] == "channel_forbidden"
    join("sale", "c2")
    assert resume(joined, management_api, "c2") == [1, 2]
    assert resume(joined | {"seq": 1}, management_api, "c2") == [2]


def test_who_leaves_and_joins_begins_anew(management_api: ManagementApiStub) -> None:
    joined = join("sale")["data"]["position"]
    leave("sale")
    announce("room:sale")
    again = join("sale")["data"]["position"]
    announce("room:sale")
    assert resume(joined, management_api) is None
    assert resume(again, management_api) == [2]


def test_a_room_is_left_without_having_joined_it_on_this_connection(
    management_api: ManagementApiStub,
) -> None:
    joined = join("sale")["data"]["position"]
    reconnect("c2")
    assert leave("sale", "c2")["event"] == "left"
    announce("room:sale")
    join("sale", "c2")
    assert resume(joined, management_api, "c2") is None


def test_all_devices_of_an_identity_have_the_past_of_the_first(
    management_api: ManagementApiStub,
) -> None:
    connect("tablet", ClientType.USER, account_id=42)
    connect("other", ClientType.USER, account_id=43)
    joined = join("sale")["data"]["position"]
    announce("room:sale")
    join("sale", "tablet")
    join("sale", "other")
    assert resume(joined, management_api, "tablet") == [1]
    assert resume(joined, management_api, "other") is None
    leave("sale")
    announce("room:sale")
    assert resume(joined | {"seq": 1}, management_api, "tablet") is None


def test_a_process_that_ends_within_a_join_shows_nothing(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(rooms, "_remember", end)
        with pytest.raises(MemoryError):
            join("sale")
    announce("room:sale")
    assert len(management_api.received["c1"]) == 1
    epoch = join("sale")["data"]["position"]["epoch"]
    assert resume({"epoch": epoch, "seq": 0}, management_api) is None
    assert resume({"epoch": epoch, "seq": 1}, management_api) == []
