"""One Lambda for each folder under functions/, and what each is allowed."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cdk.storage import Storage
from vitrina.settings import Settings

READ_AND_PRUNE = ("Query", "GetItem", "DeleteItem")


class Function(NamedTuple):
    """What one function needs: DynamoDB actions by table, and the rest."""

    tables: Mapping[str, tuple[str, ...]] = {}
    has_key: bool = False
    posts: bool = False
    memory_mb: int = 512
    timeout_seconds: int = 10


# API Gateway waits 29 s; what publishes has a budget of 20 s, and time to end what it began.
FUNCTIONS = {
    "connect": Function({"connections": ("PutItem",)}, has_key=True),
    "disconnect": Function({"connections": ("GetItem", "DeleteItem")}),
    "message": Function(),
    "greet": Function(posts=True, timeout_seconds=90),
    "approve": Function(
        {"products": ("GetItem", "PutItem"), "connections": READ_AND_PRUNE},
        has_key=True,
        posts=True,
        memory_mb=1769,  # one whole vCPU, of which posting makes use
        timeout_seconds=29,
    ),
    "products": Function(
        {
            "products": ("PutItem", "GetItem", "Query"),
            "platform": ("UpdateItem",),
            "connections": READ_AND_PRUNE,
        },
        has_key=True,
        posts=True,
        timeout_seconds=29,
    ),
    # argon2id wants 64 MiB and a processor to itself.
    "login": Function({"accounts": ("GetItem",)}, has_key=True, memory_mb=1769),
    "stats": Function({"connections": ("Query",)}),
}


class Functions(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        artifact: Path,
        settings: Settings,
        storage: Storage,
        management_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        code = lambda_.Code.from_asset(str(artifact))
        self._functions = {
            name: self._function(name, needs, code, settings) for name, needs in FUNCTIONS.items()
        }
        for name, needs in FUNCTIONS.items():
            self._grant(self[name], needs, storage, management_arn)
        self._greet_new_connections(storage)

    def __getitem__(self, name: str) -> lambda_.Function:
        return self._functions[name]

    def _function(
        self, name: str, needs: Function, code: lambda_.Code, settings: Settings
    ) -> lambda_.Function:
        log_group = logs.LogGroup(
            self,
            f"{name.capitalize()}Logs",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
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
        self, function: lambda_.Function, needs: Function, storage: Storage, management_arn: str
    ) -> None:
        tables = {
            "connections": storage.connections,
            "products": storage.products,
            "accounts": storage.accounts,
            "platform": storage.platform,
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
                    actions=["execute-api:ManageConnections"], resources=[management_arn]
                )
            )

    def _greet_new_connections(self, storage: Storage) -> None:
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
                on_failure=sources.SqsDlq(self._failures_of_greet()),
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

    def _failures_of_greet(self) -> sqs.Queue:
        return sqs.Queue(
            self, "GreetFailures", retention_period=cdk.Duration.days(14), enforce_ssl=True
        )
