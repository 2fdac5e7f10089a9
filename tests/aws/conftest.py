"""Handlers against moto's DynamoDB and Secrets Manager, and a stub of the management API."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import partial
from io import StringIO
from traceback import format_exception
from types import SimpleNamespace
from typing import Any, Self

import pytest
from moto import mock_aws

from functions.fanout.handler import handler as fanout_handler
from tests.conftest import KEY, SETTINGS
from tests.management_api_stub import ManagementApiStub
from vitrina import (
    accounts,
    auth,
    aws,
    config,
    connections,
    keys,
    publishing,
    sender,
    subscriptions,
)
from vitrina.channels import ClientType


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Return a fresh deployment."""
    configure(monkeypatch)
    with mock_aws():
        create_tables()
        yield


def configure(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Make settings those of this process, and forget what was kept from others."""
    for name, value in SETTINGS.model_copy(update=changes).to_environment().items():
        monkeypatch.setenv(name, value)
    for kept in (
        config.current,
        keys._current_during,
        keys._both_during,
        keys._issuer,
        subscriptions._count_during,
        sender._sender,
        sender._bucket,
    ):
        kept.cache_clear()


def create_tables() -> None:
    """Create the tables, the queue and the secret of the settings."""
    aws.sqs().create_queue(QueueName="fanout")
    aws.secretsmanager().create_secret(Name="signing-key", SecretString=KEY)

    def create(name: str, *keys: tuple[str, str], **more: Any) -> None:
        aws.dynamodb().create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": kind}
                for attribute, kind in (*keys, *more.pop("indexed", ()))
            ],
            KeySchema=_key_schema(*(attribute for attribute, _ in keys)),
            **more,
        )

    create("connections", ("partition", "S"), ("member", "S"))
    create("accounts", ("email", "S"))
    create("platform", ("name", "S"))
    create(
        "history",
        ("channel", "S"),
        ("seq", "N"),
        indexed=(("unsent", "S"), ("created_at", "N")),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "outbox",
                "KeySchema": _key_schema("unsent", "created_at"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    create(
        "products",
        ("product_id", "N"),
        indexed=(("moderation_status", "S"), ("shop_status", "S"), ("status_changed_at", "S")),
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": _key_schema(index, "status_changed_at"),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index in ("moderation_status", "shop_status")
        ],
    )


def _key_schema(*attributes: str) -> Any:
    return [
        {"AttributeName": name, "KeyType": kind}
        for name, kind in zip(attributes, ("HASH", "RANGE"), strict=False)
    ]


@pytest.fixture
def management_api(cloud: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ManagementApiStub]:
    """The management API that the settings point to."""
    with ManagementApiStub.running() as stub:
        monkeypatch.setenv("VITRINA_MANAGEMENT_URL", stub.url)
        config.current.cache_clear()
        yield stub


@pytest.fixture(scope="session", autouse=True)
def _no_token_and_no_key_is_ever_logged() -> Iterator[None]:
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
    secret = re.compile(rf"eyJ[\w-]+\.eyJ|{KEY}|[\"']password[\"']: ?[\"']")
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
    """Return a way to let time pass, in seconds from the beginning of the test."""
    began = time.time()

    class Watch(datetime):
        """What PyJWT looks at."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(time.time(), tz)

    monkeypatch.setattr("jwt.api_jwt.datetime", Watch)
    return lambda seconds: monkeypatch.setattr(time, "time", lambda: began + seconds)


class FanoutQueue:
    """The fan-out queue, emptied by calling the worker as Lambda would, without the waits."""

    def __init__(self) -> None:
        self._url = config.current().fanout_queue_url
        self.delays: list[int] = []
        self.worked = 0

    def send(self, send_message_batch: Callable[..., Any], **request: Any) -> Any:
        for entry in request["Entries"]:
            self.delays.append(entry["DelaySeconds"])
            entry["DelaySeconds"] = 0
        return send_message_batch(**request)

    def put(self, body: str) -> None:
        aws.sqs().send_message(QueueUrl=self._url, MessageBody=body)

    def __len__(self) -> int:
        name: Any = "ApproximateNumberOfMessages"
        found = aws.sqs().get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        return int(found["Attributes"][name])

    def work(self) -> list[str]:
        """Have every task done, and those that they lead to; return the bodies that failed."""
        failed = []
        while (
            batch := aws.sqs()
            .receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=600)
            .get("Messages")
        ):
            records = [{"messageId": m["MessageId"], "body": m["Body"]} for m in batch]
            answer = fanout_handler({"Records": records}, CONTEXT)
            refused = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            failed += [m["Body"] for m in batch if m["MessageId"] in refused]
            self.worked += len(batch)
        return failed


@pytest.fixture
def fanout_queue(cloud: None, monkeypatch: pytest.MonkeyPatch) -> FanoutQueue:
    queue = FanoutQueue()
    send = partial(queue.send, aws.sqs().send_message_batch)
    monkeypatch.setattr(aws.sqs(), "send_message_batch", send)
    return queue


# Lambda's context, as far as Powertools reads it.
CONTEXT: Any = SimpleNamespace(
    function_name="test",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-central-1:000000000000:function:test",
    aws_request_id="request",
)


def frame_of(answer: dict[str, Any]) -> str:
    """Return the frame that API Gateway sends for an answer, where the route has a response.

    An answer without a body arrives as an empty frame, which is not JSON.
    """
    body: str = answer.get("body", "")
    return body


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class HttpCall:
    """An HTTP request as API Gateway hands it to a function (payload format 2.0)."""

    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    default_headers: dict[str, str] = field(default_factory=dict)

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
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "&".join(f"{name}={value}" for name, value in query.items()),
            "headers": {
                "content-type": "application/json",
                **({"authorization": f"Bearer {token}"} if token else {}),
                **(headers or {}),
            },
            "queryStringParameters": query,
            "requestContext": {
                "http": {"method": method, "path": path},
                "stage": "$default",
                "requestId": "request",
            },
            "isBase64Encoded": False,
        }
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        answer = self.handler(event, CONTEXT)
        return Answer(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def token_of(client_type: ClientType, account_id: int = 1, **claims: Any) -> str:
    """Return a token; a shop's is of shop 10, "Fashion Store", unless said otherwise."""
    if client_type is ClientType.SHOP:
        claims = {"shop_id": 10, "shop_name": "Fashion Store"} | claims
    return auth.issue(account_id=account_id, client_type=client_type, **claims)


def connect(
    connection_id: str, client_type: ClientType, account_id: int = 1, **claims: Any
) -> None:
    """Store an open connection."""
    connections.add(connection_id, auth.read(token_of(client_type, account_id, **claims)))


def stored_connections() -> set[str]:
    """Return the ids of all stored connections; every row is of a connection that has both."""
    rows = aws.dynamodb().scan(TableName="connections")["Items"]
    keys = [(row["partition"]["S"], row["member"]["S"]) for row in rows]
    own = {key.partition("#")[2] for key, _ in keys if key.startswith("connection#")}
    members = {
        member.rpartition("#")[2] for key, member in keys if not key.startswith("connection#")
    }
    assert own == members
    return own


@contextmanager
def unpublished() -> Iterator[None]:
    """Let changes inside the block be committed only, as if the process had died then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "publish", lambda _: None)
        yield


@pytest.fixture
def admin_token(cloud: None) -> str:
    return token_of(ClientType.ADMIN)


@pytest.fixture
def user_account(cloud: None) -> accounts.Account:
    return accounts.create("user@example.com", "password", ClientType.USER)
