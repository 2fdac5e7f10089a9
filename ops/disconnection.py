"""Close every connection of a deployed stack, slowly: make disconnect-all TYPE=… RATE=…

Clients come back by themselves, and recover what they missed. Their tokens stay good.
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

# An account takes 500 new connections a second, and all that are closed come back; what is left of
# it is for those who come anyway.
RATE = 400
MOST = 500


def main() -> None:
    parser = argparse.ArgumentParser(description="Close every connection of a deployed stack.")
    parser.add_argument("--type", choices=list(ClientType), type=ClientType, help="of this type")
    parser.add_argument("--rate", type=_rate, default=RATE, help=f"a second; {RATE} by default")
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
            sys.exit(f"\r{closed} closed, and stopped: the others are still connected.")
        except PostsForbidden:
            sys.exit("The management API refuses: execute-api:ManageConnections is needed.")
    print(f"\r{closed} closed.")
    if left := found - closed:
        print(f"{left} could not be reached, get nothing more, and are closed by the next sweep.")


def _close(types: Iterable[ClientType], rate: int) -> Iterator[tuple[int, int]]:
    """Close so many a second; yield of each second how many were found, and closed.

    Who comes back meanwhile is left alone.
    """
    now = int(time.time())
    waiting = (member for each in types for member in subscriptions.connected_until(each, now))
    while batch := list(islice(waiting, rate)):
        next_at = time.monotonic() + 1
        yield len(batch), closing.close(batch, Reason.EVERYONE_DISCONNECTED)
        time.sleep(max(0, next_at - time.monotonic()))


def _rate(text: str) -> int:
    if 1 <= (rate := int(text)) <= MOST:
        return rate
    raise argparse.ArgumentTypeError(f"1 to {MOST}, which is what an account takes back")


if __name__ == "__main__":
    main()
