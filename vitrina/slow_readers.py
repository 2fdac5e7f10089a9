"""Slow readers: connections that take no post although the account lets posts through.

The management API answers 429 to a post for two reasons: the account's throttle, or a client that
has not read what was sent before. Only the second is a reason to close a connection.
"""

import time
from collections.abc import Collection
from itertools import cycle, islice

from vitrina import closing, metrics, sender, tasks
from vitrina.events import Reason
from vitrina.partitions import Subscription

# A probe requests the state of a connection and sends it nothing, so a 429 is the account's.
PROBES = 20
# With more, the account is throttling, and a 429 says nothing about a client. Not 0, or a little
# throttling would keep full connections open; tests/unit/test_slow_readers.py has the odds.
MAX_UNANSWERED_PROBES = 3
PROBE_SECONDS = 2
# Failed tries during which the account accepted requests. The fifth try is half a minute after the
# first failed post.
MIN_COUNTED_TRIES = 4
MIN_ATTEMPT = 5
# Connections that are still open after this are closed by the sweep.
CLOSING_SECONDS = 5


_by_second: dict[int, bool] = {}


def lets_posts_through(subscriptions: Collection[Subscription], per_second: float) -> bool:
    """Return whether the account accepts requests now, by probes of these connections.

    The result is cached for the second, so that many full connections do not cost many requests.
    """
    second = int(time.time())
    if second not in _by_second:
        _by_second.clear()
        _by_second[second] = _probe(subscriptions, per_second)
    return _by_second[second]


def forget() -> None:
    """Probe again at the next use."""
    _by_second.clear()


def _probe(subscriptions: Collection[Subscription], per_second: float) -> bool:
    asked = list(islice(cycle(subscriptions), PROBES))
    delivery = sender.probe(asked, budget_seconds=PROBE_SECONDS, per_second=per_second)
    unanswered = [*delivery.throttled, *delivery.failed, *delivery.unsent]
    return len(unanswered) <= MAX_UNANSWERED_PROBES


def is_given_up(attempt: int, counted: int) -> bool:
    """Return whether a connection is closed after a failed try instead of tried again."""
    is_slow = attempt >= MIN_ATTEMPT and counted >= MIN_COUNTED_TRIES
    return is_slow or attempt >= tasks.MAX_ATTEMPT


def close(given_up: Collection[Subscription]) -> None:
    """Close connections that have taken no post; their clients connect again and resume."""
    if given_up:
        closing.close([*given_up], Reason.TOO_SLOW, budget_seconds=CLOSING_SECONDS)
        metrics.emit(SlowReaders=len(given_up))
