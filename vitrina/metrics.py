"""What the service measures of itself: lines of the log that CloudWatch makes metrics of."""

from functools import cache

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from vitrina import settings
from vitrina.channels import CHANNELS, ClientType

NAMESPACE = "Vitrina"
# The only dimension, and the same for all functions: a percentile of all of them cannot be had from
# one for each, and every name would be paid for as often as there are functions.
DIMENSION = "service"

CONNECTIONS = {client_type: f"{client_type.title()}Connections" for client_type in ClientType}
"""The name of how many are open, by type: what the sweep has read, once a minute."""

UNITS = {
    **dict.fromkeys(CONNECTIONS.values(), MetricUnit.Count),
    # Events committed, by name, however often they are published.
    **dict.fromkeys(CHANNELS, MetricUnit.Count),
    # Published again by the sweep, since whoever committed them has died or failed.
    "LeftBehind": MetricUnit.Count,
    # Tasks of the queue whose events were no longer in the history.
    "ExpiredTasks": MetricUnit.Count,
    # Of the first pages together, of each further page, and of each further attempt at some, if
    # anyone was reached: from the commit of the oldest event to the last answer. How long a whole
    # publication takes is the longest of these.
    "CommitToLastPost": MetricUnit.Milliseconds,
    # Connections: to whom everything was sent, whom the management API did not know, and who could
    # not be reached at any attempt.
    "Posted": MetricUnit.Count,
    "Gone": MetricUnit.Count,
    "Failed": MetricUnit.Count,
    # Answers: each 429, whatever became of the post in the end, and each 403.
    "Throttled": MetricUnit.Count,
    "Refused": MetricUnit.Count,
    "HandshakesRefused": MetricUnit.Count,
    # `resume` answered with `recovered: true`, and with false.
    "Recovered": MetricUnit.Count,
    "NotRecovered": MetricUnit.Count,
}


def emit(**values: float) -> None:
    """Write values down by their names in `UNITS`, all in one line."""
    for name, value in values.items():
        _metrics().add_metric(name, UNITS[name], value)
    _metrics().flush_metrics()


@cache
def _metrics() -> Metrics:
    return Metrics(namespace=NAMESPACE, service=settings.current().stack_name)
