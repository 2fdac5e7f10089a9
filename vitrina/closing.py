"""Closing connections from the server: expire, send `closing`, close, delete the rows."""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from aws_lambda_powertools import Logger

from vitrina import (
    aws,
    config,
    connections,
    endings,
    metrics,
    partitions,
    sender,
    subscriptions,
)
from vitrina.channels import ClientType
from vitrina.endings import Ending
from vitrina.errors import Unavailable
from vitrina.events import Closing, Closure, Reason
from vitrina.partitions import Subscription
from vitrina.sender import Post
from vitrina.subscriptions import OpenConnection

logger = Logger()

BUDGET_SECONDS = 10
# For the excess connections of an identity: other new connections wait for their greeting.
EXCESS_SECONDS = 1
EXPIRED_PER_BATCH = 200


def close(
    closed: Sequence[Subscription], reason: Reason, *, budget_seconds: float | None = None
) -> int:
    """Close connections; return how many were closed or had already closed.

    A connection is first marked expired, so that no more events are posted to it. Then `closing` is
    sent, the connection is closed even if the frame was not delivered, and its rows are deleted. A
    connection that could not be closed within the budget, by default `BUDGET_SECONDS`, stays
    expired, and the sweep closes it.

    Raises Unavailable `busy` when one can neither be closed nor be marked expired.
    """
    if not closed:
        return 0
    expired = _expire(closed)
    body = Closing(data=Closure(reason=reason)).body()
    # With a worker's share of the rate, as events have priority.
    here = config.current()
    asked_at = time.time()
    delivery = sender.post(
        [Post(subscription, (body,), closes=True) for subscription in closed],
        budget_seconds=BUDGET_SECONDS if budget_seconds is None else budget_seconds,
        per_second=here.posts_per_second / here.fanout_workers,
    )
    gone = {post.subscription for post in delivery.gone}
    # During a handshake a connection takes no frame and cannot be closed.
    opening = connections.forget_gone(gone, asked_at)
    left = ({post.subscription for post in delivery.unreached} - gone).union(opening)
    ended = [found.connection_id for found in closed if found not in left | gone]
    aws.in_parallel(connections.forget, ended)
    aws.in_parallel(connections.expire, [found.connection_id for found in left - expired])
    logger.info(
        "closed",
        reason=reason,
        closed=len(closed) - len(left),
        connection_ids=partitions.ids_to_log(closed),
        left=len(left),
        left_connection_ids=partitions.ids_to_log(left),
    )
    return len(closed) - len(left)


def _expire(found: Collection[Subscription]) -> set[Subscription]:
    """Mark connections expired; return all but those whose client keeps changing their rows."""

    def expire(subscription: Subscription) -> bool:
        try:
            connections.expire(subscription.connection_id)
        except Unavailable:
            return False
        return True

    marked = aws.in_parallel(expire, found)
    return {each for each, is_marked in zip(found, marked, strict=True) if is_marked}


def close_account(ended: Ending) -> int:
    """Close the connections of an account's ended sessions; return how many were closed.

    The devices of these sessions are removed first.
    """
    if config.current().push_apps:
        # Imported here: most functions that close connections do not need it.
        from vitrina import devices

        devices.remove_ended(ended)
    row = ended.row
    opened = subscriptions.of_account(row.client_type, row.account_id, row.shop_id)
    left = [each.subscription for each in opened if ended.has(each.session_id, each.era)]
    return close(left, Reason.ACCOUNT_DISCONNECTED)


def disconnect(client_type: ClientType, account_id: int) -> int:
    """End all sessions of an account and close its connections; return how many were closed."""
    return _close(endings.end_account(client_type, account_id))


def end_session(client_type: ClientType, account_id: int, session_id: str) -> int:
    """End a session and close its connections; return how many were closed.

    A session that has ended already is ended again, so that the caller may repeat it.
    """
    return _close(endings.end_session(client_type, account_id, session_id))


def finish_endings(seconds: float, until: float) -> int:
    """Close the connections of unfinished endings that are so old; return how many there were.

    Stops at `until`, a value of `time.monotonic`; the next sweep continues.
    """
    count = 0
    for ended in endings.unclosed(seconds):
        if time.monotonic() > until:
            break
        count += 1
        _close(ended)
    return count


def _close(ended: Ending) -> int:
    closed = close_account(ended)
    endings.done(ended)
    return closed


def close_excess(identities: Iterable[Sequence[OpenConnection]]) -> None:
    """Close the oldest of each identity's open connections beyond `connections_per_identity`.

    They are given by identity, the oldest first.
    """
    limit = config.current().connections_per_identity
    excess = [each.subscription for opened in identities for each in opened[:-limit]]
    close(excess, Reason.TOO_MANY_CONNECTIONS, budget_seconds=EXCESS_SECONDS)


def close_expired(until: float) -> int:
    """Close expired connections, and emit the number of open ones; return how many were read.

    Stops at `until`, a value of `time.monotonic`; the next sweep continues.
    """
    count = 0
    still_open: Counter[ClientType] = Counter()
    expired = subscriptions.expired(still_open)
    while (left := until - time.monotonic()) > 0 and (
        batch := list(islice(expired, EXPIRED_PER_BATCH))
    ):
        count += len(batch)
        # Read again: some were extended, and some close by themselves at this moment.
        found = aws.in_parallel(connections.find, [each.connection_id for each in batch])
        over = [each for each in found if each and each.has_expired]
        orphans = [each for each, stored in zip(batch, found, strict=True) if stored is None]
        connections.forget_gone(orphans, time.time())
        # No token can extend a connection whose session was ended.
        ended = [each.subscription for each in over if each.is_over]
        others = [each.subscription for each in over if not each.is_over]
        # Half of the remaining time, so that a few connections that do not close leave some of it.
        close(ended, Reason.ACCOUNT_DISCONNECTED, budget_seconds=left / 2)
        close(others, Reason.TOKEN_EXPIRED, budget_seconds=left / 2)
    # A read that was cut off has not counted all connections.
    if left > 0:
        metrics.emit(**{name: still_open[kind] for kind, name in metrics.CONNECTIONS.items()})
    return count
