"""Clients for the demo and the tests: a WebSocket that collects its frames, and HTTP calls."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Condition, Thread, Timer
from typing import Any, NamedTuple, Self

import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from local.inbox import Inbox, events_in

PATIENCE_SECONDS = 60
# A function that has not answered a request by then has died.
ANSWER_SECONDS = 35


class Frame(NamedTuple):
    """One event, parsed, with the time of its arrival (`time.monotonic`).

    The events of a batch are frames of their own here, with the text of the batch.
    """

    at: float
    text: str
    event: dict[str, Any]


class Client:
    """One open WebSocket, whose frames a thread collects."""

    def __init__(self, url: str, inbox: Inbox | None = None, **options: Any) -> None:
        """Connect; raises websockets' InvalidStatus when the handshake is refused.

        The inbox of an earlier connection says in the handshake how far it has read, and receives
        what it missed.
        """
        self.inbox = inbox or Inbox()
        if positions := self.inbox.open():
            url += f"{'&' if '?' in url else '?'}positions={positions}"
        self._open = ExitStack()
        # The default is ten seconds, and a busy machine may take longer to start a function.
        options.setdefault("open_timeout", ANSWER_SECONDS)
        self.socket = self._open.enter_context(
            connect(url, compression=None, ping_interval=None, **options)
        )
        self.frames: list[Frame] = []
        self.is_closed = False
        self._changed = Condition()
        self._waiting: Timer | None = None
        self._reader = Thread(target=self._read)
        self._reader.start()

    @classmethod
    @contextmanager
    def connected(cls, url: str, **options: Any) -> Iterator[Self]:
        """Connect, and wait for `connected`; close at the end."""
        client = cls(url, **options)
        try:
            client.wait_for("connected")
            yield client
        finally:
            client.close()

    def _read(self) -> None:
        try:
            for text in self.socket:
                now, frame = time.monotonic(), parse_frame(str(text))
                events = events_in(frame)
                with self._changed:
                    self.frames += [Frame(now, str(text), event) for event in events]
                    answers = self.inbox.take(frame)
                    self._changed.notify_all()
                for answer in answers:
                    self.send(answer)
                self._ask_again_later(events)
        except ConnectionClosed:
            pass
        finally:
            with self._changed:
                self.is_closed = True
                self._changed.notify_all()

    def _ask_again_later(self, events: list[dict[str, Any]]) -> None:
        """Request again what is not answered: after the wait of a refusal, or when it is late."""
        for event in events:
            match event:
                case {"event": "error", "data": {"code": "too_many_requests", "retry_after": wait}}:
                    self._ask_again_in(wait)
                    return
        if not self.inbox.unanswered():
            self._stop_waiting()
        elif self._waiting is None:
            self._ask_again_in(ANSWER_SECONDS)

    def _ask_again_in(self, seconds: float) -> None:
        self._stop_waiting()
        self._waiting = Timer(seconds, self._ask_again)
        self._waiting.daemon = True
        self._waiting.start()

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting.cancel()
        self._waiting = None

    def _ask_again(self) -> None:
        with self._changed:
            self._waiting = None
            requests = self.inbox.unanswered()
        with suppress(ConnectionClosed):
            for request in requests:
                self.send(request)

    def events(self, name: str) -> list[Frame]:
        return [frame for frame in self.frames if frame.event.get("event") == name]

    def wait_for(self, name: str, count: int = 1) -> list[Frame]:
        """Wait for `count` events of a name, and return them.

        Raises TimeoutError with the frames received; immediately if the connection is closed.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self.is_closed or len(self.events(name)) >= count, PATIENCE_SECONDS
            )
            if len(self.events(name)) < count:
                raise TimeoutError(f"waited for {count} {name}, got {self.frames}")
        return self.events(name)

    def wait_for_events(self, count: int) -> list[dict[str, Any]]:
        """Wait until the inbox has applied `count` published events, and return them."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.inbox.events) >= count, PATIENCE_SECONDS)
            if len(self.inbox.events) < count:
                raise TimeoutError(f"waited for {count} events, got {self.inbox.events}")
        return self.inbox.events

    def send(self, message: Any) -> None:
        self.socket.send(json.dumps(message))

    def close(self) -> None:
        self._open.close()
        self._reader.join()
        self._stop_waiting()


def parse_frame(text: str) -> dict[str, Any]:
    """Parse a frame.

    A frame that is not an event says that a function failed: API Gateway sends `{"message": …}` or
    an empty frame, the local cloud plain text. It is treated as an interrupted recovery, so that
    the inbox repeats its request, as an app does after a timeout.
    """
    try:
        event: Any = json.loads(text)
    except ValueError:
        event = None
    if isinstance(event, dict) and "event" in event:
        return event
    return {"event": "error", "data": {"code": "recovery_interrupted"}}


class Api:
    """HTTP calls to one host."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def call(self, method: str, path: str, token: str | None = None, **more: Any) -> Any:
        """Return the body of a response; raises requests' HTTPError if it is a refusal."""
        answer = self.answer(method, path, token, **more)
        answer.raise_for_status()
        return answer.json()

    def answer(
        self, method: str, path: str, token: str | None = None, **more: Any
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._session.request(
            method, self.url + path, headers=headers | more.pop("headers", {}), timeout=40, **more
        )

    def login(self, email: str, password: str) -> str:
        """Return the access token of a new session."""
        return str(self.begin_session(email, password)["access_token"])

    def begin_session(self, email: str, password: str) -> Any:
        """Return what a login gives: the tokens and the account."""
        body = {"email": email, "password": password}
        return self.call("POST", "/api/v1/auth/login", json=body)

    def websocket_url(self, client_type: str, token: str, batch: bool = False) -> str:
        """Return the URL of a client; one with `batch` takes several events in one frame."""
        url = f"{self.url.replace('http', 'ws', 1)}/ws/{client_type}?token={token}"
        return f"{url}&batch=1" if batch else url

    def close(self) -> None:
        self._session.close()
