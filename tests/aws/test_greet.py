"""The connections stream, greeted."""

import json
import time
from typing import Any

import pytest

from functions.greet import handler as greet
from tests.aws.conftest import CONTEXT
from tests.management_api_stub import ManagementApiStub
from vitrina import aws


def record(connection_id: str, expires_in: int = 60) -> dict[str, Any]:
    now = int(time.time())
    row = {
        "partition": f"connection#{connection_id}",
        "member": "connection",
        "client_type": "user",
        "identity": "42",
        "connected_at": now,
        "expires_at": now + expires_in,
    }
    return {"eventName": "INSERT", "dynamodb": {"NewImage": aws.to_item(row)}}


def test_every_new_connection_is_told_that_it_is_open(management_api: ManagementApiStub) -> None:
    greet.handler({"Records": [record("c1"), record("c2")]}, CONTEXT)
    assert set(management_api.received) == {"c1", "c2"}
    [body] = management_api.received["c1"]
    event = json.loads(body)
    assert event["event"] == "connected"
    assert event["data"]["connection_id"] == "c1"
    assert event["data"]["client_type"] == "user"
    assert event["data"]["ping_interval_seconds"] == 30
    assert event["data"]["expires_at"].endswith("Z")


def test_a_greeting_that_comes_before_the_handshake_ended_is_repeated(
    management_api: ManagementApiStub,
) -> None:
    management_api.answers["early"] = [410, 410]
    greet.handler({"Records": [record("early"), record("open")]}, CONTEXT)
    assert len(management_api.received["early"]) == len(management_api.received["open"]) == 1


def test_one_that_never_opens_is_given_up(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greet, "PAUSES_SECONDS", (0.01, 0.01))
    management_api.answers["never"] = [410] * 9
    greet.handler({"Records": [record("never"), record("open")]}, CONTEXT)
    assert set(management_api.received) == {"open"}
    assert management_api.statuses[410] == 3


def test_an_expired_connection_is_not_greeted(management_api: ManagementApiStub) -> None:
    greet.handler({"Records": [record("late", expires_in=-1)]}, CONTEXT)
    assert not management_api.requests
