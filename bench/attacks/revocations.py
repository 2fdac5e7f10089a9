"""Rounds in which an account is disconnected, or deleted, while others use its tokens."""

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from itertools import count
from threading import Event
from typing import Any, NamedTuple

from requests import RequestException
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from harness.tokens import token_of
from local.client import Api
from local.emulator import PASSWORD, Cloud, create_account
from ops import account_removal
from vitrina.channels import ClientType

ROUNDS = 200
LOOPS = (1, 2, 8)
MAX_DELAY_SECONDS = 0.3
# The first sweep after a revocation closes what could not be closed at once: a handshake that has
# not ended. It comes within a minute, and may take half of one.
CLOSE_SECONDS = 90
ANNOUNCEMENT = "announcement.published"


def measure(_cloud: Cloud, url: str) -> dict[str, Any]:
    """Return by the number of loops what was left over, and how many requests the loops made.

    Also the events that were posted to what had been revoked, and the seconds until its last socket
    was closed.
    """
    chance, numbers = random.Random(1), count(1)  # noqa: S311
    found = {}
    for loops in LOOPS:
        played = []
        for number in range(ROUNDS // len(LOOPS) + 1):
            one = _Round(url, f"round{next(numbers)}@example.com", deletes=number % 2 == 1)
            played.append(one.play(loops, chance.uniform(0, MAX_DELAY_SECONDS)))
        found[str(loops)] = {
            "tokens": sum(each.tokens for each in played),
            "sockets": sum(each.sockets for each in played),
            "events": sum(each.events for each in played),
            "seconds": max(each.seconds for each in played),
            "requests": sum(each.requests for each in played),
            "rounds": len(played),
        }
    return found


class _Left(NamedTuple):
    """What works after a revocation, and what its sockets received."""

    tokens: int
    sockets: int
    events: int
    seconds: float
    """Until the last socket was closed."""
    requests: int


class _Round:
    def __init__(self, url: str, email: str, *, deletes: bool) -> None:
        self._url = url
        self._email = email
        self._deletes = deletes
        self._account = create_account(email, ClientType.USER)

    def play(self, loops: int, delay_seconds: float) -> _Left:
        """End the account while loops use it; return what still works afterwards."""
        is_over, api = Event(), Api(self._url)
        clients = [_Client(self._url, self._email, self._deletes) for _ in range(loops)]
        with ThreadPoolExecutor(loops) as pool:
            running = [pool.submit(client.use, is_over) for client in clients]
            time.sleep(delay_seconds)
            self._end(api)
            ended_at = time.monotonic()
            self._announce(api)
            time.sleep(delay_seconds)
            is_over.set()
            for loop in running:
                loop.result()
        api.close()
        found = [_read(each, ended_at) for client in clients for each in client.sockets]
        return _Left(
            tokens=sum(client.working_tokens() for client in clients),
            sockets=sum(each.is_open for each in found),
            events=sum(each.events for each in found),
            seconds=max((each.closed_at - ended_at for each in found), default=0.0),
            requests=sum(client.requests for client in clients),
        )

    def _end(self, api: Api) -> None:
        """End the account's sessions, as an operator who deletes it, or as an administrator."""
        if self._deletes:
            account_removal.remove(self._email)
        else:
            path = f"/api/v1/admin/accounts/{self._account.account_id}/disconnect"
            api.call("POST", path, token_of(ClientType.ADMIN, 1))

    def _announce(self, api: Api) -> None:
        """Publish to all users, which no longer include the account."""
        body = {"to": "user", "title": self._email, "text": "Тест"}
        api.call("POST", "/api/v1/admin/announcements", token_of(ClientType.ADMIN, 1), json=body)


class _Client:
    """A session of the account that is used without a pause."""

    def __init__(self, url: str, email: str, logs_in: bool) -> None:
        self._api = Api(url)
        self._email = email
        self._access: list[str] = []
        self._refresh: list[str] = []
        self.sockets: list[ClientConnection] = []
        self.requests = 0
        self._steps: list[Callable[[], None]] = [self._exchange, self._connect, self._extend]
        # Clients may log in after a disconnection, and not after a deletion.
        if logs_in:
            self._steps.append(self._log_in)
        self._log_in()

    def use(self, is_over: Event) -> None:
        while not is_over.is_set():
            for step in self._steps:
                with suppress(RequestException, WebSocketException, OSError):
                    step()
                    self.requests += 1

    def working_tokens(self) -> int:
        access = (self._api.answer("GET", "/api/v1/me", token) for token in self._access)
        refresh = (
            self._api.answer("POST", "/api/v1/auth/refresh", json={"refresh_token": token})
            for token in self._refresh[-2:]  # an older one ends the session
        )
        return sum(answer.status_code != HTTPStatus.UNAUTHORIZED for answer in (*access, *refresh))

    def _log_in(self) -> None:
        body = {"email": self._email, "password": PASSWORD}
        self._keep(self._api.call("POST", "/api/v1/auth/login", json=body))

    def _exchange(self) -> None:
        body = {"refresh_token": self._refresh[-1]}
        self._keep(self._api.call("POST", "/api/v1/auth/refresh", json=body))

    def _keep(self, granted: dict[str, str]) -> None:
        self._access.append(granted["access_token"])
        self._refresh.append(granted["refresh_token"])

    def _connect(self) -> None:
        url = self._api.websocket_url("user", self._access[-1])
        self.sockets.append(connect(url, compression=None))

    def _extend(self) -> None:
        for socket in self.sockets[-1:]:  # none if the handshake was refused
            socket.send(json.dumps({"type": "auth", "token": self._access[-1]}))


class _Socket(NamedTuple):
    is_open: bool
    events: int
    """Announcements that it received; each is of a round that revoked its account before."""
    closed_at: float


def _read(socket: ClientConnection, ended_at: float) -> _Socket:
    """Read a socket until it is closed, as long as that may take after the end of its account."""
    deadline, events, is_open = ended_at + CLOSE_SECONDS, 0, True
    try:
        while True:
            text = str(socket.recv(timeout=max(0.0, deadline - time.monotonic())))
            events += ANNOUNCEMENT in text
    except WebSocketException:
        is_open = False
    except TimeoutError:
        socket.close()
    return _Socket(is_open, events, time.monotonic())
