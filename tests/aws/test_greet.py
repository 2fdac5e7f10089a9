"""The connections stream, greeted; and by the queue, who is not reached at once."""

import json
import time
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from functions.fanout.handler import handler as fanout
from functions.greet import handler as greet
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Clock, FanoutQueue, connect, stored, stored_connections
from vitrina import (
    auth,
    aws,
    connections,
    endings,
    frames,
    greeting,
    history,
    message_budget,
    moderation,
    sender,
    sessions,
)
from vitrina.channels import ClientType
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import Change
from vitrina.products import Submission
from vitrina.tasks import Greet


def record(connection_id: str) -> dict[str, Any]:
    """Return the insertion of a row, as the stream has it."""
    [row] = aws.batch_get("connections", [connections.key(connection_id)])
    return {"eventName": "INSERT", "dynamodb": {"NewImage": row}}


def connected(*connection_ids: str) -> dict[str, Any]:
    """Store connections, and return the batch of their insertions."""
    for n, connection_id in enumerate(connection_ids):
        connect(connection_id, ClientType.USER, account_id=42 + n)
    return {"Records": [record(connection_id) for connection_id in connection_ids]}


def greetings(management_api: ManagementApiStub) -> dict[str, int]:
    """Return how often each connection received `connected`, and nothing else."""
    for bodies in management_api.received.values():
        assert {json.loads(body)["event"] for body in bodies} == {"connected"}
    return {name: len(bodies) for name, bodies in management_api.received.items()}


def test_every_new_connection_receives_connected(management_api: ManagementApiStub) -> None:
    greet.handler(connected("c1", "c2"), CONTEXT)
    assert set(management_api.received) == {"c1", "c2"}
    [body] = management_api.received["c1"]
    event = json.loads(body)
    assert event["event"] == "connected"
    assert event["data"]["connection_id"] == "c1"
    assert event["data"]["client_type"] == "user"
    assert event["data"]["ping_interval_seconds"] == 30
    assert event["data"]["expires_at"].endswith("Z")


def test_connected_says_where_the_connections_channels_stand(
    management_api: ManagementApiStub,
) -> None:
    shop = auth.verify(token_of(ClientType.SHOP))
    admin = auth.verify(token_of(ClientType.ADMIN))
    product = moderation.submit(Submission(product_name="x"), shop)
    greet.handler(connected("before"), CONTEXT)
    connections.forget("before")
    moderation.approve([product.product_id], None, admin)
    greet.handler(connected("after"), CONTEXT)
    before, after = (
        json.loads(management_api.received[name][0])["data"]["positions"]
        for name in ("before", "after")
    )
    assert set(before) == {"user", "user:42"}
    assert (before["user"]["seq"], after["user"]["seq"]) == (0, 1)
    assert before["user"]["epoch"] == after["user"]["epoch"] != ""
    assert before["user:42"] == after["user:42"]


def test_a_greeting_that_is_throttled_or_fails_is_repeated_by_the_queue(
    management_api: ManagementApiStub,
    fanout_queue: FanoutQueue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "FIRST_BACKOFF_SECONDS", 0.001)
    batch = connected("slow", "broken", "open")
    management_api.answers = {"slow": [429] * 5, "broken": [500] * 9}
    greet.handler(batch, CONTEXT)
    assert greetings(management_api) == {"open": 1}
    assert fanout_queue.work() == []
    assert greetings(management_api) == {"open": 1, "slow": 1, "broken": 1}
    assert fanout_queue.delays == [1, 2, 4]


def test_a_greeting_that_comes_before_the_handshake_ended_is_repeated_at_once(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    batch = connected("early", "open")
    management_api.answers["early"] = [410]
    greet.handler(batch, CONTEXT)
    assert greetings(management_api) == {"early": 1, "open": 1}
    assert len(fanout_queue) == 0


def test_one_that_never_opens_delays_nobody_and_is_forgotten(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, at: Clock
) -> None:
    """Handshakes that are broken off: the row is stored, and the connection never opens."""
    batch = connected("never", "open")
    management_api.answers["never"] = [410] * 99
    began = time.monotonic()
    greet.handler(batch, CONTEXT)
    assert time.monotonic() - began < 10 * greeting.PAUSE_SECONDS
    assert greetings(management_api) == {"open": 1}
    assert len(fanout_queue) == 1
    assert stored_connections() == {"never", "open"}
    at(connections.MAX_HANDSHAKE_SECONDS + 1)
    assert fanout_queue.work() == []
    assert stored_connections() == {"open"}


def test_of_a_session_that_ended_with_everyones_no_connection_is_greeted(
    management_api: ManagementApiStub,
) -> None:
    batch = connected("c1")
    endings.end_everyone()
    sessions.forget()
    greet.handler(batch, CONTEXT)
    assert greetings(management_api) == {}


def test_one_that_closes_before_the_second_try_is_not_tried_again(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = connected("brief")
    management_api.answers["brief"] = [410]
    clock = SimpleNamespace(time=time.time, sleep=lambda _: connections.unsubscribe("brief"))
    monkeypatch.setattr(greeting, "time", clock)
    greet.handler(batch, CONTEXT)
    assert greetings(management_api) == {}
    assert len(fanout_queue) == 0


def test_a_greeting_says_when_the_connection_ends_now(
    management_api: ManagementApiStub, at: Clock
) -> None:
    batch = connected("c1")
    at(60)
    connections.extend(stored("c1"), auth.read(token_of(ClientType.USER, 42)))
    greet.handler(batch, CONTEXT)
    [body] = management_api.received["c1"]
    said = datetime.fromisoformat(json.loads(body)["data"]["expires_at"])
    assert said.timestamp() == stored("c1").expires_at


def test_those_that_have_ended_meanwhile_are_not_greeted(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    """The stream's image is as old as the stream is late."""
    batch = connected("disconnected", "gone", "closed", "open")
    connections.expire("disconnected")
    connections.forget("gone")
    connections.unsubscribe("closed")
    greet.handler(batch, CONTEXT)
    assert greetings(management_api) == {"open": 1}
    task = Greet(connection_ids=["disconnected", "gone", "gone", "closed"], attempt=1)
    fanout_queue.put(task.model_dump_json())
    assert fanout_queue.work() == []
    assert greetings(management_api) == {"open": 1}


def test_one_that_ends_between_two_tries_is_not_greeted(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = connected("c1")
    management_api.answers["c1"] = [410]
    monkeypatch.setattr("vitrina.greeting.time.sleep", lambda _: connections.expire("c1"))
    greet.handler(batch, CONTEXT)
    assert greetings(management_api) == {}
    assert len(fanout_queue) == 0


def test_one_that_is_never_reached_is_given_up_without_a_dead_letter(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "FIRST_BACKOFF_SECONDS", 0.001)
    connected("c1")
    management_api.behave = lambda _: 500
    task = Greet(connection_ids=["c1"], attempt=58)
    fanout_queue.put(task.model_dump_json())
    assert fanout_queue.work() == []
    assert fanout_queue.delays == [16, 16]


def test_a_greeting_that_is_forbidden_stays_on_the_queue(
    management_api: ManagementApiStub,
) -> None:
    connected("c1")
    management_api.answers["c1"] = [403]
    body = Greet(connection_ids=["c1"], attempt=1).model_dump_json()
    answer = fanout({"Records": [{"messageId": "1", "body": body}]}, CONTEXT)
    assert answer["batchItemFailures"] == [{"itemIdentifier": "1"}]


# --- With positions in the handshake --------------------------------------------------------------

EVENTS = ["announcement.published"] * 3


def missed(count: int) -> str:
    """Publish so many events to users; return the positions from before, for a handshake."""
    at = history.positions(["user", "user:42"])
    announcement = Announcement(to="user", title="x", text="x", admin_id=1)
    for _ in range(count):
        history.commit([Change(None, [AnnouncementPublished(data=announcement)])])
    return ",".join(f"{channel}:{each.epoch}:{each.seq}" for channel, each in at.items())


def greeted(
    positions: str | None, management_api: ManagementApiStub, *, takes_batches: bool = True
) -> list[Any]:
    """Open a connection with positions, and greet it; return the frames that it received."""
    connect("c1", ClientType.USER, 42, takes_batches=takes_batches, positions=positions)
    greet.handler({"Records": [record("c1")]}, CONTEXT)
    return [json.loads(body) for body in management_api.received["c1"]]


def names(frame: Any) -> list[str]:
    return [event["event"] for event in frame.get("events", [frame])]


@pytest.mark.parametrize("count", [0, 3])
def test_who_brings_positions_gets_everything_in_one_frame(
    count: int, management_api: ManagementApiStub
) -> None:
    [frame] = greeted(missed(count), management_api)
    assert names(frame) == ["connected", *EVENTS[:count], "recovered"]
    connected, *events, recovered = frame["events"]
    assert connected["data"]["recovering"] == ["user", "user:42"]
    assert [(event["channel"], event["seq"]) for event in events] == [
        ("user", seq) for seq in range(1, count + 1)
    ]
    positions = connected["data"]["positions"]
    assert recovered["data"] == {
        "recovered": True,
        "channels": {name: {"recovered": True, **at} for name, at in positions.items()},
    }


def test_what_does_not_fit_into_one_frame_comes_in_two(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    positions = missed(3)
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 900)
    first, second = greeted(positions, management_api)
    assert names(first) + names(second) == ["connected", *EVENTS, "recovered"]
    assert names(first)[1:]


def test_who_takes_no_batches_gets_the_same_one_by_one(management_api: ManagementApiStub) -> None:
    found = greeted(missed(3), management_api, takes_batches=False)
    assert [frame["event"] for frame in found] == ["connected", *EVENTS, "recovered"]


@pytest.mark.parametrize("takes_batches", [True, False])
def test_who_missed_more_than_a_greeting_sends_has_to_resume(
    takes_batches: bool, management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "MAX_MISSED_EVENTS", 2)
    monkeypatch.setattr(greeting, "MAX_FRAMES", 4)
    [frame] = greeted(missed(3), management_api, takes_batches=takes_batches)
    assert names(frame) == ["connected"]
    assert frame["data"]["recovering"] == []


def test_what_would_be_too_many_frames_is_left_to_resume(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    positions = missed(3)
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 500)
    monkeypatch.setattr(greeting, "MAX_FRAMES", 2)
    [frame] = greeted(positions, management_api)
    assert (names(frame), frame["data"]["recovering"]) == (["connected"], [])


def test_positions_of_channels_that_are_not_its_own_are_left_out(
    management_api: ManagementApiStub,
) -> None:
    positions = "admin:e:0,user:43:e:0,shop:10:e:0"
    [frame] = greeted(positions, management_api)
    assert (names(frame), frame["data"]["recovering"]) == (["connected"], [])


def test_another_epoch_cannot_be_recovered_and_the_other_channel_is(
    management_api: ManagementApiStub,
) -> None:
    _, own = missed(3).split(",")
    [frame] = greeted(f"user:other:2,{own}", management_api)
    assert names(frame) == ["connected", "recovered"]
    channels = frame["events"][-1]["data"]["channels"]
    assert (channels["user"]["recovered"], channels["user:42"]["recovered"]) == (False, True)
    assert channels["user"]["seq"] == 3


def test_who_reconnects_all_the_time_takes_the_recoveries_of_its_identity(
    management_api: ManagementApiStub, at: Clock, calls: list[str]
) -> None:
    count = message_budget.MAX_FREE_EVENTS + 1
    positions = missed(count)
    for _ in range(message_budget.RECOVERIES.tries):
        management_api.received.clear()
        [frame] = greeted(positions, management_api)
        assert names(frame) == ["connected", *EVENTS[:1] * count, "recovered"]
        connections.forget("c1")
    management_api.received.clear()
    connect("c1", ClientType.USER, 42, takes_batches=True, positions=positions)
    batch = {"Records": [record("c1")]}
    calls.clear()
    greet.handler(batch, CONTEXT)
    [frame] = map(json.loads, management_api.received["c1"])
    channels = frame["events"][-1]["data"]["channels"]
    assert names(frame) == ["connected", "recovered"]
    assert (channels["user"]["recovered"], channels["user:42"]["recovered"]) == (False, True)
    # The only query is for the identity's connections.
    assert calls.count("Query") == 1


def test_a_greeting_with_a_few_events_takes_no_recovery_of_its_identity(
    management_api: ManagementApiStub, calls: list[str]
) -> None:
    count = message_budget.MAX_FREE_EVENTS
    connect("c1", ClientType.USER, 42, takes_batches=True, positions=missed(count))
    batch = {"Records": [record("c1")]}
    calls.clear()
    greet.handler(batch, CONTEXT)
    [frame] = map(json.loads, management_api.received["c1"])
    assert names(frame) == ["connected", *EVENTS[:1] * count, "recovered"]
    assert "UpdateItem" not in calls


def test_a_greeting_before_the_handshake_ended_reads_the_history_once(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, calls: list[str]
) -> None:
    connect("c1", ClientType.USER, 42, takes_batches=True, positions=missed(3))
    management_api.answers["c1"] = [410]
    batch = {"Records": [record("c1")]}
    calls.clear()
    greet.handler(batch, CONTEXT)
    assert [names(json.loads(body)) for body in management_api.received["c1"]] == [
        ["connected", *EVENTS, "recovered"]
    ]
    # The history, and the identity's connections.
    assert calls.count("Query") == 2
    assert len(fanout_queue) == 0


def test_a_greeting_that_breaks_off_comes_again_from_its_beginning(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "FIRST_BACKOFF_SECONDS", 0.001)
    management_api.answers["c1"] = [200, 200, 500, 500, 200, 500, 500]
    whole = ["connected", *EVENTS, "recovered"]
    found = greeted(missed(3), management_api, takes_batches=False)
    assert [frame["event"] for frame in found] == whole[:2] + whole[:1]
    assert fanout_queue.work() == []
    found = [json.loads(body) for body in management_api.received["c1"]]
    assert [frame["event"] for frame in found] == whole[:2] + whole[:1] + whole
