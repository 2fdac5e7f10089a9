"""The backend of fuzzed events: a deployment in moto with products, accounts and connections."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import jwt
import pytest
from moto import mock_aws

from fuzz.words import SECRET
from harness import deployment, environment
from harness.deployment import KEY
from harness.management_api import ManagementApiStub
from harness.tokens import INVALID, begin, claims, invalid, token_of
from vitrina import (
    accounts,
    aws,
    connections,
    history,
    login_attempts,
    moderation,
    publishing,
    sender,
    sessions,
)
from vitrina.auth import read
from vitrina.channels import ClientType
from vitrina.connections import Connection
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import Change
from vitrina.products import Submission

EMAILS = ("user@example.com", "shop@example.com", "admin@example.com", "nobody@example.com")
PASSWORD = f"{SECRET}-password"
CONNECTION_IDS = ("user-1=", "shop-1=", "admin-1=", "gone-1=", "throttled-1=", "broken-1=", "none=")
STATUSES = {"gone": 410, "throttled": 429, "broken": 500}
"""The status of the management API by the beginning of the connection id."""
EPOCH = "0" * 8
MAX_CONNECTIONS = 3
ITEMS_AT_ONCE = 25
# A real cursor, of a product that may have changed since.
STALE_CURSOR = (
    "eyJwcm9kdWN0X2lkIjozLCJsaXN0aW5nIjoiYXBwcm92ZWQiLCJzdGF0dXNfY2hhbmdlZF9hdCI6IjIwMjYtMDEtMDFU"
    "MDA6MDA6MDArMDA6MDAifQ=="
)

_ODD_CLAIMS: dict[str, dict[str, Any]] = {
    "odd sub": {"sub": "0"},
    "odd subject": {"sub": "\0"},
    "odd type": {"client_type": "root"},
    "odd types": {"client_type": ["admin"]},
    "odd shop": {"client_type": "shop"},
    "odd shop name": {"client_type": "shop", "shop_id": 10, "shop_name": "\ud800"},
    "long shop name": {"client_type": "shop", "shop_id": 10, "shop_name": "é" * 500},
    "odd end": {"exp": 2**53 - 1},
    "odder end": {"exp": 10**30},
    "endless": {"exp": float("inf")},
    "odd beginning": {"iat": "x"},
    "not begun": {"iat": 2**53 - 1},
    "odd login": {"auth_time": -1},
    "odd session": {"sid": ["A" * 22]},
    "no such session": {"sid": "A" * 22},
    "odd audience": {"aud": [["vitrina"]]},
    "odd issuer": {"iss": ["vitrina"]},
}
_GOOD = ("user", "shop", "admin", "other shop", "fresh user", "fresh admin", "leaver")
TOKENS = tuple(f"{{{{{name}}}}}" for name in (*_GOOD, *_ODD_CLAIMS, *INVALID, "odd key"))
"""Placeholders of tokens in events, so that a replay has valid ones."""


class Item(NamedTuple):
    """A row to store before an event, in DynamoDB's format."""

    table: str
    item: dict[str, Any]


class Case(NamedTuple):
    """An event as JSON, and rows of the tables; `{{admin}}` stands for an admin's token."""

    event: Any
    rows: list[Item] = []  # noqa: RUF012 - never changed


class Backend:
    def __init__(self, stub: ManagementApiStub) -> None:
        self._stub = stub
        self._patches = pytest.MonkeyPatch()
        self._cloud = mock_aws()
        self._prepare()
        self._cloud.start()
        self.renew()

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Backend"]:
        with ManagementApiStub.running() as stub:
            backend = cls(stub)
            try:
                yield backend
            finally:
                backend._cloud.stop()
                backend._patches.undo()

    def renew(self) -> None:
        """Start again with the initial state."""
        self._cloud.stop()
        self._cloud.start()
        self._stub.requests.clear()
        self._stub.received.clear()
        app = aws.sns().create_platform_application(Name="x", Platform="GCM", Attributes={})
        for client_type in ClientType:
            aws.sns().create_topic(Name=f"push-{client_type}")
        deployment.configure(
            self._patches,
            push_apps=(app["PlatformApplicationArn"],),
            push_queue_url=deployment.CONFIG.retry_queue_url,
            push_topics="arn:aws:sns:eu-central-1:123456789012:push-",
            management_url=self._stub.url,
            allowed_origins=("https://app.example.com",),
            connections_per_identity=MAX_CONNECTIONS,
            user_shards=(2,),
            shop_shards=(1,),
            room_shards=(1,),
            # A hundred at once, so that some of a backend's cases find none left.
            submissions_per_shop_hour=600,
        )
        deployment.create()
        _populate()
        begun = begin(sessions.read("user:45", with_everyone=True))
        self._tokens = _tokens() | {
            "device": _device(),
            "refresh": str(begun.refresh_token),
            "session": begun.refresh_token.session_id,
        }

    def fill(self, plain: Any) -> Any:
        """Replace placeholders in braces by their values."""
        now = int(time.time())
        times = {"now": now, "in an hour": now + 3600, "an hour ago": now - 3600}
        text = json.dumps(plain)
        for name, stands_for in (self._tokens | times).items():
            text = text.replace(f"{{{{{name}}}}}", str(stands_for))
        return json.loads(text)

    def secrets_of(self, case: Case) -> set[str]:
        """Return the secrets of an event, which no log may contain."""
        text = json.dumps(case.event)
        return {SECRET} | {
            token
            for name, token in self._tokens.items()
            if f"{{{{{name}}}}}" in text and "." in token
        }

    def put(self, rows: list[Item]) -> None:
        """Write rows; of rows with the same key the last one."""
        by_key = {(row.table, _key_of(row.item)): row for row in rows}
        waiting = [(row.table, {"PutRequest": {"Item": row.item}}) for row in by_key.values()]
        for start in range(0, len(waiting), ITEMS_AT_ONCE):
            batch: dict[str, Any] = {}
            for table, request in waiting[start : start + ITEMS_AT_ONCE]:
                batch.setdefault(table, []).append(request)
            aws.dynamodb().batch_write_item(RequestItems=self.fill(batch))

    def _prepare(self) -> None:
        """Remove delays: password hashing, backoff, pauses; make epochs predictable."""
        environment.replace(environment.isolated())
        deployment.use_cheap_passwords(self._patches)
        self._patches.setattr(history, "uuid4", lambda: UUID(int=0))
        self._patches.setattr(sender, "FIRST_BACKOFF_SECONDS", 0.001)
        self._patches.setattr("vitrina.greeting.PAUSE_SECONDS", 0.001)
        # A close is tried again for as long as this.
        for budget in ("closing.BUDGET", "closing.EXCESS", "slow_readers.CLOSING"):
            self._patches.setattr(f"vitrina.{budget}_SECONDS", 0.05)
        self._patches.setattr("functions.sweep.handler.CLOSING_SECONDS", 0.2)
        self._stub.behave = _status
        logging.getLogger("aiohttp").setLevel(logging.CRITICAL)


def _key_of(item: dict[str, Any]) -> str:
    names = ("partition", "member", "channel", "seq")
    return json.dumps([item.get(name) for name in names])


def _status(connection_id: str) -> int:
    return STATUSES.get(connection_id.partition("-")[0], 200)


def _populate() -> None:
    user, shop, admin, _nobody = EMAILS
    accounts.create(user, PASSWORD, ClientType.USER)
    accounts.create(shop, PASSWORD, ClientType.SHOP, shop_id=10, shop_name="Fashion Store")
    accounts.create(admin, PASSWORD, ClientType.ADMIN)
    # Before any connection exists, so that nothing is posted.
    for account_id, shop_id in ((2, 10), (2, 10), (2, 10), (2, 10), (4, 11)):
        of = read(token_of(ClientType.SHOP, account_id, shop_id=shop_id))
        moderation.submit(Submission(product_name="Summer Dress"), of)
    moderator = read(token_of(ClientType.ADMIN, 3))
    moderation.approve([3], None, moderator)
    moderation.reject([4], "Too short", moderator)
    sale = Announcement(to="room:sale", title="News", text="x", admin_id=3)
    publishing.commit([Change(None, [AnnouncementPublished(data=sale)])])
    member = _connect("user-1=", ClientType.USER, 1)
    _connect("shop-1=", ClientType.SHOP, 2, takes_batches=True)
    _connect("admin-1=", ClientType.ADMIN, 3)
    for connection_id, account_id in (("gone-1=", 66), ("throttled-1=", 67), ("broken-1=", 68)):
        connections.join(_connect(connection_id, ClientType.USER, account_id), "lost")
    connections.join(member, "sale")


def _connect(
    connection_id: str, client_type: ClientType, account_id: int, *, takes_batches: bool = False
) -> Connection:
    identity = read(token_of(client_type, account_id))
    return connections.add(connection_id, identity, takes_batches)


def _device() -> str:
    return login_attempts.succeeded(login_attempts.begin(EMAILS[0], "192.0.2.1"))


def _tokens() -> dict[str, str]:
    """Return tokens by name: valid ones, and tokens that are wrong in one way each.

    No usual path names the accounts of the fresh tokens.
    """
    good = {
        "user": token_of(ClientType.USER, 1),
        "shop": token_of(ClientType.SHOP, 2),
        "admin": token_of(ClientType.ADMIN, 3),
        "other shop": token_of(ClientType.SHOP, 4),
        "fresh user": token_of(ClientType.USER, 42),
        "fresh admin": token_of(ClientType.ADMIN, 43),
        "leaver": token_of(ClientType.USER, 44),
    }
    odd = {name: _sign(claims(**odd)) for name, odd in _ODD_CLAIMS.items()}
    odd["odd key"] = jwt.encode(claims(), KEY, "HS256", headers={"kid": "\0"})
    return {**good, **odd, **invalid(KEY)}


def _sign(payload: dict[str, Any]) -> str:
    """Sign claims that PyJWT refuses to encode."""
    return jwt.PyJWS().encode(json.dumps(payload).encode(), KEY, "HS256")
