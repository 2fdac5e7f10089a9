"""The odds of the rule that closes connections which take no post."""

from math import comb

import pytest

from vitrina import connections, posting, slow_readers, tasks


def odds_that_an_attempt_counts(share: float) -> float:
    """Return how likely few of the probes are throttled while the account throttles a share."""
    probes = slow_readers.PROBES
    return sum(
        comb(probes, n) * share**n * (1 - share) ** (probes - n)
        for n in range(slow_readers.MAX_UNANSWERED_PROBES + 1)
    )


def closed(share: float, fails: float, throttled_seconds: float) -> dict[int, float]:
    """Return how likely a connection is closed after so many seconds.

    While the account throttles, a post's try fails so often; later it fails only if `fails` is 1.
    """
    counts = odds_that_an_attempt_counts(share)
    odds: dict[int, float] = {}
    waiting = {0: fails}
    seconds = 0
    for attempt in range(1, tasks.MAX_ATTEMPT + 1):
        seconds += tasks.wait_seconds(attempt)
        if seconds > throttled_seconds:
            counts, fails = 1.0, float(fails == 1)
        after: dict[int, float] = {}
        for counted, likely in waiting.items():
            for total, chance in ((counted + 1, counts), (counted, 1 - counts)):
                if not (failing := likely * fails * chance):
                    continue
                if slow_readers.is_given_up(attempt, total):
                    odds[seconds] = odds.get(seconds, 0) + failing
                else:
                    after[total] = after.get(total, 0) + failing
        waiting = after
    return odds


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.9, 0.98])
def test_no_client_that_reads_is_closed_however_much_the_account_throttles(share: float) -> None:
    """A hundred thousand of them, for five minutes, with an event each second."""
    posts = 100_000 * 300
    both_tries_fail = share**posting.RETRY_ATTEMPTS
    assert posts * sum(closed(share, both_tries_fail, throttled_seconds=300).values()) < 0.1


def test_one_that_does_not_read_is_closed_after_half_a_minute() -> None:
    assert closed(0, 1, throttled_seconds=0) == {31: 1}


def test_a_connection_is_older_than_a_handshake_when_it_is_closed() -> None:
    """Every try is after a post that found it stored."""
    waits = [tasks.wait_seconds(n) for n in range(1, slow_readers.MIN_ATTEMPT)]
    assert sum(waits) > connections.MAX_HANDSHAKE_SECONDS


def test_a_little_throttling_does_not_keep_it_open() -> None:
    odds = closed(0.1, 1, throttled_seconds=3600)
    assert sum(likely for seconds, likely in odds.items() if seconds <= 120) > 0.99


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_otherwise_it_is_closed_within_two_minutes_of_the_end_of_the_throttling(
    share: float,
) -> None:
    odds = closed(share, 1, throttled_seconds=120)
    assert sum(likely for seconds, likely in odds.items() if seconds <= 120 + 80) > 0.99


def test_whatever_the_reason_one_that_takes_no_post_is_closed_after_a_quarter_of_an_hour() -> None:
    odds = closed(1, 1, throttled_seconds=3600)
    assert odds == {15 * 60 + 11: 1}
