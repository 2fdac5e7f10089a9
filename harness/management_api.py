"""A stub of the management API over HTTP that injects faults.

`answers[connection_id]` lists the next answers to posts and closes: a status, HANG (no answer until
the client gives up), SLOW (200 after 0.2 s) or DROP (close the socket). Otherwise the
account answers 429 to the share `throttled_share` of all requests; a connection in `full`, whose
client does not read, answers 429 to posts; one in `closed` answers 410; and for all others
`behave(connection_id)` returns the answer: 200 by default. `received` has the bodies that were
answered with 200.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from ssl import SSLContext
from typing import Self
from urllib.parse import unquote

from aiohttp import web

from harness import server_thread

HANG = -1
DROP = -2
SLOW = -3


class ManagementApiStub:
    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, list[int]] = {}
        self.behave: Callable[[str], int] = lambda _: 200
        self.throttled_share = 0.0
        self.full: set[str] = set()
        self._random = Random(0)  # noqa: S311 - faults, the same in every run
        self.received: dict[str, list[bytes]] = defaultdict(list)
        self.closed: list[str] = []
        self.requests: list[web.BaseRequest] = []
        self.statuses: dict[int, int] = defaultdict(int)

    @classmethod
    @contextmanager
    def running(cls, tls: SSLContext | None = None) -> Iterator[Self]:
        """Serve on a free port of loopback, in a thread, until the end of the block."""
        stub = cls()
        runner: web.ServerRunner

        async def start() -> None:
            nonlocal runner
            runner = web.ServerRunner(web.Server(stub._answer), shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
            host, port = runner.addresses[0][:2]
            stub.url = f"{'https' if tls else 'http'}://{host}:{port}/ws"

        async def stop() -> None:
            await runner.cleanup()

        with server_thread.running(start, stop):
            yield stub

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        connection_id = unquote(request.raw_path.rpartition("/@connections/")[2])
        body = await request.read()
        self.requests.append(request)
        planned = self.answers.get(connection_id) if request.method != "GET" else None
        answer = planned.pop(0) if planned else self._status(request.method, connection_id)
        self.statuses[answer] += 1
        if answer == HANG:
            await asyncio.sleep(60)
        if answer in (HANG, DROP) and request.transport:
            request.transport.abort()
        if answer == SLOW:
            await asyncio.sleep(0.2)
        if answer in (SLOW, 200) and request.method == "DELETE":
            self.closed.append(connection_id)
            return web.Response(status=204)
        if answer in (SLOW, 200) and request.method == "POST":
            self.received[connection_id].append(body)
        return web.Response(status=max(answer, 200))

    def _status(self, method: str, connection_id: str) -> int:
        if self._random.random() < self.throttled_share:
            return 429
        if connection_id in self.closed:
            return 410
        if method == "POST" and connection_id in self.full:
            return 429
        return self.behave(connection_id)
