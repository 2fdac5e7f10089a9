"""What clients say over an open connection."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from functions.message.handler import handler
from tests.aws.conftest import CONTEXT


def say(body: str) -> Any:
    answer = handler(
        {"requestContext": {"eventType": "MESSAGE", "connectionId": "c1"}, "body": body}, CONTEXT
    )
    assert answer["statusCode"] == 200
    return json.loads(answer["body"])


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
        (json.dumps({"type": "ping", "timestamp": "Ж" * 5000}), "message_too_large"),
    ],
)
def test_anything_else_is_answered_with_an_error(body: str, code: str) -> None:
    answer = say(body)
    assert (answer["event"], answer["data"]["code"]) == ("error", code)


@hypothesis_settings(deadline=None)
@given(strategies.text())
def test_no_text_breaks_anything(body: str) -> None:
    assert say(body)["event"] in {"pong", "error"}
