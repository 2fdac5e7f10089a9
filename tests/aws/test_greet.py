"""The connections stream, greeted; and by the queue, who is not reached at once."""

import json
import time
from typing import Any

import pytest

from functions.fanout.handler import handler as fanout
from functions.greet import handler as greet
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Clock, FanoutQueue, connect, stored_connections
from vitrina import auth, aws, connections, greeting, moderation, sender
from vitrina.channels import ClientType
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
    at(connections.HANDSHAKE_SECONDS + 1)
    assert fanout_queue.work() == []
    assert stored_connections() == {"open"}


def test_those_that_have_ended_meanwhile_are_not_greeted(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    """The stream's image is as old as the stream is late."""
    batch = connected("disconnected", "gone", "open")
    connections.expire("disconnected")
    connections.forget("gone")
    greet.handler(batch, CONTEXT)
    assert greetings(management_api) == {"open": 1}
    task = Greet(connection_ids=["disconnected", "gone", "gone"], attempt=1)
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
