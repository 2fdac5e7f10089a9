"""Print the events of a channel as they are published: make tail CHANNEL=user [STAGE=…]

It reads the history, so it needs no account and no token. The first lines are the latest ten events
that are kept.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

from pydantic import TypeAdapter, ValidationError

from ops import stack
from vitrina import history
from vitrina.channels import Channel
from vitrina.events import Position
from vitrina.history import Span, StoredEvent

LATEST = 10
POLL_SECONDS = 1


def main() -> None:
    parser = argparse.ArgumentParser(description="Print a channel's events of a deployed stack.")
    parser.add_argument("channel", help="user, shop:10, room:sale …")
    stack.add_option(parser)
    arguments = parser.parse_args()
    try:
        channel = TypeAdapter(Channel).validate_python(arguments.channel)
    except ValidationError:
        sys.exit("CHANNEL: expected a type (user), an identity (shop:10) or a room (room:sale)")
    with suppress(KeyboardInterrupt), stack.in_use(arguments.stack):
        for event in follow(channel):
            print(event.body.decode(), flush=True)


def follow(channel: str) -> Iterator[StoredEvent]:
    """Yield the latest events of a channel, and then each one that is published, without end."""
    seen: Position | None = None
    while True:
        head = history.known_positions([channel]).get(channel)
        if head and head != seen:
            yield from _between(channel, seen, head)
            seen = head
        time.sleep(POLL_SECONDS)


def _between(channel: str, seen: Position | None, head: Position) -> list[StoredEvent]:
    """Read the events after a position; without one, or with another epoch, the latest ones."""
    is_same = seen is not None and seen.epoch == head.epoch
    first = 1 + (seen.seq if seen and is_same else max(0, head.seq - LATEST))
    return history.read(Span(channel, first, head.seq)) if first <= head.seq else []


if __name__ == "__main__":
    main()
