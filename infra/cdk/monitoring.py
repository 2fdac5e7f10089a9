"""The alarms' topic, the alarms, the dashboard and the saved log queries."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.cdk import dashboard
from infra.cdk.alarms import ALARMS, Alarm
from infra.cdk.watched import Watched

RUNBOOK = "docs/runbook.md"

# Saved under the stack's name, for the logs of all functions; docs/runbook.md shows them too.
QUERIES = {
    "event": """fields @timestamp, service, message, delivered, gone, again, unsent, @message
| filter @message like "EVENT_ID"
| sort @timestamp asc""",
    "position": r"""fields @timestamp, service, message, delivered, gone, again, unsent, @message
| parse @message /"CHANNEL\/(?<firstSeq>[0-9]+)-(?<lastSeq>[0-9]+)"/
| filter firstSeq <= NUMBER and lastSeq >= NUMBER
| sort @timestamp asc""",
    "connection": """fields @timestamp, service, message, code, @message
| filter @message like "CONNECTION_ID"
| sort @timestamp asc""",
    "request": """fields @timestamp, service, message, code, @message
| filter api_request_id = "REQUEST_ID" or function_request_id = "REQUEST_ID"
| sort @timestamp asc""",
    "errors": """fields @timestamp, service, message, exception_name, function_request_id
| filter level in ["ERROR", "CRITICAL"] or log_level = "ERROR"
  or @message like /Task timed out|Runtime exited|"status": ?"(error|failure|timeout)"/
| sort @timestamp desc
| limit 100""",
    "trail": """fields @timestamp, actor, source, method, route, status, code, @message
| filter message = "audit" and @message like "WHO_OR_WHERE"
| sort @timestamp desc""",
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
        watched: Watched,
        alarm_email: str,
        in_cloud: bool,
    ) -> None:
        """`in_cloud`: the local cloud supports no TLS, no metric math in alarms, and no queries."""
        super().__init__(scope, construct_id)
        self._name = watched.stack_name
        self._in_cloud = in_cloud
        self._watched = watched
        self.topic = self._topic(alarm_email)
        alarms = [alarm for name, watch in ALARMS.items() for alarm in self._alarms(name, watch)]
        dashboard.add(self, self._watched, alarms, QUERIES["refused"])
        if in_cloud:
            self._save_queries()

    def _topic(self, email: str) -> sns.Topic:
        """Return the topic for alarms, open to this stack's alarms only, and over TLS only.

        It is not encrypted at rest: see docs/decisions/0016-policy-of-the-alarm-topic.md.
        """
        topic = sns.Topic(
            self, "Alarms", topic_name=f"{self._name}-alarms", enforce_ssl=self._in_cloud
        )
        stack = cdk.Stack.of(self)
        # This policy replaces the default one, which allows the account's alarms.
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
        notify = actions.SnsAction(self.topic)
        alarm.add_alarm_action(notify)
        alarm.add_ok_action(notify)
        return alarm

    def _save_queries(self) -> None:
        for name, query in QUERIES.items():
            logs.CfnQueryDefinition(
                self,
                f"{name.title()}Query",
                name=f"{self._name}/{name}",
                query_string=query,
                log_group_names=[
                    group.log_group_name for group in self._watched.functions.log_groups
                ],
            )
