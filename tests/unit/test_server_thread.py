"""Servers in threads: they end with every socket closed."""

import asyncio
import gc
import socket
from contextlib import suppress

import pytest

from harness import server_thread


def test_a_connection_that_is_accepted_during_the_shutdown_is_closed() -> None:
    late: list[socket.socket] = []
    accepted = asyncio.Event()
    servers: list[asyncio.Server] = []

    async def start() -> None:
        servers.append(await asyncio.start_server(lambda *_: accepted.set(), "127.0.0.1", 0))

    async def stop() -> None:
        late.append(socket.create_connection(servers[0].sockets[0].getsockname(), timeout=10))
        # This server closes none of its connections.
        await accepted.wait()
        servers[0].close()

    with server_thread.running(start, stop):
        pass
    with late[0], suppress(ConnectionResetError):
        assert late[0].recv(1) == b""
    # A socket that was left open is an error of this test.
    gc.collect()


def test_what_prevents_a_server_from_starting_is_raised() -> None:
    async def start() -> None:
        raise OSError("taken")

    async def stop() -> None:
        pytest.fail("It has not started.")

    with pytest.raises(OSError, match="taken"), server_thread.running(start, stop):
        pytest.fail("It has not started.")
