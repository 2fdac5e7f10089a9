"""Connections that end from this side: say why, close, forget."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from aws_lambda_powertools import Logger

from vitrina import connections, members, metrics, sender, settings
from vitrina.channels import ClientType
from vitrina.connections import PARALLEL_WRITES, Member
from vitrina.events import Closing, Closure, Reason
from vitrina.sender import Post

logger = Logger()

BUDGET_SECONDS = 10
EXPIRED_AT_ONCE = 200


def close(
    closed: Sequence[Member], reason: Reason, *, budget_seconds: float = BUDGET_SECONDS
) -> int:
    """Send `closing` to each, close it and forget it; return how many have ended.

    Who could not be told gets no event from now on, and is closed by the sweep.
    """
    if not closed:
        return 0
    body = Closing(data=Closure(reason=reason)).body()
    # With a worker's patience and its share of the rate: events go first.
    here = settings.current()
    delivery = sender.post(
        [Post(member, [body], closes=True) for member in closed],
        budget_seconds=budget_seconds,
        per_second=here.posts_per_second / here.fanout_workers,
    )
    gone = {post.member for post in delivery.gone}
    # A handshake that is still going on can no more be closed than be told.
    shaking_hands = connections.forget_gone(gone)
    left = ({post.member for post in delivery.unreached} - gone).union(shaking_hands)
    with ThreadPoolExecutor(PARALLEL_WRITES) as pool:
        list(pool.map(connections.expire, (member.connection_id for member in left)))
        ended = (member.connection_id for member in closed if member not in left | gone)
        list(pool.map(connections.forget, ended))
    logger.info(
        "closed",
        reason=reason,
        closed=len(closed) - len(left),
        connection_ids=connections.some_ids(closed),
        left=len(left),
        left_connection_ids=connections.some_ids(left),
    )
    return len(closed) - len(left)


def close_account(account_id: int) -> int:
    """Close all connections of an account; return how many there were."""
    found = [opened.member for opened in members.of_account(account_id)]
    close(found, Reason.ACCOUNT_DISCONNECTED)
    return len(found)


def close_surplus(client_type: ClientType, identity: str) -> None:
    """Close the oldest connections of an identity that has more than it may."""
    opened = members.of_identity(client_type, identity)
    surplus = opened[: -settings.current().connections_per_identity]
    close([connection.member for connection in surplus], Reason.TOO_MANY_CONNECTIONS)


def close_expired(until: float) -> int:
    """Close connections whose time is over, and measure how many others there are.

    Returns how many were looked at.

    `until` is when to stop, in `time.monotonic`'s seconds; the rest is for the next time.
    """
    count = 0
    still_open: Counter[ClientType] = Counter()
    expired = members.expired(still_open)
    while (left := until - time.monotonic()) > 0 and (
        some := list(islice(expired, EXPIRED_AT_ONCE))
    ):
        count += len(some)
        # Read again: some were extended, and some end by themselves at this moment.
        with ThreadPoolExecutor(PARALLEL_WRITES) as pool:
            rows = list(pool.map(connections.find, (member.connection_id for member in some)))
        over = [row.member for row in rows if row and row.has_expired]
        orphans = [member for member, row in zip(some, rows, strict=True) if row is None]
        connections.forget_gone(orphans)
        close(over, Reason.TOKEN_EXPIRED, budget_seconds=left)
    # A reading that time has cut off has not counted all of them.
    if left > 0:
        metrics.emit(**{name: still_open[kind] for kind, name in metrics.CONNECTIONS.items()})
    return count
