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
from typing import Any

from pydantic import TypeAdapter
from requests import RequestException
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from harness.tokens import token_of
from local.client import Api
from local.emulator import PASSWORD, Cloud
from ops import account_removal
from vitrina import accounts
from vitrina.channels import ClientType

ROUNDS = 200
LOOPS = (1, 2, 8)
MAX_DELAY_SECONDS = 0.3
CLOSE_SECONDS = 30
WORD = TypeAdapter(accounts.Password).validate_python(PASSWORD)


def measure(_cloud: Cloud, url: str) -> dict[str, Any]:
    """Return what was left over, by the number of loops; and how many requests the loops made."""
    chance, numbers = random.Random(1), count(1)  # noqa: S311
    found = {}
    for loops in LOOPS:
        left: dict[str, int] = {"tokens": 0, "sockets": 0, "requests": 0, "rounds": 0}
        for number in range(ROUNDS // len(LOOPS) + 1):
            one = _Round(url, f"round{next(numbers)}@example.com", deletes=number % 2 == 1)
            tokens, sockets, requests = one.play(loops, chance.uniform(0, MAX_DELAY_SECONDS))
            left["tokens"] += tokens
            left["sockets"] += sockets
            left["requests"] += requests
            left["rounds"] += 1
        found[str(loops)] = left
    return found


class _Round:
    def __init__(self, url: str, email: str, *, deletes: bool) -> None:
        self._url = url
        self._email = email
        self._deletes = deletes
        self._account = accounts.create(email, WORD, ClientType.USER)

    def play(self, loops: int, delay_seconds: float) -> tuple[int, int, int]:
        """Return how many tokens and sockets work afterwards, and how many requests were made."""
        is_over, api = Event(), Api(self._url)
        clients = [_Client(self._url, self._email, self._deletes) for _ in range(loops)]
        with ThreadPoolExecutor(loops) as pool:
            running = [pool.submit(client.use, is_over) for client in clients]
            time.sleep(delay_seconds)
            self._end(api)
            time.sleep(delay_seconds)
            is_over.set()
            for loop in running:
                loop.result()
        api.close()
        return (
            sum(client.working_tokens() for client in clients),
            sum(_is_open(socket) for client in clients for socket in client.sockets),
            sum(client.requests for client in clients),
        )

    def _end(self, api: Api) -> None:
        """End the account's sessions, as an operator who deletes it, or as an administrator."""
        if self._deletes:
            account_removal.remove(self._email)
        else:
            path = f"/api/v1/admin/accounts/{self._account.account_id}/disconnect"
            api.call("POST", path, token_of(ClientType.ADMIN, 1))


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


def _is_open(socket: ClientConnection) -> bool:
    """Wait for the end of a socket; return whether it stayed open."""
    deadline = time.monotonic() + CLOSE_SECONDS
    try:
        while (left := deadline - time.monotonic()) > 0:
            socket.recv(timeout=left)
    except WebSocketException:
        return False
    except TimeoutError:
        pass
    socket.close()
    return True
