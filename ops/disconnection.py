"""Close every connection of a deployed stack at a limited rate: make disconnect-all TYPE=… RATE=…

Clients reconnect by themselves and recover missed events. Their tokens stay valid.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice

from ops import stack
from vitrina import closing, subscriptions
from vitrina.channels import ClientType
from vitrina.events import Reason
from vitrina.sender import PostsForbidden

# An AWS account accepts 500 new connections a second. All closed clients reconnect; the rest of the
# quota is for other new connections.
RATE = 400
MAX_RATE = 500
# A few that cannot be closed now do not delay the others.
BUDGET_SECONDS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description="Close every connection of a deployed stack.")
    parser.add_argument("--type", choices=list(ClientType), type=ClientType, help="of this type")
    parser.add_argument("--rate", type=_rate, default=RATE, help=f"per second; default {RATE}")
    stack.add_option(parser)
    arguments = parser.parse_args()
    types = [arguments.type] if arguments.type else list(ClientType)
    with stack.in_use(arguments.stack):
        total = sum(subscriptions.count().by_type[client_type] for client_type in types)
        found = closed = 0
        try:
            for batch, of_batch in _close(types, arguments.rate):
                found, closed = found + batch, closed + of_batch
                print(f"\r{found} of {total}", end="", flush=True)
        except KeyboardInterrupt:
            sys.exit(f"\r{closed} closed, then stopped. The others are still connected.")
        except PostsForbidden:
            sys.exit("The management API answers 403: execute-api:ManageConnections is needed.")
    print(f"\r{closed} closed.")
    if left := found - closed:
        print(f"{left} could not be reached: they get no more events; the next sweep closes them.")


def _close(types: Iterable[ClientType], rate: int) -> Iterator[tuple[int, int]]:
    """Close `rate` connections a second; yield how many were found and closed in each second.

    Connections opened meanwhile stay open.
    """
    now = int(time.time())
    waiting = (member for each in types for member in subscriptions.connected_until(each, now))
    while batch := list(islice(waiting, rate)):
        next_at = time.monotonic() + 1
        closed = closing.close(batch, Reason.EVERYONE_DISCONNECTED, budget_seconds=BUDGET_SECONDS)
        yield len(batch), closed
        time.sleep(max(0, next_at - time.monotonic()))


def _rate(text: str) -> int:
    if 1 <= (rate := int(text)) <= MAX_RATE:
        return rate
    raise argparse.ArgumentTypeError(f"expected 1 to {MAX_RATE}, an account's connection quota")


if __name__ == "__main__":
    main()
