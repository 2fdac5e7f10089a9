"""The dashboard's graphs, by row, with their lines."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.cdk.watched import Watched
from vitrina.channels import CHANNELS
from vitrina.metrics import CONNECTIONS


def add(
    scope: Construct, watched: Watched, alarms: Sequence[cloudwatch.Alarm], refused: str
) -> None:
    """Add the dashboard, named after the stack; `refused` is the log query that counts refusals."""
    dashboard = cloudwatch.Dashboard(
        scope,
        "Dashboard",
        dashboard_name=watched.stack_name,
        default_interval=cdk.Duration.hours(3),
    )
    dashboard.add_widgets(
        cloudwatch.AlarmStatusWidget(title="Alarms", alarms=[*alarms], width=24, height=6)
    )
    for row in _graphs(watched):
        width = 24 // len(row)
        dashboard.add_widgets(*(_graph(*graph, width) for graph in row.items()))
    dashboard.add_widgets(
        cloudwatch.LogQueryWidget(
            title="Refusals by code",
            log_group_names=[group.log_group_name for group in watched.functions.log_groups],
            query_string=refused,
            width=24,
        )
    )


def _graph(
    title: str, metrics: Mapping[str, cloudwatch.IMetric], width: int
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=[_named(metric, label) for label, metric in metrics.items()],
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        width=width,
    )


def _system_errors(table_name: str) -> cloudwatch.IMetric:
    """Return the sum of DynamoDB's own faults, which it counts per operation."""
    where = f'{{AWS/DynamoDB,Operation,TableName}} MetricName="SystemErrors" "{table_name}"'
    return cloudwatch.MathExpression(expression=f"SUM(SEARCH('{where}', 'Sum', 60))")


def _named(metric: cloudwatch.IMetric, label: str) -> cloudwatch.IMetric:
    assert isinstance(metric, cloudwatch.Metric | cloudwatch.MathExpression)  # noqa: S101
    return metric.with_(label=label, period=cdk.Duration.minutes(1))


Graphs = dict[str, Mapping[str, cloudwatch.IMetric]]


def _graphs(watched: Watched) -> list[Graphs]:
    """Return the dashboard's rows: graphs by title, their lines by label."""
    own, websocket, http = watched.own, watched.of_websocket, watched.of_http
    queues = watched.fanout_queue
    greet = watched.functions["greet"]
    return [
        {
            "Connections": {kind: own(name, "Maximum") for kind, name in CONNECTIONS.items()},
            "Handshakes, messages and recoveries": {
                "handshakes": websocket("ConnectCount"),
                "refused": own("HandshakesRefused"),
                "messages": websocket("MessageCount"),
                "recovered": own("Recovered"),
                "not recovered": own("NotRecovered"),
            },
            "Events committed": {name: own(name) for name in CHANNELS},
        },
        {
            "Commit to last post of a slice, ms": {
                statistic: own("CommitToLastPost", statistic)
                for statistic in ("p50", "p99", "Maximum")
            },
            "Posts": {name: own(name) for name in ("Posted", "Gone", "Failed")},
            "Responses 429 and 403": {
                "throttled": own("Throttled"),
                "probes": own("Probes"),
                "probes throttled": own("ProbesThrottled"),
                "refused": own("Refused"),
            },
        },
        {
            "Fan-out queues, s and messages": {
                "age of the oldest message": queues.queue.metric_approximate_age_of_oldest_message(
                    statistic="Maximum"
                ),
                "waiting": queues.queue.metric_approximate_number_of_messages_visible(),
                "in progress": queues.queue.metric_approximate_number_of_messages_not_visible(),
                "retries waiting": queues.retries.metric_approximate_number_of_messages_visible(),
            },
            "Unfinished work": {
                "dead letters": queues.dead_letters.metric_approximate_number_of_messages_visible(),
                "failed greetings": (
                    watched.functions.greet_failures.metric_approximate_number_of_messages_visible()
                ),
                "left to the sweep": own("LeftBehind"),
                "rounds and tasks with expired events": own("ExpiredTasks"),
                "closed as too slow": own("SlowReaders"),
            },
            "Pushes": {name: own(name) for name in ("Pushed", "PushesFailed")},
            "Age of the connections stream, ms": {
                "greet": greet.metric("IteratorAge", statistic="Maximum")
            },
        },
        {
            "Errors by function": watched.by_function("Errors"),
            "Throttles by function": watched.by_function("Throttles"),
            "Duration by function, p99, ms": watched.by_function("Duration", "p99"),
            "Concurrency by function": watched.by_function("ConcurrentExecutions", "Maximum"),
        },
        {
            "HTTP requests": {name: http(name) for name in ("Count", "4xx", "5xx")},
            "HTTP latency, ms": {
                statistic: http("Latency", statistic) for statistic in ("p50", "p99")
            },
            "Logins": {
                "refused": own("LoginsRefused"),
                "for an address under attack": own("LoginsUnderAttack"),
            },
            "WebSocket errors": {
                name: websocket(name)
                for name in ("ClientError", "IntegrationError", "ExecutionError")
            },
        },
        {
            "Throttles by table": watched.throttles_by_table(),
            "System errors by table": {
                name: _system_errors(table.table_name)
                for name, table in watched.storage.tables.items()
            },
        },
    ]
