"""What clients say over an open connection."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies

from functions.message.handler import handler
from harness.gateway_events import CONTEXT, frame_of
from tests.aws.conftest import connect
from vitrina import message_budget
from vitrina.buckets import Rate
from vitrina.channels import ClientType


@pytest.fixture(autouse=True)
def _open(cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open a connection that may say anything, as often as it likes."""
    connect("c1", ClientType.USER)
    monkeypatch.setattr(message_budget, "MESSAGES", Rate(tries=10_000, seconds=2))


def say(body: str) -> Any:
    answer = handler(
        {"requestContext": {"eventType": "MESSAGE", "connectionId": "c1"}, "body": body}, CONTEXT
    )
    assert answer["statusCode"] == 200
    return json.loads(frame_of(answer))


@pytest.mark.parametrize(
    "body", ['{"type":"ping"}', '{"type":"ping","timestamp":"2024-01-01T12:00:00.000Z"}']
)
def test_ping_is_answered_with_pong(body: str) -> None:
    assert say(body) == {"event": "pong"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "message_not_json"),
        ("ping", "message_not_json"),
        ("{}", "message_invalid"),
        ('{"type":"dance"}', "message_invalid"),
        ('{"type":"ping","extra":1}', "message_invalid"),
        ('{"type":"ping","timestamp":7}', "message_invalid"),
        ("[" * 8000, "message_not_json"),
        ("[" * 10_000, "message_too_large"),
        ('{"type":"ping","x":' + "[" * 4000 + "]" * 4000 + "}", "message_not_json"),
        (json.dumps({"type": "ping", "timestamp": "Ж" * 5000}), "message_too_large"),
    ],
)
def test_anything_else_is_answered_with_an_error(body: str, code: str) -> None:
    answer = say(body)
    assert (answer["event"], answer["data"]["code"]) == ("error", code)


def test_an_error_says_what_was_expected_and_repeats_no_value() -> None:
    for body, expected in {
        '{"type":"join"}': "room: Field required.",
        '{"type":"join","room":"s3cret s3cret"}': "room: String should match pattern",
        '{"type":"auth","token":7}': "token: Input should be a valid string.",
        '{"type":"resume","positions":{"user":{"epoch":"e","seq":-1}}}': "positions.user.seq: ",
        '{"type":"s3cret"}': "ping, resume, join, leave or auth",
        "s3cret": "Expected a JSON object, in a text frame.",
    }.items():
        message = say(body)["data"]["message"]
        assert expected in message
        assert "s3cret" not in message


def test_a_binary_frame_is_refused() -> None:
    context = {"eventType": "MESSAGE", "connectionId": "c1"}
    event = {"requestContext": context, "body": "eyJ0eXBlIjoicGluZyJ9", "isBase64Encoded": True}
    answer = json.loads(handler(event, CONTEXT)["body"])
    assert (answer["event"], answer["data"]["code"]) == ("error", "message_not_json")


@given(strategies.text())
def test_no_text_breaks_anything(body: str) -> None:
    assert say(body)["event"] in {"pong", "error"}
