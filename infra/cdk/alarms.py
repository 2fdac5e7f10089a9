"""The table of alarms: their metrics, thresholds and the reasons for these.

docs/runbook.md has a section for each alarm, with what to do.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from infra.cdk.functions import FUNCTIONS
from infra.cdk.http_api import HTTP_ROUTES
from infra.cdk.table_access import statements
from infra.cdk.watched import Watched

# The others answer the HTTP API. It answers 5xx, which has an alarm, when they crash or are
# throttled, or when a table that only they use is. Each metric of an alarm has a price, also in an
# alarm that calculates with several.
NOT_BEHIND_HTTP = [name for name in FUNCTIONS if name not in HTTP_ROUTES.values()]
TABLES_NOT_BEHIND_HTTP = {
    statement.place.partition("/")[0]
    for name in NOT_BEHIND_HTTP
    for statement in statements(FUNCTIONS[name].tables)
}

MISSING_IS_GOOD = cloudwatch.TreatMissingData.NOT_BREACHING
MISSING_IS_BAD = cloudwatch.TreatMissingData.BREACHING


class Alarm(NamedTuple):
    """One alarm; `of` returns its metric, or several metrics by function or table."""

    says: str
    of: Callable[[Watched], cloudwatch.IMetric | Mapping[str, cloudwatch.IMetric]]
    threshold: float
    because: str
    """The reason for the threshold."""
    minutes: int = 1
    """The length of a period."""
    periods: int = 1
    """In how many periods the metric must be at or above the threshold (below, if `is_least`) …"""
    of_periods: int | None = None
    """… out of how many; by default, in all of them."""
    is_least: bool = False
    missing: cloudwatch.TreatMissingData = MISSING_IS_GOOD
    """Hours without an event are normal; most metrics have no data then."""


def _messages_in(queue: sqs.Queue) -> cloudwatch.IMetric:
    return queue.metric_approximate_number_of_messages_visible(statistic="Maximum")


def _share(
    part: cloudwatch.IMetric, whole: cloudwatch.IMetric, *, at_least: int, expression: str
) -> cloudwatch.IMetric:
    """Return a percentage, or 0 if the whole is less than `at_least`.

    A metric has no value where nothing is to be counted.
    """
    return cloudwatch.MathExpression(
        expression=f"IF({expression} >= {at_least}, 100 * FILL(part, 0) / ({expression}), 0)",
        using_metrics={"part": part, "whole": whole},
    )


def _share_of_posts(name: str, *, at_least: int) -> Callable[[Watched], cloudwatch.IMetric]:
    return lambda watched: _share(
        watched.own(name),
        watched.own("Posted"),
        at_least=at_least,
        expression="(FILL(part, 0) + FILL(whole, 0))",
    )


# Clients alone cannot raise an alarm: refused requests, old tokens and bad messages have none.
# Logins have two: only clients guess passwords.
ALARMS = {
    "Refused": Alarm(
        "The management API answers 403: no events are delivered.",
        lambda watched: watched.own("Refused"),
        threshold=1,
        because="It only happens when an address or a grant is wrong.",
    ),
    "DeadLetters": Alarm(
        "A task failed on every attempt: connections may have missed events, or `connected`.",
        lambda watched: _messages_in(watched.fanout_queue.dead_letters),
        threshold=1,
        because="A task fails by 403, a defect or another service, not by its connections.",
    ),
    "GreetFailures": Alarm(
        "Connections did not receive `connected`.",
        lambda watched: _messages_in(watched.functions.greet_failures),
        threshold=1,
        because="A batch is tried three times, and no client can make it fail.",
    ),
    "QueueAge": Alarm(
        "Lanes with work wait too long for a worker.",
        lambda watched: watched.fanout_queue.queue.metric_approximate_age_of_oldest_message(
            statistic="Maximum"
        ),
        threshold=60,
        because="Workers change lanes every two seconds; after a crash a message waits for 30 s.",
        periods=3,
    ),
    "LateEvents": Alarm(
        "One in a hundred slices of posts ends more than a minute after the commit.",
        lambda watched: watched.own("CommitToLastPost", "p99"),
        threshold=60_000,
        because="A round of 100,000 connections takes ten seconds; more means too low a rate.",
        minutes=5,
        periods=3,
    ),
    "LeftBehind": Alarm(
        "Events are committed but not published until the sweep does it, repeatedly.",
        lambda watched: watched.own("LeftBehind"),
        threshold=1,
        because="The sweep repairs a single crash within two minutes; this lasts longer.",
        periods=3,
        of_periods=5,
    ),
    "Throttled": Alarm(
        "The account throttles a tenth or more of the requests to the management API.",
        lambda watched: _share(
            watched.own("ProbesThrottled"),
            watched.own("Probes"),
            expression="FILL(whole, 0)",
            at_least=100,
        ),
        threshold=10,
        because="Probes send nothing to clients: those that do not read cannot raise it.",
        minutes=5,
        periods=3,
    ),
    "FailedPosts": Alarm(
        "A twentieth or more of the connections are not reached: 5xx, timeouts, 400 or 413.",
        _share_of_posts("Failed", at_least=100),
        threshold=5,
        because="Each was tried several times; closed connections are not counted.",
        minutes=5,
        periods=2,
    ),
    "HandshakesRefused": Alarm(
        "Most handshakes are refused.",
        lambda watched: _share(
            watched.own("HandshakesRefused"),
            watched.of_websocket("ConnectCount"),
            expression="FILL(whole, 0)",
            at_least=100,
        ),
        threshold=60,
        because="Old tokens and a few broken apps are refused every day.",
        minutes=5,
        periods=3,
    ),
    "LoginsUnderAttack": Alarm(
        "Somebody guesses the password of an account, from several sources.",
        lambda watched: watched.own("LoginsUnderAttack"),
        threshold=1,
        because="An address has 100 failed logins beyond one a minute; one source has fewer.",
        minutes=5,
    ),
    "LoginsRefused": Alarm(
        "Many logins are refused.",
        lambda watched: watched.own("LoginsRefused"),
        threshold=200,
        because="People mistype a few times an hour; this is a program, or a broken app.",
        minutes=5,
        periods=2,
        of_periods=3,
    ),
    "IteratorAge": Alarm(
        "`connected` is late: `greet` does not keep up with the connections table's stream.",
        lambda watched: watched.functions["greet"].metric("IteratorAge", statistic="Maximum"),
        threshold=15_000,
        because="Records are dropped after 60 s, and a batch takes six at most.",
        periods=3,
    ),
    "FunctionErrors": Alarm(
        "A function repeatedly crashes, times out or runs out of memory.",
        lambda watched: watched.by_function("Errors", of=NOT_BEHIND_HTTP),
        threshold=3,
        because="Callers, the stream and the queue retry a single error.",
        minutes=5,
        periods=2,
        of_periods=3,
    ),
    "FunctionThrottles": Alarm(
        "Lambda does not start a function: the account's concurrency is used up.",
        lambda watched: watched.by_function("Throttles", of=NOT_BEHIND_HTTP),
        threshold=5,
        because="The handshake is refused, or events and greetings wait.",
        minutes=5,
    ),
    "SweepStopped": Alarm(
        "The sweep has not run for five minutes.",
        lambda watched: watched.functions["sweep"].metric("Invocations", statistic="Sum"),
        threshold=1,
        because="It runs every minute, and nothing else publishes what a crash leaves behind.",
        minutes=5,
        is_least=True,
        missing=MISSING_IS_BAD,
    ),
    "HttpErrors": Alarm(
        "The HTTP API answers 5xx.",
        lambda watched: watched.of_http("5xx"),
        threshold=5,
        because="A single `busy` (503) is normal when many publish at the same moment.",
        minutes=5,
    ),
    "HttpLatency": Alarm(
        "One in a hundred HTTP requests takes ten seconds.",
        lambda watched: watched.of_http("Latency", "p99"),
        threshold=10_000,
        because="An approval posts for two seconds; API Gateway gives up after 29.",
        minutes=5,
        periods=3,
    ),
    "WebSocketErrors": Alarm(
        "API Gateway cannot call `connect`, `disconnect` or `message`.",
        # Not IntegrationError: a refused handshake counts there.
        lambda watched: watched.of_websocket("ExecutionError"),
        threshold=5,
        because="After a single throttle or crash, the next client's call succeeds.",
        minutes=5,
    ),
    "TableThrottles": Alarm(
        "DynamoDB throttles a table.",
        lambda watched: watched.throttles_by_table(TABLES_NOT_BEHIND_HTTP),
        threshold=100,
        because="Single ones are retried within a second, while an on-demand table scales up.",
        minutes=5,
        periods=2,
        of_periods=3,
    ),
}
