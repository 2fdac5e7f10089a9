"""One Lambda for each folder under functions/, and what each is allowed."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cdk.stages import Stage
from infra.cdk.storage import Storage
from vitrina.settings import METRICS_NAMESPACE, Settings

READ_AND_PRUNE = ("Query", "GetItem", "DeleteItem")
# Who could not be told of the end gets nothing any more: its rows are written again.
CLOSE = (*READ_AND_PRUNE, "PutItem", "UpdateItem")
# Whoever reads a channel's position first begins the channel.
READ_POSITIONS = ("BatchGetItem", "PutItem")
PUBLISH = (*READ_POSITIONS, "UpdateItem")
# Whether the account of a token was disconnected.
REVOCATIONS = ("GetItem",)


class Function(NamedTuple):
    """What one function needs: DynamoDB actions by table, and the rest."""

    tables: Mapping[str, tuple[str, ...]] = {}
    has_key: bool = False
    posts: bool = False
    queues: bool = False
    memory_mb: int = 512
    timeout_seconds: int = 10


def _publisher(memory_mb: int = 512, **tables: tuple[str, ...]) -> Function:
    """Return what it takes to answer over HTTP, commit and publish.

    API Gateway waits 29 s; what publishes has a budget of 20 s, and time to end what it began.
    """
    return Function(
        {"platform": ("GetItem",), "history": PUBLISH, "connections": READ_AND_PRUNE, **tables},
        has_key=True,
        posts=True,
        queues=True,
        memory_mb=memory_mb,
        timeout_seconds=29,
    )


FUNCTIONS = {
    "connect": Function(
        {"connections": ("PutItem", "GetItem", "DeleteItem"), "platform": REVOCATIONS},
        has_key=True,
    ),
    "disconnect": Function({"connections": ("GetItem", "DeleteItem")}),
    "message": Function(
        {
            "connections": ("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            "history": (*READ_POSITIONS, "Query"),
            "platform": REVOCATIONS,
        },
        has_key=True,
        posts=True,
        timeout_seconds=29,
    ),
    "greet": Function(
        {"history": READ_POSITIONS, "connections": CLOSE}, posts=True, timeout_seconds=90
    ),
    # One whole vCPU, of which posting makes use.
    "approve": _publisher(products=("BatchGetItem", "PutItem"), memory_mb=1769),
    "reject": _publisher(products=("BatchGetItem", "PutItem")),
    "products": _publisher(
        products=("BatchGetItem", "PutItem", "Query"), platform=("GetItem", "UpdateItem")
    ),
    "settings": _publisher(platform=("GetItem", "PutItem")),
    "announce": _publisher(),
    "accounts": Function(
        {"platform": ("GetItem", "PutItem"), "connections": CLOSE},
        has_key=True,
        posts=True,
        timeout_seconds=29,
    ),
    "fanout": Function(
        {"history": ("BatchGetItem",), "connections": READ_AND_PRUNE},
        posts=True,
        queues=True,
        memory_mb=1769,
        timeout_seconds=30,
    ),
    "sweep": Function(
        {"history": ("Query", "BatchGetItem", "UpdateItem"), "connections": CLOSE},
        posts=True,
        queues=True,
        timeout_seconds=60,
    ),
    # argon2id wants 64 MiB and a processor to itself.
    "login": Function(
        {"accounts": ("GetItem",), "platform": ("GetItem", "PutItem", "DeleteItem")},
        has_key=True,
        memory_mb=1769,
    ),
    "stats": Function({"connections": ("Query",)}),
    "openapi": Function(),
}


class Functions(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        artifact: Path,
        stage: Stage,
        settings: Settings,
        storage: Storage,
        management_arns: list[str],
        in_cloud: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        code = lambda_.Code.from_asset(str(artifact))
        self._functions = {
            name: self._function(name, needs, code, settings) for name, needs in FUNCTIONS.items()
        }
        for name, needs in FUNCTIONS.items():
            self._grant(self[name], needs, storage, management_arns)
            if needs.posts:
                self._watch_refusals(name)
        self._greet_new_connections(storage, in_cloud=in_cloud)
        self._sweep_every_minute()

    def __getitem__(self, name: str) -> lambda_.Function:
        return self._functions[name]

    def _function(
        self, name: str, needs: Function, code: lambda_.Code, settings: Settings
    ) -> lambda_.Function:
        log_group = logs.LogGroup(
            self,
            f"{name.capitalize()}Logs",
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        resource = log_group.node.default_child
        assert isinstance(resource, logs.CfnLogGroup)  # noqa: S101
        resource.retention_in_days = self._stage.log_retention_days
        return lambda_.Function(
            self,
            name.capitalize(),
            code=code,
            handler=f"functions.{name}.handler.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=needs.memory_mb,
            timeout=cdk.Duration.seconds(needs.timeout_seconds),
            environment={"POWERTOOLS_SERVICE_NAME": name, **settings.to_environment()},
            log_group=log_group,
        )

    def _grant(
        self,
        function: lambda_.Function,
        needs: Function,
        storage: Storage,
        management_arns: list[str],
    ) -> None:
        tables = {
            "connections": storage.connections,
            "products": storage.products,
            "accounts": storage.accounts,
            "platform": storage.platform,
            "history": storage.history,
        }
        for table, actions in needs.tables.items():
            tables[table].grant(function, *(f"dynamodb:{action}" for action in actions))
        if needs.has_key:
            function.add_to_role_policy(
                iam.PolicyStatement(
                    actions=["secretsmanager:GetSecretValue"], resources=[storage.signing_key_arn]
                )
            )
        if needs.posts:
            function.add_to_role_policy(
                iam.PolicyStatement(
                    actions=["execute-api:ManageConnections"], resources=management_arns
                )
            )

    def _watch_refusals(self, name: str) -> None:
        """Alarm when the management API answers 403 to a function: nobody hears anything then."""
        cloudwatch.Alarm(
            self,
            f"{name.capitalize()}Refused",
            alarm_description=f"{name} may not post: a wrong endpoint, or a grant is missing.",
            metric=cloudwatch.Metric(
                namespace=METRICS_NAMESPACE,
                metric_name="Refused",
                dimensions_map={"service": name},
                statistic="Sum",
                period=cdk.Duration.minutes(1),
            ),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _greet_new_connections(self, storage: Storage, *, in_cloud: bool) -> None:
        """Feed inserted connection rows to `greet`; a greeting is worth little after a minute."""
        self["greet"].add_event_source(
            sources.DynamoEventSource(
                storage.connections,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=100,
                parallelization_factor=4,
                retry_attempts=2,
                max_record_age=cdk.Duration.minutes(1),
                bisect_batch_on_error=True,
                on_failure=sources.SqsDlq(self._failures_of_greet(in_cloud=in_cloud)),
                filters=[
                    lambda_.FilterCriteria.filter(
                        {
                            "eventName": lambda_.FilterRule.is_equal("INSERT"),
                            "dynamodb": {
                                "Keys": {
                                    "partition": {
                                        "S": lambda_.FilterRule.begins_with("connection#")
                                    }
                                }
                            },
                        }
                    )
                ],
            )
        )

    def _sweep_every_minute(self) -> None:
        events.Rule(
            self,
            "EveryMinute",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[targets.LambdaFunction(self["sweep"], retry_attempts=0)],
        )

    def _failures_of_greet(self, *, in_cloud: bool) -> sqs.Queue:
        return sqs.Queue(
            self, "GreetFailures", retention_period=cdk.Duration.days(14), enforce_ssl=in_cloud
        )
