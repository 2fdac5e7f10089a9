"""`GET /api/v1/events`: what `resume` would send, page by page, and the latest events."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.events.handler import handler
from functions.message.handler import handler as message_handler
from harness.gateway_events import CONTEXT, frame_of
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from local.inbox import events_in
from tests.aws.conftest import Answer, Clock, HttpCall, connect, stored
from vitrina import aws, config, connections, history, recovery, rooms
from vitrina.channels import ClientType
from vitrina.events import Announcement, AnnouncementPublished, Position
from vitrina.history import Change

PATH = "/api/v1/events"
call = HttpCall(handler)

pytestmark = pytest.mark.usefixtures("management_api")


def read(channel: str = "user", token: str = "", **query: Any) -> Answer:
    token = token or token_of(ClientType.USER, 42)
    return call("GET", PATH, token=token, channel=channel, **query)


def announce(to: str = "user", times: int = 1) -> Position:
    """Publish to a channel; return its position after that."""
    data = Announcement(to=to, title="Тест", text="«Тест»", admin_id=1)
    changes = [Change(None, [AnnouncementPublished(data=data)]) for _ in range(times)]
    for batch in history.batches(changes):
        history.commit(batch)
    return history.positions([to])[to]


def text(position: Any, **changes: Any) -> str:
    """Return a position as it is in queries."""
    found = dict(position) | changes
    return f"{found['epoch']}:{found['seq']}"


def seqs(answer: Answer) -> list[int]:
    assert answer.status == 200
    return [event["seq"] for event in answer.body["events"]]


def delete(channel: str, seq: int) -> None:
    key = aws.to_item({"channel": channel, "seq": seq})
    aws.dynamodb().delete_item(TableName="history", Key=key)


# --- Pages ----------------------------------------------------------------------------------------


def test_pages_follow_each_other_until_the_position_is_the_channels() -> None:
    head = announce(times=5)
    since, found, more = text(head, seq=0), [], []
    for _ in range(3):
        answer = read(since=since, limit=2)
        found += seqs(answer)
        more.append(answer.body["has_more"])
        since = text(answer.body["position"])
        assert answer.body["recovered"]
    assert (found, more) == ([1, 2, 3, 4, 5], [True, True, False])
    assert since == text(head)
    assert read(since=since).body == {
        "events": [],
        "position": dict(head),
        "recovered": True,
        "has_more": False,
    }


def test_an_event_is_as_it_comes_over_a_websocket_and_nothing_is_cached() -> None:
    head = announce()
    answer = read(since=text(head, seq=0))
    [event] = history.read(history.Span("user", 1, 1))
    assert answer.body["events"] == [json.loads(event.body)]
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_position_the_latest_events_come() -> None:
    assert read().body["events"] == []
    head = announce(times=5)
    answer = read(limit=3)
    assert seqs(answer) == [3, 4, 5]
    assert answer.body["position"] == dict(head)
    assert (answer.body["recovered"], answer.body["has_more"]) == (True, False)
    assert seqs(read()) == [1, 2, 3, 4, 5]
    delete("user", 1)
    assert seqs(read()) == [2, 3, 4, 5]


def test_a_channel_that_nobody_has_read_begins_and_goes_on() -> None:
    begun = read("user:42").body["position"]
    assert begun["seq"] == 0
    announce("user:42")
    assert seqs(read("user:42", since=text(begun))) == [1]


def test_a_page_with_an_event_that_has_expired_has_none(at: Clock) -> None:
    head = announce(times=2)
    at(60)
    head = announce(times=2)
    at(config.current().history_retention_seconds + 30)
    answer = read(since=text(head, seq=1), limit=1)
    assert answer.body == {
        "events": [],
        "position": dict(head),
        "recovered": False,
        "has_more": False,
    }
    assert seqs(read(since=text(head, seq=2))) == [3, 4]
    assert seqs(read()) == [3, 4]


@pytest.mark.parametrize("wrong", [{"epoch": "00000000"}, {"seq": 99}], ids=str)
def test_a_position_of_another_history_is_not_recovered(wrong: dict[str, Any]) -> None:
    head = announce(times=3)
    answer = read(since=text(head, **wrong))
    assert (answer.body["events"], answer.body["recovered"]) == ([], False)
    assert answer.body["position"] == dict(head)


def test_more_events_than_a_resume_may_have_are_read_in_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recovery, "MAX_RECOVERED_EVENTS", 3)
    head = announce(times=10)
    assert seqs(read(since=text(head, seq=0), limit=10)) == [*range(1, 11)]


# --- Who reads what -------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["shop", "admin", "user:43", "shop:42", "room:sale"])
def test_only_the_own_channels_are_read(channel: str) -> None:
    announce(channel)
    answer = read(channel)
    assert (answer.status, answer.body["code"]) == (403, "channel_forbidden")
    assert answer.body["detail"] == (
        "Your channels are user, user:42, and the rooms you have joined."
    )


def test_a_shop_reads_the_channel_of_the_shop_and_not_of_its_account() -> None:
    announce("shop:10")
    token = token_of(ClientType.SHOP, 77)
    assert seqs(read("shop:10", token)) == [1]
    assert read("shop:77", token).status == 403


def test_of_a_room_comes_what_was_published_after_joining_until_it_is_left() -> None:
    connect("c1", ClientType.USER, account_id=42)
    announce("room:sale", times=2)
    joined = rooms.join(stored("c1"), "sale")
    connections.forget("c1")
    head = announce("room:sale")
    assert seqs(read("room:sale")) == seqs(read("room:sale", since=text(joined))) == [3]
    earlier = read("room:sale", since=text(joined, seq=1))
    assert (earlier.body["recovered"], earlier.body["position"]) == (False, dict(head))
    rooms.forget("user:42", "room:sale")
    assert read("room:sale").status == 403


@pytest.mark.parametrize(
    "query",
    [
        {"since": since}
        for since in ("", "58", "3f0c9a1e", "3f0c9a1e:", "3f0c9a1e:-1", "3f0c9a1e:+1", ":1")
    ]
    + [{"since": since} for since in ("3f0c9a1e:01", "3F0C9A1E:1", "x:1", f"3f0c9a1e:{10**16}")]
    + [{"limit": limit} for limit in (0, 101, "1.0", "x")]
    + [{"channel": channel} for channel in ("", "users", "user:0", "room:", "room:a b")],
    ids=str,
)
def test_a_malformed_request_is_refused(query: dict[str, Any]) -> None:
    answer = call("GET", PATH, token=token_of(ClientType.USER), **({"channel": "user"} | query))
    assert (answer.status, answer.body["code"]) == (422, "request_invalid")
    [error] = answer.body["errors"]
    assert error["field"] == f"query.{next(iter(query))}"


def test_a_channel_and_a_token_are_needed() -> None:
    assert call("GET", PATH, channel="user").body["code"] == "token_missing"
    assert call("GET", PATH, token=token_of(ClientType.USER)).status == 422


# --- What it may cost -----------------------------------------------------------------------------


def test_an_identity_reads_thirty_pages_at_once_and_then_one_every_two_seconds(at: Clock) -> None:
    assert {read().status for _ in range(30)} == {200}
    refused = read()
    assert (refused.status, refused.body["code"]) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == "2"
    assert read(token=token_of(ClientType.USER, 43)).status == 200
    at(2)
    assert [read().status, read().status] == [200, 429]


def test_a_page_costs_three_reads_and_a_write(calls: list[str]) -> None:
    head = announce(times=3)
    token = token_of(ClientType.USER, 42)
    read(token=token)  # everyone's era is kept
    calls.clear()
    assert seqs(read(token=token, since=text(head, seq=0))) == [1, 2, 3]
    counted = {name: calls.count(name) for name in set(calls)}
    assert counted.pop("Query") == 1
    assert counted.pop("UpdateItem") <= 2  # of the bucket
    assert counted == {"BatchGetItem": 2}
    calls.clear()
    read(token=token, since=text(head))
    assert "Query" not in calls


# --- The same as `resume` -------------------------------------------------------------------------


@dataclass
class Past:
    """A channel of one identity, and a client that was away."""

    is_room: bool
    last: int
    expired: set[int]
    since: Position
    joined: Position | None
    """Of the room, where the identity has joined it."""

    def store(self, identity: str, channel: str) -> None:
        rows = [{"channel": channel, "seq": 0, "last": self.last, "epoch": EPOCHS[0]}]
        for seq in range(1, self.last + 1):
            event = AnnouncementPublished(
                data=Announcement(to=channel, title=f"{seq}", text="Тест", admin_id=1)
            )
            rows.append(
                {
                    "channel": channel,
                    "seq": seq,
                    "event_id": event.id,
                    "body": event.body_for(channel, seq).decode(),
                    "created_at": 1,
                    "expires_at": 1 if seq in self.expired else 2**40,
                }
            )
        puts: Any = [{"PutRequest": {"Item": aws.to_item(row)}} for row in rows]
        aws.dynamodb().batch_write_item(RequestItems={"history": puts})
        if self.is_room and self.joined:
            key = {"partition": f"joined#{identity}", "member": channel}
            row = aws.to_item(key | dict(self.joined))
            aws.dynamodb().put_item(TableName="connections", Item=row)


EPOCHS = ("3f0c9a1e", "b71d0c55")
POSITIONS = st.builds(
    Position,
    epoch=st.sampled_from((EPOCHS[0],) * 5 + (EPOCHS[1],)),
    seq=st.integers(0, 9),
)
PASTS = st.builds(
    Past,
    is_room=st.booleans(),
    last=st.integers(0, 8),
    expired=st.sets(st.integers(1, 8), max_size=2)
    | st.integers(0, 8).map(lambda n: set(range(1, n + 1))),
    since=POSITIONS,
    joined=st.none() | POSITIONS,
)
NUMBERS = iter(range(1000, 10**6))


def resumed(connection_id: str, channel: str, past: Past, stub: ManagementApiStub) -> Any:
    """Return the events that a connection gets, or None if they are not recovered."""
    body = {"type": "resume", "positions": {channel: dict(past.since)}}
    context = {"eventType": "MESSAGE", "connectionId": connection_id}
    answer = message_handler({"requestContext": context, "body": json.dumps(body)}, CONTEXT)
    frames = [*stub.received[connection_id], frame_of(answer).encode()]
    *events, recovered = [event for frame in frames for event in events_in(json.loads(frame))]
    assert recovered["event"] == "recovered"
    assert recovered["data"]["recovered"] or not events
    return events if recovered["data"]["recovered"] else None


def paged(account_id: int, channel: str, past: Past, limit: int) -> Any:
    """Return the events of all pages, or None if a page is not recovered."""
    since, events = text(past.since), []
    while True:
        answer = read(channel, token_of(ClientType.USER, account_id), since=since, limit=limit)
        if answer.status == 403:
            assert past.is_room
            assert past.joined is None
            return None
        page = answer.body
        assert len(page["events"]) <= limit
        if not page["recovered"]:
            assert page == {**page, "events": [], "has_more": False}
            return None
        events += page["events"]
        since = text(page["position"])
        if not page["has_more"]:
            return events


@settings(max_examples=60)
@given(past=PASTS, limit=st.integers(1, 9), takes_batches=st.booleans())
def test_the_pages_have_the_events_that_resume_sends(
    management_api: ManagementApiStub, past: Past, limit: int, takes_batches: bool
) -> None:
    account_id = next(NUMBERS)
    identity, connection_id = f"user:{account_id}", f"c{account_id}"
    channel = f"room:r{account_id}" if past.is_room else identity
    connect(connection_id, ClientType.USER, account_id, takes_batches=takes_batches)
    if past.is_room:
        connections.join(stored(connection_id), channel.removeprefix("room:"))
    past.store(identity, channel)
    found = resumed(connection_id, channel, past, management_api)
    assert paged(account_id, channel, past, limit) == found
