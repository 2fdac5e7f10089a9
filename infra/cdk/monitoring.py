"""What is watched: the alarms, where they tell of it, the dashboard and the saved log queries.

What to do about an alarm is in docs/runbook.md, in the section of its name.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.cdk.apis import HttpApi, WebSocketApi
from infra.cdk.fanout import FanoutQueue
from infra.cdk.functions import FUNCTIONS, Functions
from infra.cdk.storage import Storage
from vitrina.channels import CHANNELS
from vitrina.history import OUTBOX_INDEX
from vitrina.metrics import CONNECTIONS, DIMENSION, NAMESPACE
from vitrina.products import SHOP_INDEX, STATUS_INDEX

RUNBOOK = "docs/runbook.md"
INDEXES = {"history": (OUTBOX_INDEX,), "products": (STATUS_INDEX, SHOP_INDEX)}
MISSING_IS_GOOD = cloudwatch.TreatMissingData.NOT_BREACHING
MISSING_IS_BAD = cloudwatch.TreatMissingData.BREACHING


class Watched(NamedTuple):
    """Everything that metrics are of."""

    stack_name: str
    storage: Storage
    fanout_queue: FanoutQueue
    functions: Functions
    websocket: WebSocketApi
    http: HttpApi

    def own(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return one of the service's own, by its name in `vitrina/metrics.py`."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={DIMENSION: self.stack_name},
            statistic=statistic,
        )

    def of_websocket(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        return _of_api(self.websocket.api_id, name, statistic)

    def of_http(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        return _of_api(self.http.api_id, name, statistic)

    def by_function(self, name: str, statistic: str = "Sum") -> dict[str, cloudwatch.IMetric]:
        return {
            function: self.functions[function].metric(name, statistic=statistic)
            for function in FUNCTIONS
        }

    def throttles_by_table(self) -> dict[str, cloudwatch.IMetric]:
        return {
            name: _sum(_throttles(name, table.table_name))
            for name, table in self.storage.tables.items()
        }


def _throttles(name: str, table_name: str) -> dict[str, cloudwatch.IMetric]:
    """Return what was refused of a table, and of its indexes, which hold up the table's writes."""
    of_table = {"TableName": table_name}
    refused = {
        f"{name}_reads": ("ReadThrottleEvents", of_table),
        f"{name}_writes": ("WriteThrottleEvents", of_table),
    }
    for index in INDEXES.get(name, ()):
        of_index = {**of_table, "GlobalSecondaryIndexName": index}
        refused[f"{name}_{index}"] = ("WriteThrottleEvents", of_index)
    return {
        found: cloudwatch.Metric(
            namespace="AWS/DynamoDB", metric_name=metric, dimensions_map=of, statistic="Sum"
        )
        for found, (metric, of) in refused.items()
    }


def _sum(metrics: Mapping[str, cloudwatch.IMetric]) -> cloudwatch.IMetric:
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in metrics), using_metrics=metrics
    )


def _of_api(api_id: str, name: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/ApiGateway",
        metric_name=name,
        dimensions_map={"ApiId": api_id},
        statistic=statistic,
    )


def _share(
    part: cloudwatch.IMetric, whole: cloudwatch.IMetric, *, at_least: int, expression: str
) -> cloudwatch.IMetric:
    """Return a percentage, and 0 when the whole is too little to tell anything by it."""
    return cloudwatch.MathExpression(
        expression=f"IF({expression} >= {at_least}, 100 * FILL(part, 0) / ({expression}), 0)",
        using_metrics={"part": part, "whole": whole},
    )


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

# Saved under the stack's name, with all functions' logs; docs/runbook.md has them too.
QUERIES = {
    "event": """fields @timestamp, service, message, delivered, gone, again, unsent, @message
| filter @message like "EVENT_ID"
| sort @timestamp asc""",
    "connection": """fields @timestamp, service, message, code, @message
| filter @message like "CONNECTION_ID"
| sort @timestamp asc""",
    "request": """fields @timestamp, service, message, code, @message
| filter api_request_id = "REQUEST_ID" or function_request_id = "REQUEST_ID"
| sort @timestamp asc""",
    "errors": """fields @timestamp, service, message, exception_name, function_request_id
| filter level in ["ERROR", "CRITICAL"] or @message like /Task timed out|Runtime exited/
| sort @timestamp desc
| limit 100""",
    "refused": """filter message = "refused"
| stats count(*) as refusals by service, code
| sort refusals desc""",
}


class Monitoring(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarm_email: str,
        storage: Storage,
        fanout_queue: FanoutQueue,
        functions: Functions,
        websocket: WebSocketApi,
        http: HttpApi,
        in_cloud: bool,
    ) -> None:
        """`in_cloud`: the local cloud knows neither TLS, nor metric math in alarms, nor queries."""
        super().__init__(scope, construct_id)
        self._name = cdk.Stack.of(self).stack_name
        self._in_cloud = in_cloud
        self._watched = Watched(self._name, storage, fanout_queue, functions, websocket, http)
        self.topic = self._topic(alarm_email)
        alarms = [alarm for name, watch in ALARMS.items() for alarm in self._alarms(name, watch)]
        self._dashboard(alarms)
        if in_cloud:
            self._save_queries()

    def _topic(self, email: str) -> sns.Topic:
        """Return where alarms go: over TLS only, and from this stack's alarms only.

        It is not encrypted at rest: see docs/decisions/0016-alarms-are-let-in-by-name.md.
        """
        topic = sns.Topic(
            self, "Alarms", topic_name=f"{self._name}-alarms", enforce_ssl=self._in_cloud
        )
        stack = cdk.Stack.of(self)
        # A policy of its own takes the place of the one that lets the account's alarms in.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {
                        "aws:SourceArn": stack.format_arn(
                            service="cloudwatch",
                            resource="alarm",
                            resource_name=f"{self._name}-*",
                            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                        )
                    },
                },
            )
        )
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic

    def _alarms(self, name: str, watch: Alarm) -> list[cloudwatch.Alarm]:
        of = watch.of(self._watched)
        several = of if isinstance(of, Mapping) else {"": of}
        return [
            self._alarm(f"{name}-{what}" if what else name, watch, metric, section=name.lower())
            for what, metric in several.items()
            if self._in_cloud or isinstance(metric, cloudwatch.Metric)
        ]

    def _alarm(
        self, name: str, watch: Alarm, metric: cloudwatch.IMetric, *, section: str
    ) -> cloudwatch.Alarm:
        operators = cloudwatch.ComparisonOperator
        period = cdk.Duration.minutes(watch.minutes)
        assert isinstance(metric, cloudwatch.Metric | cloudwatch.MathExpression)  # noqa: S101
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._name}-{name}",
            alarm_description=f"{watch.says} {watch.because} See {RUNBOOK}#{section}",
            metric=metric.with_(period=period),
            threshold=watch.threshold,
            comparison_operator=operators.LESS_THAN_THRESHOLD
            if watch.is_least
            else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=watch.of_periods or watch.periods,
            datapoints_to_alarm=watch.periods,
            treat_missing_data=watch.missing,
        )
        tell = actions.SnsAction(self.topic)
        alarm.add_alarm_action(tell)
        alarm.add_ok_action(tell)
        return alarm

    def _dashboard(self, alarms: list[cloudwatch.Alarm]) -> None:
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=self._name, default_interval=cdk.Duration.hours(3)
        )
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24, height=6)
        )
        for row in _graphs(self._watched):
            width = 24 // len(row)
            dashboard.add_widgets(
                *(
                    cloudwatch.GraphWidget(
                        title=title,
                        left=[_named(metric, label) for label, metric in metrics.items()],
                        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
                        width=width,
                    )
                    for title, metrics in row.items()
                )
            )
        dashboard.add_widgets(
            cloudwatch.LogQueryWidget(
                title="Refused, by code",
                log_group_names=[group.log_group_name for group in self._log_groups],
                query_string=QUERIES["refused"],
                width=24,
            )
        )

    def _save_queries(self) -> None:
        for name, query in QUERIES.items():
            logs.CfnQueryDefinition(
                self,
                f"{name.title()}Query",
                name=f"{self._name}/{name}",
                query_string=query,
                log_group_names=[group.log_group_name for group in self._log_groups],
            )

    @property
    def _log_groups(self) -> list[logs.LogGroup]:
        return self._watched.functions.log_groups


def _system_errors(table_name: str) -> cloudwatch.IMetric:
    """Return DynamoDB's own faults, which it counts for each operation apart."""
    where = f'{{AWS/DynamoDB,Operation,TableName}} MetricName="SystemErrors" "{table_name}"'
    return cloudwatch.MathExpression(expression=f"SUM(SEARCH('{where}', 'Sum', 60))")


def _named(metric: cloudwatch.IMetric, label: str) -> cloudwatch.IMetric:
    assert isinstance(metric, cloudwatch.Metric | cloudwatch.MathExpression)  # noqa: S101
    return metric.with_(label=label, period=cdk.Duration.minutes(1))


Graphs = dict[str, Mapping[str, cloudwatch.IMetric]]


def _graphs(watched: Watched) -> list[Graphs]:
    """Return the dashboard's rows: graphs by their titles, each with its lines by their labels."""
    own, websocket, http = watched.own, watched.of_websocket, watched.of_http
    queue, dead_letters = watched.fanout_queue.queue, watched.fanout_queue.dead_letters
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
            "Commit to last post of a page, ms": {
                statistic: own("CommitToLastPost", statistic)
                for statistic in ("p50", "p99", "Maximum")
            },
            "Posts": {name: own(name) for name in ("Posted", "Gone", "Failed")},
            "Answers 429 and 403": {name: own(name) for name in ("Throttled", "Refused")},
        },
        {
            "Fan-out queue, s and messages": {
                "age of the oldest": queue.metric_approximate_age_of_oldest_message(
                    statistic="Maximum"
                ),
                "waiting": queue.metric_approximate_number_of_messages_visible(),
                "in work": queue.metric_approximate_number_of_messages_not_visible(),
            },
            "Left over": {
                "dead letters": dead_letters.metric_approximate_number_of_messages_visible(),
                "ungreeted": (
                    watched.functions.greet_failures.metric_approximate_number_of_messages_visible()
                ),
                "left to the sweep": own("LeftBehind"),
                "expired tasks": own("ExpiredTasks"),
            },
            "Age of the connections stream, ms": {
                "greet": greet.metric("IteratorAge", statistic="Maximum")
            },
        },
        {
            "Errors by function": watched.by_function("Errors"),
            "Throttles by function": watched.by_function("Throttles"),
            "Duration by function, p99, ms": watched.by_function("Duration", "p99"),
            "At once, by function": watched.by_function("ConcurrentExecutions", "Maximum"),
        },
        {
            "HTTP requests": {name: http(name) for name in ("Count", "4xx", "5xx")},
            "HTTP latency, ms": {
                statistic: http("Latency", statistic) for statistic in ("p50", "p99")
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
