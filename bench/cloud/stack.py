"""The stack for benchmarks: real functions, the stand-in cloud, the stub of the management API."""

import base64
import itertools
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import unquote

from bench import machine, stub
from bench.cloud import server
from bench.cloud.expressions import Item
from bench.cloud.lambdas import EventSource, Lambda, check
from bench.cloud.server import Cloud
from bench.stub import Stub
from harness.deployment import CONFIG
from harness.environment import isolated
from vitrina import auth, aws, config, partitions
from vitrina.channels import ClientType

LOG = machine.BUILD / "stub" / "answers.log"
FLUSH_SECONDS = 10
LIFETIME_SECONDS = 3600
NICENESS = 10
# In percent of the connections.
SHARES = {ClientType.USER: 90, ClientType.SHOP: 9, ClientType.ADMIN: 1}


class Answer(NamedTuple):
    """The stub's response to a post."""

    at: float
    """Seconds since 1970."""
    status: int
    connection_id: str


class Stack:
    """The running stack; its functions end with it."""

    def __init__(
        self, cloud: Cloud, posts: Stub, environment: Mapping[str, str], exits: ExitStack
    ) -> None:
        self.cloud = cloud
        self.environment = environment
        """The environment of every function."""
        self._posts = posts
        self._exits = exits

    def put(self, table: str, row: dict[str, Any]) -> None:
        self.cloud.tables[table].put(aws.to_item(row))

    def bill(self, function: Lambda, event: Any) -> tuple[dict[str, float], Any]:
        """Invoke a function; return its bill and its response, or raise RuntimeError."""
        self.cloud.bill.take()
        answer = function.invoke(event).answer
        check(function.name, answer)
        return self.cloud.bill.take(), answer

    def function(self, name: str, niceness: int = 0) -> Lambda:
        """Start a function; it ends with the stack."""
        function = Lambda(name, self.environment, self.cloud.bill, niceness)
        self._exits.callback(function.close)
        return function

    def fanout(self) -> EventSource:
        """Start as many workers as the settings have, and give them the queue's tasks.

        In Lambda all have processors of their own. Here they share two, and let others go first:
        the function that a client waits for.
        """
        count = config.current().fanout_workers
        workers = [self.function("fanout", NICENESS) for _ in range(count)]
        source = EventSource(self.cloud.queue, workers, self.cloud.bill)
        self._exits.callback(source.close)
        return source

    def token(self, client_type: ClientType, account_id: int = 1, **shop: Any) -> str:
        """Return a token that the functions accept; a shop's says which: `shop_id`, `shop_name`."""
        with patch.dict(os.environ, self.environment):
            return auth.issue(account_id=account_id, client_type=client_type, **shop)

    def event(self, channel: str, seq: int) -> dict[str, Any]:
        """Return a committed event, as stored in the history."""
        key = aws.to_item({"channel": channel, "seq": seq})
        return aws.from_item(self.cloud.tables["history"].get(key).item)

    def answers(self) -> list[Answer]:
        """Return the stub's responses since the last call."""
        done = LOG.rename(LOG.with_suffix(".done"))
        # nginx flushes its buffer and starts a new file.
        os.kill(self._posts.pid, signal.SIGUSR1)
        _wait_for(LOG)
        return [_read(line) for line in done.read_text().splitlines()]


@contextmanager
def running(
    *,
    connections: int = 0,
    latency_ms: int = 0,
    posts_per_second: int | None = None,
    burst: int = 0,
    calls_take: Mapping[str, float] = server.LATENCY_SECONDS,
) -> Iterator[Stack]:
    """Run a stack with this many stored connections until the end of the block.

    `latency_ms` is of the management API; `calls_take` is of the others, in seconds.
    """
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.unlink(missing_ok=True)
    cloud = Cloud()
    with (
        server.serving(cloud, calls_take) as address,
        stub.running(
            latency_ms=latency_ms, posts_per_second=posts_per_second, burst=burst, log=LOG
        ) as posts,
    ):
        changes = {"management_url": posts.url, "posts_per_second": posts_per_second}
        CONFIG.model_copy(update={k: v for k, v in changes.items() if v is not None}).use()
        for row in _memberships(connections):
            cloud.tables["connections"].put(row)
        environment = isolated() | {"AWS_ENDPOINT_URL": address}
        with ExitStack() as exits:
            yield Stack(cloud, posts, environment, exits)


def _memberships(count: int) -> Iterator[Item]:
    """Yield the rows that a fan-out reads, one of each identity; nothing reads the others."""
    number = itertools.count()
    now = int(time.time())
    for client_type, share in SHARES.items():
        for identity in range(1, count * share // 100 + 1):
            [place] = partitions.partitions_of(f"{client_type}:{identity}")
            yield aws.to_item(
                {
                    "partition": place.key,
                    "member": place.prefix + _connection_id(next(number)),
                    "account_id": identity,
                    "connected_at": now,
                    "expires_at": now + LIFETIME_SECONDS,
                }
            )


def _connection_id(number: int) -> str:
    """Return an id like API Gateway's: 15 characters, and one to be escaped in URLs."""
    return base64.urlsafe_b64encode(number.to_bytes(11)).decode()


def _read(line: str) -> Answer:
    at, status, path = line.split()
    return Answer(float(at), int(status), unquote(path.rpartition("/")[2]))


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + FLUSH_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"nginx has not written {path}")
        time.sleep(0.01)
