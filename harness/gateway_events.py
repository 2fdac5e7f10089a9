"""Events of API Gateway and the context of Lambda, as far as functions read them."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

_TYPES = {"CONNECT": "$connect", "DISCONNECT": "$disconnect", "MESSAGE": "$default"}


def context(name: str = "test", memory_mb: int = 512) -> Any:
    """Return Lambda's context, as far as Powertools reads it."""
    return SimpleNamespace(
        function_name=name,
        memory_limit_in_mb=memory_mb,
        invoked_function_arn=f"arn:aws:lambda:eu-central-1:000000000000:function:{name}",
        aws_request_id="request",
    )


CONTEXT = context()


def http(
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Return an HTTP request (payload format 2.0); a body that is no text is sent as JSON."""
    texts = {name: str(value) for name, value in (query or {}).items()}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "&".join(f"{_quote(n)}={_quote(text)}" for n, text in texts.items()),
        "headers": {
            "content-type": "application/json",
            **({"authorization": f"Bearer {token}"} if token else {}),
            **(headers or {}),
        },
        **({"queryStringParameters": texts} if texts else {}),
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1", "userAgent": "agent"},
            "requestId": "request",
            "stage": "$default",
        },
        "isBase64Encoded": False,
        **({"body": _text(body)} if body is not None else {}),
    }


def websocket(event_type: str, connection_id: str, **members: Any) -> dict[str, Any]:
    """Return an event of a WebSocket: `CONNECT`, `DISCONNECT` or `MESSAGE`.

    `token` is sent in the query of a handshake; a `body` that is no text is sent as JSON.
    """
    if token := members.pop("token", None):
        members["queryStringParameters"] = {"token": token}
    if "body" in members:
        members["body"] = _text(members["body"])
    return {
        "requestContext": {
            "routeKey": _TYPES[event_type],
            "eventType": event_type,
            "connectionId": connection_id,
            "requestId": "request",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "agent"},
        },
        "isBase64Encoded": False,
        **members,
    }


def frame_of(answer: Mapping[str, Any]) -> str:
    """Return the frame that API Gateway sends for an answer, where the route has a response.

    An answer without a body arrives as an empty frame, which is not JSON.
    """
    return str(answer.get("body", ""))


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


def _quote(text: str) -> str:
    return quote(text, errors="surrogatepass")
