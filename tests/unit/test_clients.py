"""Clients of this repository ignore what is no event: API Gateway's own frames."""

import json
from threading import Thread
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

import test_websocket_client
from local.client import Client, parse_frame

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


def test_the_reference_client_requests_again_what_was_refused_as_too_many_requests() -> None:
    at = {"epoch": "e", "seq": 2}
    event = {"event": "product.approved", "channel": "user", "data": {}}
    refusal = {"event": "error", "data": {"code": "too_many_requests", "retry_after": 0}}
    recovered = {"recovered": True, "channels": {"user": at | {"recovered": True}}}
    requests: list[Any] = []

    def answer(socket: ServerConnection) -> None:
        def send(*frames: dict[str, Any]) -> None:
            for frame in frames:
                socket.send(json.dumps(frame))

        send({"event": "connected", "data": {"positions": {"user": at | {"seq": 0}}}})
        send(event | {"seq": 2})
        requests.append(json.loads(socket.recv()))
        send(refusal)
        requests.append(json.loads(socket.recv()))
        send(event | {"seq": 1}, {"event": "recovered", "data": recovered})

    with serve(answer, "127.0.0.1", 0) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        port = server.socket.getsockname()[1]
        with Client.connected(f"ws://127.0.0.1:{port}") as client:
            assert [event["seq"] for event in client.wait_for_events(2)] == [1, 2]
        server.shutdown()
        serving.join()
    [first, second] = requests
    assert first == second == {"type": "resume", "positions": {"user": at | {"seq": 0}}}
