"""The table of alarms: of which metric, from where on, and why from there.

What to do about one is in docs/runbook.md, in the section of its name.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.cdk.watched import Watched

MISSING_IS_GOOD = cloudwatch.TreatMissingData.NOT_BREACHING
MISSING_IS_BAD = cloudwatch.TreatMissingData.BREACHING


class Alarm(NamedTuple):
    """When people are told: `of` is its metric, or several by what each is of."""

    says: str
    of: Callable[[Watched], cloudwatch.IMetric | Mapping[str, cloudwatch.IMetric]]
    threshold: float
    because: str
    """Why this threshold, and not sooner or later."""
    minutes: int = 1
    """A period; the metric is at or above the threshold (below it, if `is_least`) …"""
    periods: int = 1
    """… in all of so many periods, or in so many …"""
    of_periods: int | None = None
    """… of these."""
    is_least: bool = False
    missing: cloudwatch.TreatMissingData = MISSING_IS_GOOD
    """Hours without an event are normal, and most metrics are silent then."""


def _share(
    part: cloudwatch.IMetric, whole: cloudwatch.IMetric, *, at_least: int, expression: str
) -> cloudwatch.IMetric:
    """Return a percentage, and 0 when the whole is too little to tell anything by it."""
    return cloudwatch.MathExpression(
        expression=f"IF({expression} >= {at_least}, 100 * FILL(part, 0) / ({expression}), 0)",
        using_metrics={"part": part, "whole": whole},
    )


# No alarm is about what clients alone can cause: a refused request, an old token, a bad message.
ALARMS = {
    "Refused": Alarm(
        "The management API answers 403: nobody hears anything.",
        lambda watched: watched.own("Refused"),
        threshold=1,
        because="It never happens unless an address or a grant is wrong.",
    ),
    "DeadLetters": Alarm(
        "Connections were left without an event: a task failed every time.",
        lambda watched: (
            watched.fanout_queue.dead_letters.metric_approximate_number_of_messages_visible(
                statistic="Maximum"
            )
        ),
        threshold=1,
        because="Throttling and short faults are over before the last attempt.",
    ),
    "GreetFailures": Alarm(
        "Connections were not told that they are open.",
        lambda watched: (
            watched.functions.greet_failures.metric_approximate_number_of_messages_visible(
                statistic="Maximum"
            )
        ),
        threshold=1,
        because="A batch is tried three times, each with attempts of its own.",
    ),
    "QueueAge": Alarm(
        "Events wait too long for a worker.",
        lambda watched: watched.fanout_queue.queue.metric_approximate_age_of_oldest_message(
            statistic="Maximum"
        ),
        threshold=300,
        because="A million posts at 10,000 a second take 100 s, and a task is put off for 60 s.",
        periods=3,
    ),
    "LateEvents": Alarm(
        "One in a hundred pages is posted more than a minute after the commit.",
        lambda watched: watched.own("CommitToLastPost", "p99"),
        threshold=60_000,
        because="Further attempts wait for a minute at most; what is always later is lack of rate.",
        minutes=5,
        periods=3,
    ),
    "LeftBehind": Alarm(
        "Events are committed and not published: the sweep has to do it, again and again.",
        lambda watched: watched.own("LeftBehind"),
        threshold=1,
        because="One function that dies is repaired within two minutes; this goes on.",
        periods=3,
        of_periods=5,
    ),
    "Throttled": Alarm(
        "More than a tenth of the answers of the management API are 429.",
        lambda watched: _share(
            watched.own("Throttled"),
            watched.own("Posted"),
            expression="(part + whole)",
            at_least=1000,
        ),
        threshold=10,
        because="Single 429s are normal: a slow phone gets them too. This is the account's limit.",
        minutes=5,
        periods=3,
    ),
    "FailedPosts": Alarm(
        "More than a twentieth of the connections are not reached: 5xx, timeouts, 400 or 413.",
        lambda watched: _share(
            watched.own("Failed"),
            watched.own("Posted"),
            expression="(part + whole)",
            at_least=100,
        ),
        threshold=5,
        because="Each was tried several times before; those who left are not counted here.",
        minutes=5,
        periods=2,
    ),
    "HandshakesRefused": Alarm(
        "Most of those who connect are refused.",
        lambda watched: _share(
            watched.own("HandshakesRefused"),
            watched.of_websocket("ConnectCount"),
            expression="whole",
            at_least=100,
        ),
        threshold=60,
        because="Old tokens are refused every day, and a few broken apps are few among a hundred.",
        minutes=5,
        periods=3,
    ),
    "IteratorAge": Alarm(
        "`connected` is late: `greet` does not keep up with the connections table's stream.",
        lambda watched: watched.functions["greet"].metric("IteratorAge", statistic="Maximum"),
        threshold=15_000,
        because="Records are dropped after 60 s, and one batch may take 13 s when it is throttled.",
        periods=3,
    ),
    "FunctionErrors": Alarm(
        "A function dies, runs out of time or of memory, again and again.",
        lambda watched: watched.by_function("Errors"),
        threshold=3,
        because="One is tried again by its caller, and `greet` ends so to be given a batch anew.",
        minutes=5,
        periods=2,
        of_periods=3,
    ),
    "FunctionThrottles": Alarm(
        "Lambda refuses to start a function: the account's concurrency is used up.",
        lambda watched: watched.by_function("Throttles"),
        threshold=5,
        because="A request so refused is answered 5xx or closes a handshake.",
        minutes=5,
    ),
    "SweepStopped": Alarm(
        "The sweep has not run for five minutes.",
        lambda watched: watched.functions["sweep"].metric("Invocations", statistic="Sum"),
        threshold=1,
        because="It runs every minute, and repairs what else is lost until somebody looks.",
        minutes=5,
        is_least=True,
        missing=MISSING_IS_BAD,
    ),
    "HttpErrors": Alarm(
        "The HTTP API answers 5xx.",
        lambda watched: watched.of_http("5xx"),
        threshold=5,
        because="`busy` (503) comes singly, when many publish at the same moment.",
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
        because="A function that was throttled or died once is called again by the next client.",
        minutes=5,
    ),
    "TableThrottles": Alarm(
        "DynamoDB throttles a table.",
        lambda watched: watched.throttles_by_table(),
        threshold=100,
        because="Single ones are tried again within a second, while a table on demand grows.",
        minutes=5,
        periods=2,
        of_periods=3,
    ),
}
