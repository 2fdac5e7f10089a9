"""Frames: each message gets its reply, and no other frame."""

import json
from typing import Any

from local.client import Client, Frame
from ops.verify.expectation import Unexpected, expect
from ops.verify.site import Site

ANSWER_SECONDS = 20
# The wait for a frame that must not arrive.
SETTLE_SECONDS = 0.2
SETTLE_SECONDS_ON_AWS = 1.0
MAX_MESSAGE_BYTES = 8 * 1024
UNSUPPORTED_DATA = 1003


def ping(site: Site) -> str:
    return _answer(site, {"type": "ping"}, "pong")


def ping_without_a_function(site: Site) -> str:
    """Send a ping that the function `message` refuses and that API Gateway answers."""
    return _answer(site, {"type": "ping", "unknown": True}, "pong")


def resume(site: Site) -> str:
    with site.connect("user", site.token("user")) as client:
        [connected] = client.events("connected")
        own = site.channel_of("user")
        positions = {own: connected.event["data"]["positions"][own]}
        return _answer_on(client, site, {"type": "resume", "positions": positions}, "recovered")


def join(site: Site) -> str:
    return _answer(site, {"type": "join", "room": site.footprint.cast.room}, "joined")


def leave(site: Site) -> str:
    return _answer(site, {"type": "leave", "room": site.footprint.cast.room}, "left")


def auth(site: Site) -> str:
    return _answer(site, {"type": "auth", "token": site.token("user")}, "authenticated")


def auth_of_another(site: Site) -> str:
    message = {"type": "auth", "token": site.token("admin")}
    return _answer(site, message, "error identity_mismatch")


def resume_of_another_channel(site: Site) -> str:
    message = {"type": "resume", "positions": {"admin": {"epoch": "x", "seq": 0}}}
    return _answer(site, message, "error channel_forbidden")


def of_an_unknown_type(site: Site) -> str:
    return _answer(site, {"type": "x"}, "error message_invalid")


def that_is_not_json(site: Site) -> str:
    return _answer(site, "{", "error message_not_json")


def that_is_too_large(site: Site) -> str:
    message = {"type": "join", "room": "x" * MAX_MESSAGE_BYTES}
    return _answer(site, message, "error message_too_large")


def that_is_binary(site: Site) -> str:
    return _answer(site, b"\xff\xfe", "error message_not_json", f"closed {UNSUPPORTED_DATA}")


def that_names_a_route(site: Site) -> str:
    """Send the name of the route of closed connections: the connection stays open."""
    with site.connect("user", site.token("user")) as client:
        client.send({"type": "$disconnect"})
        site.stop.wait(_settle_seconds(site))
        client.send({"type": "ping"})
        site.until(lambda: client.events("pong"), ANSWER_SECONDS, "pong")
        came = [_name(frame) for frame in client.frames[1:] if not _is_published(frame)]
        return expect(", ".join(came), "error message_invalid, pong", "pong")


def connected(site: Site) -> str:
    """Say that the first frame is `connected`, with the positions of the client's channels."""
    with site.connect("user", site.token("user")) as client:
        first = client.frames[0]
        if first.event.get("event") != "connected":
            raise Unexpected(first.text[:200])
        return expect(", ".join(sorted(first.event["data"]["positions"])), f"user, {_own(site)}")


def _own(site: Site) -> str:
    return site.channel_of("user")


def _answer(site: Site, message: object, *wanted: str) -> str:
    """Send a message on a new connection; return what came, which is one of `wanted`."""
    with site.connect("user", site.token("user")) as client:
        return _answer_on(client, site, message, *wanted)


def _answer_on(client: Client, site: Site, message: object, *wanted: str) -> str:
    before = len(client.frames)
    client.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
    site.until(lambda: client.frames[before:] or client.is_closed, ANSWER_SECONDS, wanted[0])
    site.stop.wait(_settle_seconds(site))
    came = [_name(frame) for frame in client.frames[before:] if not _is_published(frame)]
    if client.is_closed:
        came.append(f"closed {client.socket.close_code}")
    return expect(", ".join(came), *wanted)


def _settle_seconds(site: Site) -> float:
    return SETTLE_SECONDS if site.is_local else SETTLE_SECONDS_ON_AWS


def _is_published(frame: Frame) -> bool:
    return "seq" in frame.event


def _name(frame: Frame) -> str:
    """Return a frame's event, an error's code too; a frame that is not an event as it came."""
    if not frame.text:
        return "an empty frame"
    try:
        event: Any = json.loads(frame.text)
    except ValueError:
        event = None
    if not isinstance(event, dict) or "event" not in event:
        return f"not an event: {frame.text[:100]}"
    if event["event"] == "error":
        return f"error {event['data'].get('code')}"
    return str(event["event"])
