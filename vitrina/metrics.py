"""Metrics: log lines in CloudWatch's embedded metric format."""

from functools import cache

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from vitrina import config
from vitrina.channels import CHANNELS, ClientType

NAMESPACE = "Vitrina"
# The only dimension, with one value for all functions. A dimension per function would make
# percentiles over all functions impossible, and multiply the price by their number.
DIMENSION = "service"

CONNECTIONS = {client_type: f"{client_type.title()}Connections" for client_type in ClientType}
"""Names of the numbers of open connections, by type, as the sweep counts them once a minute."""

UNITS = {
    **dict.fromkeys(CONNECTIONS.values(), MetricUnit.Count),
    # Committed events, by name; published again, they do not count again.
    **dict.fromkeys(CHANNELS, MetricUnit.Count),
    # Events that the sweep published, after a crash or a failure.
    "LeftBehind": MetricUnit.Count,
    # Passes of a round of which some events had expired, and tasks of the retry queue of which all
    # had.
    "ExpiredTasks": MetricUnit.Count,
    # From the commit of the oldest event to the last answer; once for the small partitions of a
    # publication, and once for each slice of a round and each further try that reached a
    # connection. The maximum is the slowest delivery.
    "CommitToLastPost": MetricUnit.Milliseconds,
    # Connections: reached, unknown to the management API (410), and not reached at any attempt of
    # a slice or task.
    "Posted": MetricUnit.Count,
    "Gone": MetricUnit.Count,
    "Failed": MetricUnit.Count,
    # Answers: each 429, also of posts that succeeded later, and each 403.
    "Throttled": MetricUnit.Count,
    "Refused": MetricUnit.Count,
    # Requests about connections, which send nothing to clients, and how many of them were answered
    # 429: only the account's throttle answers so.
    "Probes": MetricUnit.Count,
    "ProbesThrottled": MetricUnit.Count,
    # Connections that are closed because they took no post.
    "SlowReaders": MetricUnit.Count,
    # Where push is on: devices that SNS has taken a push for, and that it has not, at the last of
    # botocore's attempts.
    "Pushed": MetricUnit.Count,
    "PushesFailed": MetricUnit.Count,
    "HandshakesRefused": MetricUnit.Count,
    # Wrong passwords and logins beyond the limits; of these, those for an address under attack.
    "LoginsRefused": MetricUnit.Count,
    "LoginsUnderAttack": MetricUnit.Count,
    # `resume` answered with `recovered: true`, and with false.
    "Recovered": MetricUnit.Count,
    "NotRecovered": MetricUnit.Count,
}


def emit(**values: float) -> None:
    """Write values, by their names in `UNITS`, as one log line.

    Counts of zero are left out: each line costs money, and each hour in which a metric has a value.
    The numbers of open connections are gauges, and are always written.
    """
    nonzero = {name: each for name, each in values.items() if each or name in CONNECTIONS.values()}
    for name, value in nonzero.items():
        _metrics().add_metric(name, UNITS[name], value)
    if nonzero:
        _metrics().flush_metrics()


def forget() -> None:
    """Read the name of the deployment again at the next use."""
    _metrics.cache_clear()


@cache
def _metrics() -> Metrics:
    return Metrics(namespace=NAMESPACE, service=config.current().stack_name)
