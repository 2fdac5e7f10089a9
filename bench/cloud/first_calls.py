"""A first call for each function: its event, and the rows that must exist before."""

from collections.abc import Callable
from typing import Any

from bench.cloud import requests, rows
from bench.cloud.stack import Stack
from harness import gateway_events
from vitrina import aws, partitions
from vitrina.channels import ClientType
from vitrina.lanes import Lane
from vitrina.partitions import Kind
from vitrina.tasks import Wake

CONNECTION = "L0SM9cOFvHcCIhw="
EMAIL, PASSWORD = "user@example.com", "password"
EPOCH = "bench"
SEQ = 1

Make = Callable[[Stack], Any]


def prepare(here: Stack) -> None:
    """Store the rows that calls do not change."""
    here.put("accounts", rows.account(EMAIL, PASSWORD))
    for channel in ("user", "user:1", "shop", "admin"):
        here.put("history", rows.head(channel, SEQ, EPOCH))
        here.put("history", rows.event(channel, SEQ))


def event(here: Stack, name: str) -> Any:
    """Store the rows that a call changes, and return its event."""
    here.put("connections", rows.connection(CONNECTION))
    here.put("products", rows.pending_product(1))
    return _CALLS[name][1](here)


def _admin(path: str, body: Any = None, method: str = "POST") -> Make:
    return lambda here: requests.by_admin(here, path, body, method)


def _events(here: Stack) -> Any:
    token, query = here.token(ClientType.USER), {"channel": "user"}
    return gateway_events.http("GET", "/api/v1/events", token=token, query=query)


def _anyone(method: str, path: str, body: Any = None) -> Make:
    return lambda _here: gateway_events.http(method, path, body=body)


def _connect(here: Stack) -> Any:
    return gateway_events.websocket("CONNECT", CONNECTION, token=here.token(ClientType.USER))


def _refresh(here: Stack) -> Any:
    token = here.session(ClientType.USER, age_seconds=3600).refresh_token
    body = {"refresh_token": str(token)}
    return gateway_events.http("POST", "/api/v1/auth/refresh", body=body)


def _disconnect(_here: Stack) -> Any:
    return gateway_events.websocket("DISCONNECT", CONNECTION)


def _resume(_here: Stack) -> Any:
    return requests.resume(CONNECTION, {"user": {"epoch": EPOCH, "seq": 0}})


def _inserted(_here: Stack) -> Any:
    return {"Records": [{"dynamodb": {"NewImage": aws.to_item(rows.connection(CONNECTION))}}]}


def _task(here: Stack) -> Any:
    [partition] = partitions.partitions_of(f"{ClientType.USER}:1")
    here.join(f"{ClientType.USER}:1", 1)
    lane = Lane("user", EPOCH, partition.key, Kind.BATCH)
    here.put("history", rows.lane(lane, pending={SEQ}))
    return {"Records": [{"messageId": "message", "body": Wake(lane=lane).model_dump_json()}]}


_LOGIN = {"email": EMAIL, "password": PASSWORD}

_CALLS: dict[str, tuple[str, Make]] = {
    "connect": ("a user", _connect),
    "disconnect": ("the same", _disconnect),
    "message": ("`resume` with one missed event", _resume),
    "greet": ("one connection", _inserted),
    "fanout": ("a lane of one connection", _task),
    "sweep": ("nothing to do", lambda _here: {}),
    "approve": ("one product", _admin("products/1/approve")),
    "reject": ("one product", _admin("products/1/reject", {"moderation_notes": "Без фото"})),
    "products": ("the list", _anyone("GET", "/api/v1/products")),
    "settings": ("read", _admin("settings", method="GET")),
    "announce": ("to users", lambda here: requests.announcement(here, "user")),
    "accounts": ("disconnect one", _admin("accounts/7/disconnect")),
    "sessions": ("a refresh", _refresh),
    "events": ("one event", _events),
    "login": ("a password", _anyone("POST", "/api/v1/auth/login", _LOGIN)),
    "stats": ("one connection", _anyone("GET", "/ws/stats")),
    "openapi": ("the document", _anyone("GET", "/openapi.json")),
}
NAMES = list(_CALLS)
DESCRIPTIONS = {name: what for name, (what, _) in _CALLS.items()}
