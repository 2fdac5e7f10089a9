"""A server in an event loop of its own thread, which leaves no socket open."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


@contextmanager
def running(start: Callable[[], Awaitable[T]], stop: Callable[[], Awaitable[None]]) -> Iterator[T]:
    """Serve until the end of the block; yield what `start` returns, or raise its exception."""
    started: Future[tuple[T, Callable[[], object]]] = Future()

    async def serve() -> None:
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            found = await start()
        except Exception as error:  # noqa: BLE001 - raised in the caller's thread
            started.set_exception(error)
            return
        started.set_result((found, lambda: loop.call_soon_threadsafe(stopping.set)))
        await stopping.wait()
        await stop()
        await _close_late_connections()

    # Unlike a bare loop, `run` waits until closed sockets are done.
    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        found, end = started.result()
        try:
            yield found
        finally:
            end()
    finally:
        thread.join()


async def _close_late_connections() -> None:
    """Close connections that were accepted during the shutdown, or that are in a TLS handshake.

    The server does not know these yet, and the loop does.
    """
    transports: Any = vars(asyncio.get_running_loop())["_transports"]
    for _ in range(10):
        await asyncio.sleep(0)
        for transport in [*transports.values()]:
            transport.abort()
