"""One example of every request and response body of the HTTP API, by the name of its schema."""

from typing import Any

from reference.examples import PRODUCT

_SUBMITTED = {
    **PRODUCT,
    "description": "Лён, длина 110 см",
    "price": 49.9,
    "image_url": "https://images.example.com/dress.jpg",
    "moderation_status": "pending",
    "status_changed_at": "2024-01-01T12:00:00Z",
    "version": 1,
}
_PENDING = _SUBMITTED | {
    "moderation_notes": None,
    "admin_id": None,
    "approval_fee": None,
    "decisions": [],
}
_DECISION = {
    "moderation_status": "rejected",
    "moderation_notes": "Нет фотографии",
    "admin_id": 1,
    "status_changed_at": "2024-01-01T12:05:00Z",
    "version": 2,
}
_REJECTED = _PENDING | _DECISION | {"decisions": [_DECISION]}
_PUBLIC = _SUBMITTED | {"moderation_status": "approved", "version": 2}
_BROADCAST = {
    "event_ids": ["0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0"],
    "delivered": 12,
    "gone": 1,
    "queued": 0,
}
_SESSION_ID = "q1zvUJ3Cq0mYfX8sVn0b2A"
_SESSION = {
    "id": _SESSION_ID,
    "device_name": "Anna's Pixel",
    "created_at": "2024-01-01T12:00:00Z",
    "last_used_at": "2024-01-01T13:00:00Z",
    "expires_at": "2024-03-01T13:00:00Z",
    "current": True,
}
_PROFILE = {"id": 42, "client_type": "user", "email": "anna@example.com"}
_TOKENS = {
    "access_token": "ACCESS_TOKEN",
    "token_type": "bearer",
    "expires_in": 3600,
    "refresh_token": "REFRESH_TOKEN",
    "refresh_expires_in": 5184000,
}

BY_SCHEMA: dict[str, Any] = {
    "Activity": {
        "sessions": [_SESSION],
        "connections": [
            {
                "connection_id": "L0SM9cOFvHcCIhw=",
                "session_id": _SESSION_ID,
                "connected_at": "2024-01-01T13:00:00Z",
            }
        ],
    },
    "Approval": {"moderation_notes": "Хорошие фотографии"},
    "Broadcast": _BROADCAST,
    "BulkApproval": {"products": [{"product_id": 1, "version": 1}]},
    "BulkRejection": {"product_ids": [1, 2], "moderation_notes": "Нет фотографии"},
    "Credentials": {"email": "anna@example.com", "password": "PASSWORD"},
    "Decided": {"product": _REJECTED, "broadcast": _BROADCAST},
    "Disconnected": {"account_id": 42, "closed": 2},
    "Draft": {"to": "room:sale", "title": "Распродажа", "text": "Началась"},
    "EventList": {
        "events": [
            {
                "event": "announcement.published",
                "timestamp": "2024-01-01T12:00:00Z",
                "data": {"to": "user", "title": "Распродажа", "text": "Началась", "admin_id": 1},
                "id": "0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0",
                "channel": "user",
                "seq": 58,
            }
        ],
        "position": {"epoch": "3f0c9a1e", "seq": 58},
        "recovered": True,
        "has_more": False,
    },
    "Health": {"status": "ok", "connections": 3},
    "LoggedIn": {**_TOKENS, "account": _PROFILE, "device": "DEVICE"},
    "Page": {"items": [_PENDING], "cursor": None},
    "PlatformSettings": {
        "approval_fee": 5,
        "currency": "EUR",
        "longest_notes": 1000,
        "shortest_rejection_notes": 1,
    },
    "Preferences": {
        "events": {"product.approved": "digest", "announcement.published": "push"},
        "quiet_hours": {"start": "22:00", "end": "07:00", "timezone": "Europe/Moscow"},
    },
    "Product": _PENDING,
    "Profile": _PROFILE,
    "PublicPage": {"items": [_PUBLIC], "cursor": None},
    "PublicProduct": _PUBLIC,
    "Queue": {"items": [_PENDING], "cursor": None, "total": 1},
    "Reason": {"moderation_notes": "Нет фотографии"},
    "Refresh": {"refresh_token": "REFRESH_TOKEN"},
    "Registration": {
        "platform": "fcm",
        "token": "DEVICE_TOKEN",
        "locale": "ru-RU",
        "timezone": "Europe/Moscow",
        "app_version": "1.4.0",
    },
    "OwnSessions": {"sessions": [_SESSION]},
    "BulkDecided": {"results": [{"product_id": 1, "result": "approved"}], "broadcast": _BROADCAST},
    "Stats": {"total": 3, "by_type": {"user": 2, "shop": 1, "admin": 0}, "rooms": 1},
    "Submission": {"product_name": "Красное платье", "price": 49.9},
    "Tokens": _TOKENS,
}
# The descriptions have no schema of their own.
BY_OPERATION: dict[str, Any] = {
    "getOpenapi": {"openapi": "3.1.0", "info": {"title": "Vitrina"}, "paths": {}},
    "getAsyncapi": {"asyncapi": "3.0.0", "info": {"title": "Vitrina"}, "channels": {}},
}


def of(schema: dict[str, Any], operation_id: str) -> Any:
    """Return the example of a body; raises LookupError for a body without one."""
    # An optional body is a schema or null.
    [first, *_] = schema.get("anyOf", [schema])
    name = first.get("$ref", operation_id).rpartition("/")[2]
    try:
        return (BY_SCHEMA | BY_OPERATION)[name]
    except KeyError:
        raise LookupError(f"reference/http_examples.py has no example of {name}.") from None
