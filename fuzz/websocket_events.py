"""WebSocket events with hostile input, as API Gateway sends them to functions."""

from typing import Any

from fuzz import words
from fuzz.backend import CONNECTION_IDS, EPOCH, TOKENS, Case
from fuzz.http_events import authorization
from fuzz.source import Source, is_chosen, pick
from fuzz.words import document, word
from harness import gateway_events

_TYPES = {
    "connect": ("CONNECT", "$connect"),
    "disconnect": ("DISCONNECT", "$disconnect"),
    "message": ("MESSAGE", "$default"),
}
_ROOMS = (
    *("sale", "lost", "a", "A.b_c-d", "a" * 64, "shop:10.orders", f"shop:{'9' * 16}.{'a' * 64}"),
    *("admin.alerts", "admin.", "Admin.alerts", "admin", "shop-10.orders", "Shop:10.x", "shop:0.x"),
)
_CHANNELS = (
    *("user", "user:1", "room:sale", "shop", "shop:10", "admin", "admin:3", "user:2"),
    *("room:shop:10.orders", "room:admin.alerts"),
)


def case(name: str, source: Source) -> Case:
    """Return an event of a handler's route, or a message that was sent to it."""
    event_type, route_key = _TYPES[name]
    if is_chosen(source, 12):
        event_type = "MESSAGE"
    event = gateway_events.websocket(event_type, pick(source, CONNECTION_IDS))
    context = event["requestContext"]
    context["routeKey"] = route_key
    context["identity"]["userAgent"] = word(source, "agent")
    match event_type:
        case "CONNECT":
            event |= _handshake(source)
        case "DISCONNECT":
            context["disconnectStatusCode"] = source.number(-1, 4999)
            context["disconnectReason"] = word(source, "", "Going away")
            event["headers"] = {"Host": "api.example.com", "x-api-key": word(source, "")}
        case _:
            event |= _message(source)
    return Case(event)


def _handshake(source: Source) -> dict[str, Any]:
    headers = {"Host": "api.example.com", "X-Forwarded-For": word(source, "192.0.2.1")}
    if is_chosen(source, 3):
        headers[pick(source, ("Authorization", "authorization"))] = authorization(source)
    if is_chosen(source, 3):
        headers["Sec-WebSocket-Protocol"] = word(source, f"bearer, {_token(source)}", "bearer", "x")
    if is_chosen(source, 6):
        headers["Origin"] = word(source, "https://app.example.com", "null")
    if is_chosen(source, 20):
        headers[word(source, "Cookie")] = word(source, "a=b")
    query = _query(source)
    event: dict[str, Any] = {
        "headers": headers,
        "multiValueHeaders": {name: [text] for name, text in headers.items()},
    }
    if query:
        event["queryStringParameters"] = query
        event["multiValueQueryStringParameters"] = {n: [text] for n, text in query.items()}
    return event


def _query(source: Source) -> dict[str, str]:
    query = {}
    if not is_chosen(source, 4):
        query["token"] = _token(source)
    if is_chosen(source, 3):
        query["client_type"] = word(source, "user", "shop", "admin")
    if is_chosen(source, 3):
        query["batch"] = word(source, "1", "0")
    if is_chosen(source, 3):
        query["positions"] = positions(source)
    if is_chosen(source, 20):
        query[word(source, "Token")] = source.text()
    return query


def positions(source: Source) -> str:
    """Return how far a client has read its channels, as a handshake has it."""
    parts = [
        f"{pick(source, _CHANNELS)}:{word(source, EPOCH)}:{word(source, '0', '1', '12')}"
        for _ in range(source.number(1, 3))
    ]
    return word(source, ",".join(parts))


def _token(source: Source) -> str:
    return words.secret(source) if is_chosen(source, 6) else pick(source, TOKENS)


def _message(source: Source) -> dict[str, Any]:
    match source.number(0, 6):
        case 0:
            sound: dict[str, Any] = {"type": "ping", "timestamp": word(source, "now")}
        case 1:
            position = {"epoch": word(source, EPOCH), "seq": source.number(0, 12)}
            count = pick(source, (1, 1, 2, 3, 64, 65))
            channels = [word(source, *_CHANNELS) for _ in range(min(count, 3))]
            channels += [f"room:{n}" for n in range(count - 3)]
            sound = {"type": "resume", "positions": dict.fromkeys(channels, position)}
        case 2 | 3:
            sound = {"type": "join", "room": word(source, *_ROOMS)}
        case 4:
            sound = {"type": "leave", "room": word(source, *_ROOMS)}
        case 5:
            sound = {"type": "auth", "token": _token(source)}
        case _:
            sound = {"type": word(source, "ping", "resume"), "positions": {}, "room": "sale"}
    return {
        **({"body": document(source, sound)} if not is_chosen(source, 20) else {}),
        "isBase64Encoded": is_chosen(source, 20),
    }
