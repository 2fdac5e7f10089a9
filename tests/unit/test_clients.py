"""Clients of this repository ignore what is no event: API Gateway's own frames."""

import base64
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from threading import Thread
from typing import Any

import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

import test_websocket_client
from local.client import PATIENCE_SECONDS, Api, Client, parse_frame
from local.inbox import Inbox

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


@contextmanager
def serving(
    answer: Callable[[ServerConnection], None],
    shake_hands: Callable[[ServerConnection, Request], Response | None] | None = None,
) -> Iterator[str]:
    """Answer WebSockets on a free port until the end of the block; yield the URL."""
    with serve(answer, "127.0.0.1", 0, process_request=shake_hands) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


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

    with serving(answer) as url, Client.connected(url) as client:
        assert [event["seq"] for event in client.wait_for_events(2)] == [1, 2]
    [first, second] = requests
    assert first == second == {"type": "resume", "positions": {"user": at | {"seq": 0}}}


def test_the_reference_client_sends_resume_when_no_recovered_follows_its_handshake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("local.client.ANSWER_SECONDS", 0.01)
    at = {"epoch": "e", "seq": 1}
    recovered = {"recovered": True, "channels": {"user": at | {"recovered": True}}}
    inbox = Inbox()
    inbox.positions["user"] = at | {"seq": 0}
    requests: list[Any] = []

    def answer(socket: ServerConnection) -> None:
        data = {"positions": {"user": at}, "recovering": ["user"]}
        socket.send(json.dumps({"event": "connected", "data": data}))
        requests.append(json.loads(socket.recv()))
        for frame in (APPROVED[0], {"event": "recovered", "data": recovered}):
            socket.send(json.dumps(frame))

    # The handshake may take longer than the answer is waited for here.
    opened = partial(Client.connected, inbox=inbox, open_timeout=PATIENCE_SECONDS)
    with serving(answer) as url, opened(url) as client:
        assert client.wait_for_events(1) == APPROVED[:1]
    assert requests == [{"type": "resume", "positions": {"user": at | {"seq": 0}}}]


# --- Batches ---

CONNECTED = {"event": "connected", "data": {"positions": {"user": {"epoch": "e", "seq": 0}}}}
APPROVED = [
    {"event": "product.approved", "channel": "user", "seq": seq, "data": {"product_id": seq}}
    for seq in (1, 2)
]
BATCH = json.dumps({"event": "batch", "events": [*APPROVED, {"event": "recovered"}]})


def test_the_reference_client_finds_the_events_of_a_batch_as_if_each_had_come_alone() -> None:
    def answer(socket: ServerConnection) -> None:
        socket.send(json.dumps(CONNECTED))
        socket.send(BATCH)
        socket.recv()

    with serving(answer) as url, Client.connected(url) as client:
        assert [frame.event for frame in client.wait_for("product.approved", 2)] == APPROVED
        assert client.wait_for("recovered")[0].text == BATCH
        assert [frame.event["event"] for frame in client.frames] == [
            *("connected", "product.approved", "product.approved", "recovered")
        ]
        assert client.inbox.events == APPROVED
        client.send({"type": "ping"})


def test_the_reference_client_brings_the_positions_of_its_inbox_to_its_next_connection() -> None:
    paths: list[str] = []

    def answer(socket: ServerConnection) -> None:
        assert socket.request
        paths.append(socket.request.path)
        socket.send(json.dumps(CONNECTED))
        socket.recv()

    inbox = Inbox()
    with serving(answer) as url:
        for _ in range(2):
            with Client.connected(f"{url}?token=t", inbox=inbox) as client:
                client.send({"type": "ping"})
    assert paths == ["/?token=t", "/?token=t&positions=user:e:0"]


def test_the_url_of_a_client_says_whether_it_takes_batches() -> None:
    api = Api("http://localhost:8000")
    assert api.websocket_url("user", "t") == "ws://localhost:8000/ws/user?token=t"
    assert api.websocket_url("user", "t", batch=True) == (
        "ws://localhost:8000/ws/user?token=t&batch=1"
    )
    api.close()


@pytest.mark.parametrize(
    ("options", "query"), [((), "token=TOKEN"), (("--batch",), "token=TOKEN&batch=1")]
)
def test_the_test_client_prints_the_events_of_a_batch_one_by_one(
    options: tuple[str, ...],
    query: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The second handshake is refused, which ends the program."""
    paths = []

    def refuse_the_second(socket: ServerConnection, request: Request) -> Response | None:
        paths.append(request.path)
        return socket.respond(HTTPStatus.FORBIDDEN, "") if len(paths) > 1 else None

    monkeypatch.setattr(test_websocket_client, "FIRST_PAUSE_SECONDS", 0)
    claims = base64.urlsafe_b64encode(b'{"client_type":"user"}').decode()
    token = f"header.{claims}.signature"
    with serving(lambda socket: socket.send(BATCH), refuse_the_second) as url:
        monkeypatch.setattr(sys, "argv", ["client", token, "--url", f"{url}/ws/user", *options])
        with pytest.raises(SystemExit):
            test_websocket_client.main()
    assert paths == [f"/ws/user?{query.replace('TOKEN', token)}"] * 2
    printed = capsys.readouterr().out
    for event in APPROVED:
        assert f"  product.approved\n{json.dumps(event, indent=2)}\n" in printed
    assert printed.count("  recovered\n") == 1
    assert '"batch"' not in printed
