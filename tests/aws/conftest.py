"""Handlers against moto's DynamoDB and Secrets Manager, and a stub of the management API."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from io import StringIO
from traceback import format_exception
from typing import Any, Self

import pytest
from moto import mock_aws

from functions.fanout.handler import handler as fanout_handler
from harness import deployment, gateway_events
from harness.deployment import KEY
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws import grants, moto_tables
from vitrina import accounts, auth, aws, config, connections, partitions, publishing, rounds
from vitrina.channels import ClientType


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start with a fresh deployment."""
    deployment.configure(monkeypatch)
    deployment.use_cheap_passwords(monkeypatch)
    with mock_aws():
        deployment.create()
        yield


@pytest.fixture
def management_api(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ManagementApiStub]:
    """Start the management API of the configuration."""
    with ManagementApiStub.running() as stub:
        deployment.configure(monkeypatch, management_url=stub.url)
        yield stub


@pytest.fixture
def calls(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the operations of DynamoDB from now on."""
    made: list[str] = []
    client = aws.dynamodb()
    send = client._make_api_call  # type: ignore[attr-defined]

    def count(operation: str, request: Any) -> Any:
        made.append(operation)
        return send(operation, request)

    with monkeypatch.context() as patch:
        patch.setattr(client, "_make_api_call", count)
        yield made


@pytest.fixture(scope="package", autouse=True)
def _cheap_transactions() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        moto_tables.speed_up(patch)
        yield


@pytest.fixture(scope="package", autouse=True)
def _only_what_is_granted() -> Iterator[None]:
    """Functions that ask DynamoDB for more than their grants fail here."""
    with pytest.MonkeyPatch.context() as patch:
        grants.enforce(patch)
        yield


@pytest.fixture(scope="package", autouse=True)
def _no_token_no_key_and_no_address_is_ever_logged() -> Iterator[None]:
    """Look through everything that all tests of this layer have logged."""
    records = []

    def keep(record: logging.LogRecord) -> bool:
        trace = format_exception(record.exc_info[1]) if record.exc_info else ""
        records.append(f"{record.__dict__} {trace}")
        return True

    logger = logging.getLogger("service_undefined")
    logger.addFilter(keep)
    yield
    logger.removeFilter(keep)
    device = r"[0-9a-f]{32}\.\d{10}\."
    refresh_token = r"(user|shop|admin):\d+\.[\w-]{22}\."
    secret = re.compile(
        rf"eyJ[\w-]+\.eyJ|{refresh_token}|{KEY}|{device}|@example\.com|[\"']password[\"']: ?[\"']"
    )
    assert [record for record in records if secret.search(record)] == []


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """Return what has been logged since, as JSON lines; Powertools names its logger so."""
    [handler] = logging.getLogger("service_undefined").handlers
    assert isinstance(handler, logging.StreamHandler)
    stream = StringIO()
    before = handler.setStream(stream)
    yield stream.getvalue
    handler.setStream(before)


Clock = Callable[[float], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock, and return a way to set it, in seconds from the beginning of the test."""
    return stopped_clock(monkeypatch)


def stopped_clock(patch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock until the patch is undone; return a way to set it, in seconds from now."""
    began = time.time()

    def at(seconds: float) -> None:
        patch.setattr(time, "time", lambda: began + seconds)
        patch.setattr(time, "time_ns", lambda: int((began + seconds) * 1e9))

    class Watch(datetime):
        """What PyJWT looks at."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(time.time(), tz)

    patch.setattr("jwt.api_jwt.datetime", Watch)
    at(0)
    return at


def stored(connection_id: str) -> connections.Connection:
    """Return a connection as it is stored now."""
    return connections.require_open(connections.find(connection_id))


class FanoutQueue:
    """The fan-out and the retry queue, emptied by calling the worker as Lambda would, at once."""

    def __init__(self) -> None:
        here = config.current()
        self._urls = (here.fanout_queue_url, here.retry_queue_url)
        self.delays: list[int] = []
        self.worked = 0

    def send(self, send_message_batch: Callable[..., Any], **request: Any) -> Any:
        for entry in request["Entries"]:
            if request["QueueUrl"] == config.current().retry_queue_url:
                self.delays.append(entry["DelaySeconds"])
            entry["DelaySeconds"] = 0
        return send_message_batch(**request)

    def put(self, body: str) -> None:
        aws.sqs().send_message(QueueUrl=self._urls[0], MessageBody=body)

    def __len__(self) -> int:
        return sum(map(self._length, self._urls))

    def _length(self, url: str) -> int:
        name: Any = "ApproximateNumberOfMessages"
        found = aws.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(found["Attributes"][name])

    def work(self) -> list[str]:
        """Have every task done, and those that they lead to; return the bodies that failed."""
        failed = []
        while batch := self._receive():
            records = [{"messageId": m["MessageId"], "body": m["Body"]} for m in batch]
            answer = fanout_handler({"Records": records}, CONTEXT)
            refused = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            failed += [m["Body"] for m in batch if m["MessageId"] in refused]
            self.worked += len(batch)
        return failed

    def _receive(self) -> list[Any]:
        for url in self._urls:
            found = aws.sqs().receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600
            )
            if batch := found.get("Messages"):
                return [*batch]
        return []


@pytest.fixture
def fanout_queue(cloud: None, monkeypatch: pytest.MonkeyPatch) -> FanoutQueue:
    queue = FanoutQueue()
    send = partial(queue.send, aws.sqs().send_message_batch)
    monkeypatch.setattr(aws.sqs(), "send_message_batch", send)
    # On a busy machine the stub may be slow, and who is given up gets an event again.
    monkeypatch.setattr(rounds, "LINGER_SECONDS", 3)
    return queue


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class HttpCall:
    """Calls a handler with an HTTP request of API Gateway."""

    handler: Callable[[dict[str, Any], Any], dict[str, Any]]

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        event = gateway_events.http(
            method, path, token=token, body=body, headers=headers, query=query
        )
        answer = self.handler(event, CONTEXT)
        return Answer(answer["statusCode"], answer["headers"], _parsed(answer["body"]))


def _parsed(body: str) -> Any:
    return None if body == "" else json.loads(body)


def connect(
    connection_id: str,
    client_type: ClientType,
    account_id: int | None = None,
    *,
    takes_batches: bool = False,
    positions: str | None = None,
    **claims: Any,
) -> None:
    """Store an open connection."""
    identity = auth.read(token_of(client_type, account_id, **claims))
    connections.add(connection_id, identity, takes_batches, positions)


def store_users(count: int, *, batch: bool = False, name: str = "many") -> None:
    """Store connections faster than by connecting, in the rows that connecting writes."""
    rows = []
    for n in range(count):
        [place] = partitions.partitions_of(f"user:{n}")
        times = {"connected_at": 1, "expires_at": 2**40}
        kind = {"batch": batch or None}
        rows.append({"partition": place.key, "member": f"{place.prefix}{name}{n}", **times, **kind})
    for start in range(0, count, 25):
        puts: Any = [{"PutRequest": {"Item": aws.to_item(row)}} for row in rows[start : start + 25]]
        aws.dynamodb().batch_write_item(RequestItems={"connections": puts})


def stored_connections() -> set[str]:
    """Return the ids of all stored connections; every row is of a connection that has both."""
    rows = aws.dynamodb().scan(TableName="connections")["Items"]
    keys = (row["partition"]["S"] for row in rows)
    own = {key.partition("#")[2] for key in keys if key.startswith("connection#")}
    assert own == subscribed_connections()
    return own


def subscribed_connections() -> set[str]:
    """Return the ids of the connections that have a subscription.

    Where an identity joined a room is not of a connection.
    """
    rows = aws.dynamodb().scan(TableName="connections")["Items"]
    found = ((row["partition"]["S"], row["member"]["S"]) for row in rows)
    others = ("connection#", "joined#")
    return {member.rpartition("#")[2] for key, member in found if not key.startswith(others)}


@contextmanager
def unpublished() -> Iterator[None]:
    """Let changes inside the block be committed only, as if the process had died then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "publish", lambda _, **__: None)
        yield


@pytest.fixture
def admin_token(cloud: None) -> str:
    return token_of(ClientType.ADMIN)


@pytest.fixture
def user_account(cloud: None) -> accounts.Account:
    return accounts.create("user@example.com", "password", ClientType.USER)
