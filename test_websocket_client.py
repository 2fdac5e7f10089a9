"""Watch events as an app receives them: python3 test_websocket_client.py TOKEN

Connects, prints every event as it comes, pings every 30 seconds, and reconnects when the
connection breaks. Ctrl-C ends it. Needs one package: pip install websockets
"""

import argparse
import base64
import json
import random
import sys
import time
from contextlib import suppress
from datetime import datetime
from typing import Any

try:
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import ClientConnection, connect
except ImportError:
    sys.exit("This needs one package, websockets 13 or newer: python3 -m pip install websockets")

PING_SECONDS = 30
FIRST_PAUSE_SECONDS = 1
MAX_PAUSE_SECONDS = 30
# A connection that lasted this long was a good one: the next pause is a short one again.
STABLE_SECONDS = 10
REFUSALS = (401, 403)


def main() -> None:
    arguments = parse_arguments()
    url = arguments.url or f"ws://localhost:8000/ws/{client_type(arguments.token)}"
    query = f"token={arguments.token}{'&batch=1' if arguments.batch else ''}"
    attempt = 0
    while True:
        started = time.monotonic()
        try:
            with connect(
                f"{url}{'&' if '?' in url else '?'}{query}",
                compression=None,  # API Gateway's answer to permessage-deflate breaks clients
                ping_interval=None,  # keep-alive is a message here, as in the apps
            ) as socket:
                say(f"open: {url}")
                watch(socket)
        except InvalidStatus as refused:
            status = refused.response.status_code
            if status in REFUSALS:
                sys.exit(f"Refused with {status}: the token is not valid here, or has expired.")
            say(f"the server answered {status}")
        except (OSError, ConnectionClosed) as broken:
            say(f"closed: {broken}")
        attempt = 1 if time.monotonic() - started > STABLE_SECONDS else attempt + 1
        ceiling = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
        pause = random.uniform(0, ceiling)  # noqa: S311 - jitter, not a secret
        say(f"connecting again in {pause:.1f} s")
        time.sleep(pause)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Watch events as an app receives them.")
    parser.add_argument("token", help="what POST /api/v1/auth/login answers as access_token")
    parser.add_argument(
        "--url",
        help="such as wss://HOST/ws/user (default: ws://localhost:8000/ws/ and the token's type)",
    )
    parser.add_argument(
        "--batch",
        action="store_true",
        help="take several events in one frame; they are printed as if each had come alone",
    )
    return parser.parse_args()


def client_type(token: str) -> str:
    """Read which type of client a token is for; whether it is valid, the server decides."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["client_type"])
    except (IndexError, KeyError, TypeError, ValueError):
        sys.exit("This is not a token. Did the login answer with an error?")


def watch(socket: ClientConnection) -> None:
    """Print events until the connection closes; ping every 30 seconds, and miss no answer."""
    due = time.monotonic() + PING_SECONDS
    answered = True
    while True:
        try:
            text = socket.recv(timeout=max(0, due - time.monotonic()))
        except TimeoutError:
            if not answered:
                say(f"no pong for {PING_SECONDS} s")
                return
            now = datetime.now().astimezone().isoformat()
            socket.send(json.dumps({"type": "ping", "timestamp": now}))
            due, answered = time.monotonic() + PING_SECONDS, False
        else:
            for event in events_in(parse(text)):
                answered = answered or event.get("event") == "pong"
                if "event" in event:
                    say(f"{event['event']}\n{json.dumps(event, ensure_ascii=False, indent=2)}")


def parse(text: str | bytes) -> dict[str, Any]:
    """Read a frame. API Gateway's own, sent when a function failed, are not events."""
    try:
        event = json.loads(text)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def events_in(frame: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a batch; another frame is one event."""
    return list(frame["events"]) if frame.get("event") == "batch" else [frame]


def say(sentence: str) -> None:
    print(f"{datetime.now():%H:%M:%S}  {sentence}", flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
