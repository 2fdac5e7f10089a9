"""The stack for benchmarks: real functions, the stand-in cloud, the stub of the management API."""

import base64
import os
import re
import signal
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import unquote

from bench import machine, stub
from bench.cloud import server
from bench.cloud.lambdas import EventSources, Lambda, check
from bench.cloud.server import StandIn
from bench.cloud.tables import as_sent
from bench.stub import Stub
from harness.deployment import CONFIG
from harness.environment import isolated
from infra.cdk.functions import FUNCTIONS
from vitrina import auth, aws, config, lanes, logins, partitions, refresh_tokens, session_rows
from vitrina.channels import ClientType
from vitrina.partitions import Kind
from vitrina.session_rows import NO_ERAS, AccountRow, Granted

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
    first: int
    last: int
    """The numbers of the first and the last event of the frame; 0 if it has none."""


class Stack:
    """The running stack; its functions end with it."""

    def __init__(
        self, cloud: StandIn, posts: Stub, environment: Mapping[str, str], code: Path
    ) -> None:
        self.cloud = cloud
        self.environment = environment
        """The environment of every function."""
        self.posts = posts
        self.exits = ExitStack()
        self._code = code
        self._tokens: dict[tuple[ClientType, int], str] = {}

    def put(self, table: str, row: dict[str, Any]) -> None:
        self.cloud.tables[table].put(as_sent(aws.to_item(row)))

    def join(self, channel: str, number: int, *, batch: bool = True, hangs: bool = False) -> None:
        """Store a connection in the channel of an identity or a room.

        Only the row that a fan-out reads; nothing reads the others.
        """
        now = int(time.time())
        place = partitions.partitions_of(channel)[0]
        row = {
            "partition": place.key,
            "member": place.prefix + _connection_id(number, hangs),
            "account_id": number,
            "connected_at": now,
            "expires_at": now + LIFETIME_SECONDS,
            "batch": batch or None,
        }
        self.put("connections", row)

    def bill(self, function: Lambda, event: Any) -> tuple[dict[str, float], Any]:
        """Invoke a function; return its bill and its response, or raise RuntimeError."""
        self.cloud.bill.take()
        answer = function.invoke(event).answer
        check(function.name, answer)
        return self.cloud.bill.take(), answer

    def function(self, name: str, niceness: int = 0) -> Lambda:
        """Start a function; it ends with the stack."""
        function = Lambda(name, self.environment, self.cloud.bill, niceness, self._code)
        self.exits.callback(function.close)
        return function

    def fanout(self) -> EventSources:
        """Start as many workers as the settings have, and give them the queues' tasks.

        In Lambda all have processors of their own. Here they share two, and let others go first:
        the function that a client waits for.
        """
        queues = [
            *[self.cloud.fanout_queue] * config.current().fanout_workers,
            *[self.cloud.retry_queue] * FUNCTIONS["fanout"].reserved_concurrency,
        ]
        workers = [(queue, self.function("fanout", NICENESS)) for queue in queues]
        sources = EventSources(workers, self.cloud.bill)
        self.exits.callback(sources.close)
        return sources

    def token(self, client_type: ClientType, account_id: int = 1, **shop: Any) -> str:
        """Return a token that the functions accept; a shop's says which: `shop_id`, `shop_name`.

        It is the same each time, as an account has one session here.
        """
        if (token := self._tokens.get((client_type, account_id))) is None:
            with patch.dict(os.environ, self.environment):
                granted = self.session(client_type, account_id, **shop)
                token = auth.tokens(granted).access_token
            self._tokens[client_type, account_id] = token
        return token

    def session(
        self, client_type: ClientType, account_id: int = 1, age_seconds: int = 0, **shop: Any
    ) -> Granted:
        """Store a session, the only one of its account; its refresh token has an age."""
        self._tokens.pop((client_type, account_id), None)
        row = AccountRow(session_rows.name(client_type, account_id), **shop)
        token = refresh_tokens.new(row.account)
        entry = logins.new_session(token, NO_ERAS)
        issued_at_ms = entry.turns.issued_at_ms - age_seconds * 1000
        entry = entry._replace(turns=entry.turns._replace(issued_at_ms=issued_at_ms))
        attribute = session_rows.attribute(token.session_id)
        self.put("sessions", {"account": row.account, attribute: entry.to_map(), **shop})
        return Granted(row, token, entry)

    def event(self, channel: str, seq: int) -> dict[str, Any]:
        """Return a committed event, as stored in the history."""
        key = aws.to_item({"channel": channel, "seq": seq})
        return aws.from_item(self.cloud.tables["history"].get(key).item)

    def answers(self) -> list[Answer]:
        """Return the stub's responses since the last call."""
        return [read(line) for line in self.lines()]

    def lines(self) -> Iterator[str]:
        """Yield the lines of the stub's log since the last call; each is an `Answer`."""
        done = LOG.rename(LOG.with_suffix(".done"))
        # nginx flushes its buffer and starts a new file.
        os.kill(self.posts.pid, signal.SIGUSR1)
        _wait_for(LOG)
        with done.open() as log:
            yield from log

    def is_owed(self, kind: Kind) -> bool:
        """Return whether a lane of these connections has work."""
        # A lane's key is `lane@EPOCH@KIND@…`.
        is_of = re.compile(f"{lanes.PREFIX}@[^@]+@{kind}@").match
        rows = self.cloud.tables["history"].rows()
        return any("unsent" in row and is_of(row["channel"]["S"]) for row in rows)


@contextmanager
def running(
    *,
    connections: int = 0,
    plain: Collection[int] = (),
    hanging: Collection[int] = (),
    latency_ms: int = 0,
    posts_per_second: int | None = None,
    burst: int = 0,
    calls_take: Mapping[str, float] = server.LATENCY_SECONDS,
    code: Path = machine.ROOT,
    **settings: Any,
) -> Iterator[Stack]:
    """Run a stack with this many stored connections until the end of the block.

    Connections take batches, but those whose number is in `plain`; posts to those in `hanging` are
    not answered. `latency_ms` is of the management API; `calls_take` is of the others, in seconds.
    `code` is the folder of the project whose functions run, with these settings.
    """
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.unlink(missing_ok=True)
    cloud = StandIn()
    with (
        server.serving(cloud, calls_take) as address,
        stub.running(
            latency_ms=latency_ms, posts_per_second=posts_per_second, burst=burst, log=LOG
        ) as posts,
    ):
        changes = {"management_url": posts.url, "posts_per_second": posts_per_second, **settings}
        CONFIG.model_copy(update={k: v for k, v in changes.items() if v is not None}).use()
        environment = isolated() | {"AWS_ENDPOINT_URL": address}
        here = Stack(cloud, posts, environment, code)
        names = _names(connections)
        for number, channel in enumerate(names):
            here.join(channel, number, batch=number not in plain, hangs=number in hanging)
        with here.exits:
            yield here


def _names(count: int) -> Iterator[str]:
    """Yield the channel of each connection's identity: users, then shops and administrators."""
    others = {each: count * share // 100 for each, share in SHARES.items()}
    numbers = {
        **others,
        ClientType.USER: count - others[ClientType.SHOP] - others[ClientType.ADMIN],
    }
    for client_type, number in numbers.items():
        for identity in range(1, number + 1):
            yield f"{client_type}:{identity}"


def _connection_id(number: int, hangs: bool) -> str:
    """Return an id like API Gateway's: 15 characters, and one to be escaped in URLs."""
    prefix = stub.HANGING if hangs else ""
    return prefix + base64.urlsafe_b64encode(number.to_bytes(11)).decode()[len(prefix) :]


def number_of(connection_id: str) -> int:
    """Return the number of a connection that does not hang."""
    return int.from_bytes(base64.urlsafe_b64decode(connection_id))


def read(line: str) -> Answer:
    at, status, path, first, last = line.split()
    connection_id = unquote(path.rpartition("/")[2])
    return Answer(float(at), int(status), connection_id, int(first), int(last))


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + FLUSH_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"nginx has not written {path}")
        time.sleep(0.01)
