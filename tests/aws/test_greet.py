"""The connections stream, greeted."""

import json
import time
from typing import Any

import pytest

from functions.greet import handler as greet
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from vitrina import auth, aws, greeting, moderation, sender
from vitrina.channels import ClientType
from vitrina.products import Submission


def record(connection_id: str, expires_in: int = 60) -> dict[str, Any]:
    now = int(time.time())
    row = {
        "partition": f"connection#{connection_id}",
        "member": "connection",
        "client_type": "user",
        "identity": "42",
        "account_id": 42,
        "connected_at": now,
        "expires_at": now + expires_in,
    }
    return {"eventName": "INSERT", "dynamodb": {"NewImage": aws.to_item(row)}}


def test_every_new_connection_receives_connected(management_api: ManagementApiStub) -> None:
    greet.handler({"Records": [record("c1"), record("c2")]}, CONTEXT)
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
    greet.handler({"Records": [record("before")]}, CONTEXT)
    moderation.approve([product.product_id], None, admin)
    greet.handler({"Records": [record("after")]}, CONTEXT)
    before, after = (
        json.loads(management_api.received[name][0])["data"]["positions"]
        for name in ("before", "after")
    )
    assert set(before) == {"user", "user:42"}
    assert (before["user"]["seq"], after["user"]["seq"]) == (0, 1)
    assert before["user"]["epoch"] == after["user"]["epoch"] != ""
    assert before["user:42"] == after["user:42"]


def test_a_greeting_that_is_throttled_or_fails_is_repeated(
    management_api: ManagementApiStub,
) -> None:
    management_api.answers = {"slow": [429] * 5, "broken": [500] * 5}
    greet.handler({"Records": [record("slow"), record("broken")]}, CONTEXT)
    assert len(management_api.received["slow"]) == len(management_api.received["broken"]) == 1


def test_a_greeting_that_comes_before_the_handshake_ended_is_repeated(
    management_api: ManagementApiStub,
) -> None:
    management_api.answers["early"] = [410, 410]
    greet.handler({"Records": [record("early"), record("open")]}, CONTEXT)
    assert len(management_api.received["early"]) == len(management_api.received["open"]) == 1


def test_one_that_never_opens_is_given_up(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "PAUSES_SECONDS", (0.01, 0.01))
    management_api.answers["never"] = [410] * 9
    greet.handler({"Records": [record("never"), record("open")]}, CONTEXT)
    assert set(management_api.received) == {"open"}
    assert management_api.statuses[410] == 3


def test_one_that_is_throttled_to_the_end_fails_the_batch_so_that_the_stream_brings_it_again(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "PAUSES_SECONDS", (0.01,))
    monkeypatch.setattr(sender, "FIRST_BACKOFF_SECONDS", 0.001)
    management_api.answers = {"slow": [429] * 8, "never": [410] * 9}
    batch = {"Records": [record("slow"), record("never"), record("open")]}
    with pytest.raises(greeting.GreetingFailed, match="1 of 3"):
        greet.handler(batch, CONTEXT)
    greet.handler(batch, CONTEXT)
    assert set(management_api.received) == {"slow", "open"}


def test_an_expired_connection_is_not_greeted(management_api: ManagementApiStub) -> None:
    greet.handler({"Records": [record("late", expires_in=-1)]}, CONTEXT)
    assert not management_api.requests
