"""What API Gateway hands to the functions, as benchmarks ask for it."""

import json
from typing import Any


def http(method: str, path: str, *, token: str | None = None, body: Any = None) -> dict[str, Any]:
    """Return an HTTP request (payload format 2.0)."""
    authorization = {"authorization": f"Bearer {token}"} if token else {}
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", **authorization},
        "queryStringParameters": {},
        "requestContext": {
            "http": {"method": method, "path": path},
            "stage": "$default",
            "requestId": "request",
        },
        "isBase64Encoded": False,
        **({"body": json.dumps(body)} if body is not None else {}),
    }


def websocket(connection_id: str, *, token: str | None = None, body: Any = None) -> dict[str, Any]:
    """Return what happened on a WebSocket: it connected, disconnected, or sent a frame."""
    happened = "CONNECT" if token else "MESSAGE" if body is not None else "DISCONNECT"
    return {
        "headers": {},
        "requestContext": {"connectionId": connection_id, "eventType": happened},
        "queryStringParameters": {"token": token} if token else None,
        **({"body": json.dumps(body)} if body is not None else {}),
    }
