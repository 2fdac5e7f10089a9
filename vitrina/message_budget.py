"""The budget of a connection: how many messages it may send, and one recovery at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from aws_lambda_powertools import Logger

from vitrina import aws, buckets, clock, closing, config, connections, sessions
from vitrina.buckets import Rate
from vitrina.connections import Connection
from vitrina.errors import TooManyRequests
from vitrina.events import Reason

logger = Logger()

# Thirty at once, then thirty a minute: an honest client sends two resumes, twenty joins and an auth
# at once.
MESSAGES = Rate(tries=30, seconds=2)
# A connection that exceeds its budget by more than this is closed.
MAX_OVERDRAWN_SECONDS = 120
# Of the messages that a process refuses in a row, one in so many is written to the table.
REFUSALS_PER_COUNT = 10

# Of all connections of one identity. Without a try, missed events are not recovered.
RECOVERIES = Rate(tries=20, seconds=15)
# A recovery of so few posts costs no more than other responses.
MAX_FREE_POSTS = 2
# A greeting with so many events in one frame costs less than the write that would count it.
MAX_FREE_EVENTS = 10
# Longer than the function's timeout, so that a crash needs no other fence.
RECOVERY_LEASE_MS = 30_000
REST_MS_PER_POST = 1_000


class _OverBudget(NamedTuple):
    """A connection that is over its budget, at least as far as this process knows."""

    accepted_at: float
    """When a message will be accepted again, in seconds since 1970."""
    uncounted: int
    """How many messages were refused that its row does not count yet."""


# Other processes only move that moment further into the future, so entries stay valid.
_over_budget: dict[str, _OverBudget] = {}


def forget() -> None:
    """Forget which connections are over their budget."""
    _over_budget.clear()


def take(connection_id: str) -> Connection:
    """Count a message of a connection, also one that is refused; return the connection.

    It may have expired, and then only another token helps. Raises Forbidden `connection_expired`
    when it is over, or TooManyRequests `too_many_requests`. After persistent abuse it is closed,
    and its account cannot connect for a minute.
    """
    uncounted = _refuse_known(connection_id)
    counted = buckets.count(
        config.current().connections_table,
        connections.key(connection_id),
        MESSAGES,
        having="connected_at",
        tries=1 + uncounted,
    )
    if counted is None:
        raise connections.expired()
    connection, overdrawn = connections.from_row(counted[0]), counted[1]
    if connection.is_over:
        raise connections.expired()
    if overdrawn > MAX_OVERDRAWN_SECONDS:
        _close(connection)
    if overdrawn > 0:
        raise _refuse(connection_id, overdrawn, uncounted=0)
    return connection


def _refuse_known(connection_id: str) -> int:
    """Return how many refused messages the connection's row does not count yet.

    Raises TooManyRequests `too_many_requests` without a call while the connection is known to be
    over its budget. Messages that are not counted by the end of the wait never are.
    """
    known = _over_budget.pop(connection_id, None)
    if known is None or (overdrawn := known.accepted_at - time.time()) <= 0:
        return 0
    uncounted = known.uncounted + 1
    if uncounted < REFUSALS_PER_COUNT and overdrawn <= MAX_OVERDRAWN_SECONDS:
        raise _refuse(connection_id, overdrawn, uncounted)
    return known.uncounted


def _refuse(connection_id: str, overdrawn: float, uncounted: int) -> TooManyRequests:
    """Remember a refusal and return it; the message that was refused is counted in the wait."""
    wait = overdrawn + MESSAGES.seconds
    buckets.remember(_over_budget, connection_id, _OverBudget(time.time() + wait, uncounted))
    return buckets.too_many_requests(wait)


def _close(connection: Connection) -> None:
    logger.warning("abusive", client_type=connection.client_type, identity=connection.identity)
    sessions.bar(connection.client_type, connection.account_id)
    connections.expire(connection.connection_id)
    closing.close([connection.subscription], Reason.TOO_MANY_REQUESTS)


@dataclass
class Permit:
    """What a recovery may do, and what it does."""

    is_granted: bool
    """Whether its identity has a recovery left; otherwise nothing may be read."""
    posts: int
    """How many frames it posts, without the answer; to be set when they are known."""


@contextmanager
def recovery(connection: Connection, posts: int) -> Iterator[Permit]:
    """Hold the connection's only recovery; yield its permit.

    `posts` is the most that it may post: one for each missed event. Batches need fewer posts, but
    their number is known only after the events are read. So a recovery of more than
    `MAX_FREE_POSTS` events needs the connection's lease and one of its identity's recoveries, in
    batches too. Afterwards the connection waits by the permit's `posts`: not at all up to
    `MAX_FREE_POSTS`, otherwise a second for each post but the first. Raises TooManyRequests
    `too_many_requests` during another recovery or during that wait.
    """
    if posts <= MAX_FREE_POSTS:
        yield Permit(True, posts)
        return
    until = _begin(connection)
    permit = Permit(False, posts)
    try:
        permit.is_granted = _take_recovery(connection)
        yield permit
    finally:
        is_free = permit.posts <= MAX_FREE_POSTS
        rest = 0 if is_free else min(RECOVERY_LEASE_MS, (permit.posts - 1) * REST_MS_PER_POST)
        _set_recovering_until(
            connection, clock.now_ms() + rest, "recovering_until = :mine", mine=until
        )


def may_greet_with(connection: Connection, missed: int) -> bool:
    """Return whether a greeting may read so many missed events.

    More than `MAX_FREE_EVENTS` take one of the identity's recoveries, in each attempt to greet; for
    a client that takes no batches, more than `MAX_FREE_POSTS`. No lease is needed: a connection is
    greeted once, with a few frames.
    """
    free = MAX_FREE_EVENTS if connection.takes_batches else MAX_FREE_POSTS
    return missed <= free or _take_recovery(connection)


def _take_recovery(connection: Connection) -> bool:
    return buckets.spend(f"recoveries#{connection.own_channel}", RECOVERIES) == 0


def _begin(connection: Connection) -> int:
    now = clock.now_ms()
    until = now + RECOVERY_LEASE_MS
    is_free = "(attribute_not_exists(recovering_until) OR recovering_until <= :now)"
    busy_until = _set_recovering_until(
        connection, until, f"attribute_exists(connected_at) AND {is_free}", now=now
    )
    if busy_until is not None:
        raise buckets.too_many_requests((busy_until - now) / 1000)
    return until


def _set_recovering_until(
    connection: Connection, until: int, condition: str, **values: int
) -> int | None:
    """Write until when no other recovery begins; return the stored moment if refused."""
    is_done, row = aws.update(
        config.current().connections_table,
        connections.key(connection.connection_id),
        "SET recovering_until = :until",
        {":until": until, **{f":{name}": value for name, value in values.items()}},
        condition,
        returns_row=True,
    )
    return None if is_done else int(row.get("recovering_until", 0))
