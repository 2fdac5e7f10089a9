"""A first call for each function: its event, and the rows that must exist before."""

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from argon2 import PasswordHasher

from bench.cloud import requests
from bench.cloud.stack import Stack
from vitrina import aws, partitions
from vitrina.channels import ClientType

CONNECTION = "L0SM9cOFvHcCIhw="
EMAIL, PASSWORD = "user@example.com", "password"
EPOCH = "bench"
SEQ = 1
HOUR_SECONDS = 3600

Make = Callable[[Stack], Any]


def prepare(here: Stack) -> None:
    """Store the rows that calls do not change."""
    _put(here, "accounts", _account())
    for channel in ("user", "user:1", "shop", "admin"):
        _put(here, "history", {"channel": channel, "seq": 0, "last": SEQ, "epoch": EPOCH})
        _put(here, "history", _event(channel))


def event(here: Stack, name: str) -> Any:
    """Store the rows that a function needs, and return its event."""
    for table, row in (("connections", _connection()), ("products", _pending())):
        _put(here, table, row)
    return _CALLS[name][1](here)


def check(name: str, answer: Any) -> None:
    """Raise RuntimeError if the response is an error."""
    status = answer.get("statusCode", HTTPStatus.OK) if answer else HTTPStatus.OK
    if status != HTTPStatus.OK or (answer and answer.get("batchItemFailures")):
        raise RuntimeError(f"{name}: {answer}")


def _put(here: Stack, table: str, row: dict[str, Any]) -> None:
    here.cloud.tables[table].put(aws.to_item(row))


def _admin(method: str, path: str, body: Any = None) -> Make:
    return lambda here: requests.http(method, path, token=here.token(ClientType.ADMIN), body=body)


def _anyone(method: str, path: str, body: Any = None) -> Make:
    return lambda _here: requests.http(method, path, body=body)


def _connect(here: Stack) -> Any:
    return requests.websocket(CONNECTION, token=here.token(ClientType.USER))


def _disconnect(_here: Stack) -> Any:
    return requests.websocket(CONNECTION)


def _resume(_here: Stack) -> Any:
    positions = {"user": {"epoch": EPOCH, "seq": 0}}
    return requests.websocket(CONNECTION, body={"type": "resume", "positions": positions})


def _inserted(_here: Stack) -> Any:
    return {"Records": [{"dynamodb": {"NewImage": aws.to_item(_connection())}}]}


def _task(_here: Stack) -> Any:
    [partition] = partitions.partitions_of(f"{ClientType.USER}:1")
    task = {
        "type": "post_page",
        "channel": "user",
        "seqs": [SEQ],
        "partition": [partition.key, ""],
        "cursor": "0",
    }
    return {"Records": [{"messageId": "message", "body": json.dumps(task)}]}


_LOGIN = {"email": EMAIL, "password": PASSWORD}
_ANNOUNCEMENT = {"to": "user", "title": "Распродажа", "text": "До воскресенья"}

_CALLS: dict[str, tuple[str, Make]] = {
    "connect": ("a user", _connect),
    "disconnect": ("the same", _disconnect),
    "message": ("`resume` with one missed event", _resume),
    "greet": ("one connection", _inserted),
    "fanout": ("a page of one connection", _task),
    "sweep": ("nothing to do", lambda _here: {}),
    "approve": ("one product", _admin("POST", "/api/v1/admin/products/1/approve")),
    "reject": (
        "one product",
        _admin("POST", "/api/v1/admin/products/1/reject", {"moderation_notes": "Без фото"}),
    ),
    "products": ("the list", _anyone("GET", "/api/v1/products")),
    "settings": ("read", _admin("GET", "/api/v1/admin/settings")),
    "announce": ("to users", _admin("POST", "/api/v1/admin/announcements", _ANNOUNCEMENT)),
    "accounts": ("disconnect one", _admin("POST", "/api/v1/admin/accounts/7/disconnect")),
    "login": ("a password", _anyone("POST", "/api/v1/auth/login", _LOGIN)),
    "stats": ("one connection", _anyone("GET", "/ws/stats")),
    "openapi": ("the document", _anyone("GET", "/openapi.json")),
}
NAMES = list(_CALLS)
DESCRIPTIONS = {name: what for name, (what, _) in _CALLS.items()}


def _account() -> dict[str, Any]:
    return {
        "email": EMAIL,
        "account_id": 1,
        "client_type": "user",
        "password_hash": PasswordHasher().hash(PASSWORD),
    }


def _connection() -> dict[str, Any]:
    now = int(time.time())
    return {
        "partition": f"connection#{CONNECTION}",
        "member": "connection",
        "client_type": "user",
        "identity": "1",
        "account_id": 1,
        "connected_at": now,
        "expires_at": now + HOUR_SECONDS,
    }


def _event(channel: str) -> dict[str, Any]:
    now = int(time.time())
    return {
        "channel": channel,
        "seq": SEQ,
        "event_id": "event",
        "body": json.dumps({"event": "product.approved", "channel": channel, "seq": SEQ}),
        "created_at": now * 1000,
        "expires_at": now + HOUR_SECONDS,
    }


def _pending() -> dict[str, Any]:
    return {
        "product_id": 1,
        "product_name": "Красное платье",
        "shop_id": 10,
        "shop_name": "Fashion Store",
        "moderation_status": "pending",
        "status_changed_at": "2026-01-01T12:00:00+00:00",
        "shop_status": "10#pending",
        "version": 1,
    }
