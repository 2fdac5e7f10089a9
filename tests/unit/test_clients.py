"""Clients of this repository ignore what is no event: API Gateway's own frames."""

import json

import pytest

import test_websocket_client
from local.client import parse_frame

FAILED = json.dumps({"message": "Internal server error", "connectionId": "x", "requestId": "y"})


@pytest.mark.parametrize("text", ["", FAILED, "null", "[]", "7", "Internal server error", "{}"])
def test_a_frame_that_is_no_event_is_read_as_none(text: str) -> None:
    assert "event" not in test_websocket_client.parse(text)
    # The reference client repeats an interrupted recovery.
    assert parse_frame(text) == {"event": "error", "data": {"code": "recovery_interrupted"}}


def test_an_event_is_read_as_it_is() -> None:
    event = {"event": "product.approved", "data": {"product_name": "Красное платье"}}
    text = json.dumps(event, ensure_ascii=False)
    assert test_websocket_client.parse(text) == parse_frame(text) == event
