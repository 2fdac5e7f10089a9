"""A WebSocket server that does what a test tells it to, in place of the deployed stack.

A test accepts each connection of the app and plays the server on it:

    here = server.accept()
    here.send(connected(57))
    assert here.receive() == {"type": "resume", …}

Pings are answered, unless `answers_pings` is off. `refuses` is how many handshakes are answered
with 403 (after a 401 Node itself asks twice). To make it do more, add to `Connection`; frames are
made by the functions at the end.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from queue import Queue
from threading import Event, Thread
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

PATIENCE_SECONDS = 60

Frame = dict[str, Any]


class Connection:
    """One connection of the app, from the server's side."""

    def __init__(self, socket: ServerConnection) -> None:
        assert socket.request
        self.path = socket.request.path
        self.token = socket.request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.answers_pings = True
        self.pings: Queue[Frame] = Queue()
        self._messages: Queue[Frame] = Queue()
        self._socket = socket
        self._closed = Event()

    def read(self) -> None:
        try:
            for text in self._socket:
                message = json.loads(text)
                if message["type"] != "ping":
                    self._messages.put(message)
                    continue
                self.pings.put(message)
                if self.answers_pings:
                    self.send({"event": "pong"})
        except ConnectionClosed:
            pass
        finally:
            self._closed.set()

    def send(self, *frames: Frame) -> None:
        for frame in frames:
            self._socket.send(json.dumps(frame))

    def send_text(self, text: str) -> None:
        self._socket.send(text)

    def receive(self) -> Frame:
        """Return the app's next message that is not a ping."""
        return self._messages.get(timeout=PATIENCE_SECONDS)

    def receive_ping(self) -> Frame:
        return self.pings.get(timeout=PATIENCE_SECONDS)

    @property
    def has_said_nothing(self) -> bool:
        return self._messages.empty()

    def drop(self) -> None:
        self._socket.close()

    def wait_closed(self) -> None:
        assert self._closed.wait(PATIENCE_SECONDS)


class FakeServer:
    def __init__(self) -> None:
        self.refuses = 0
        self._accepted: Queue[Connection] = Queue()
        self._server = serve(
            self._handle,
            "127.0.0.1",
            0,
            process_request=self._refuse,
            compression=None,
            ping_interval=None,
            close_timeout=1,
        )
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def _refuse(self, socket: ServerConnection, _request: Request) -> Response | None:
        if self.refuses:
            self.refuses -= 1
            return socket.respond(HTTPStatus.FORBIDDEN, "")
        return None

    def _handle(self, socket: ServerConnection) -> None:
        connection = Connection(socket)
        self._accepted.put(connection)
        connection.read()

    def accept(self) -> Connection:
        """Wait for the app's next connection."""
        return self._accepted.get(timeout=PATIENCE_SECONDS)

    @property
    def has_nobody(self) -> bool:
        """Whether the app has not connected since the last `accept`."""
        return self._accepted.empty()

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["FakeServer"]:
        server = cls()
        thread = Thread(target=server._server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server._server.shutdown()
            thread.join()


def at(seq: int, epoch: str = "e") -> Frame:
    return {"epoch": epoch, "seq": seq}


def lasting(seconds: float) -> Frame:
    """Return when a connection ends that lasts so long from now on, and what time it is now.

    The server's clock is another one than the app's, and wrong.
    """
    now = datetime(2024, 1, 1, 12, tzinfo=UTC)
    end = now + timedelta(seconds=seconds)
    return {"timestamp": now.isoformat(), "data": {"expires_at": end.isoformat()}}


def connected(seq: int = 0, epoch: str = "e", *, seconds: float = 3600, ping: float = 30) -> Frame:
    ends = lasting(seconds)
    positions = {"user": at(seq, epoch)}
    data = ends["data"] | {"ping_interval_seconds": ping, "positions": positions}
    return {"event": "connected", "timestamp": ends["timestamp"], "data": data}


def event(seq: int, channel: str = "user") -> Frame:
    return {
        "event": "product.approved",
        "timestamp": "2024-01-01T12:00:00Z",
        "data": {"product_id": seq},
        "id": f"id-{seq}",
        "channel": channel,
        "seq": seq,
    }


def resume(seq: int, epoch: str = "e", channel: str = "user") -> Frame:
    return {"type": "resume", "positions": {channel: at(seq, epoch)}}


def recovered(
    seq: int, epoch: str = "e", channel: str = "user", *, is_recovered: bool = True
) -> Frame:
    channels = {channel: at(seq, epoch) | {"recovered": is_recovered}}
    return {"event": "recovered", "data": {"recovered": is_recovered, "channels": channels}}


def error(code: str) -> Frame:
    return {"event": "error", "data": {"code": code, "message": "A sentence."}}


def closing(reason: str) -> Frame:
    return {"event": "closing", "data": {"reason": reason}}


def joined(room: str, seq: int, epoch: str = "e") -> Frame:
    data = {"room": room, "channel": f"room:{room}", "position": at(seq, epoch)}
    return {"event": "joined", "data": data}


def left(room: str) -> Frame:
    return {"event": "left", "data": {"room": room}}
