"""The Lambda functions of the table in `functions.py`, with their roles, stream and schedule."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cdk import grants, log_groups
from infra.cdk.functions import Function
from infra.cdk.stages import Stage
from infra.cdk.storage import Storage
from infra.cdk.table_access import statements
from infra.tables import TABLES
from vitrina.config import Config

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURES = {
    "arm64": lambda_.Architecture.ARM_64,
    "x86_64": lambda_.Architecture.X86_64,
}


class Lambdas(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        artifact: Path,
        stage: Stage,
        config: Config,
        storage: Storage,
        connection_arns: Mapping[str, str],
        in_cloud: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self.log_groups: list[logs.LogGroup] = []
        deployed = stage.functions()
        self.roles = {name: self._role(name) for name in deployed}
        self._public_keys = self._public_keys_layer(artifact) if stage.token_jwks_url else None
        code = lambda_.Code.from_asset(str(artifact))
        self._functions = {
            name: self._function(name, needs, code, config) for name, needs in deployed.items()
        }
        for name, needs in deployed.items():
            self._grant(self.roles[name], needs, storage, connection_arns)
        self.greet_failures = sqs.Queue(
            self, "GreetFailures", retention_period=cdk.Duration.days(14), enforce_ssl=in_cloud
        )
        reason = "This queue is itself a dead-letter queue."
        grants.acknowledge(self.greet_failures, {"SQS3": reason})
        self._greet_new_connections(storage)
        self._sweep_every_minute()

    def __getitem__(self, name: str) -> lambda_.IFunction:
        """Return the function to invoke, or the alias of its published version with a snapshot."""
        return self._functions[name]

    def __contains__(self, name: str) -> bool:
        """Return whether a function is deployed."""
        return name in self._functions

    def _function(
        self, name: str, needs: Function, code: lambda_.Code, config: Config
    ) -> lambda_.IFunction:
        log_group = log_groups.log_group(self, f"{name.capitalize()}Logs", self._stage)
        log_group.grant_write(self.roles[name])
        self.log_groups.append(log_group)
        is_traced = self._stage.tracing and needs.is_traced
        function = lambda_.Function(
            self,
            name.capitalize(),
            code=code,
            handler=f"functions.{name}.handler.handler",
            runtime=RUNTIME,
            architecture=ARCHITECTURES[self._stage.architecture],
            memory_size=needs.memory_mb,
            timeout=cdk.Duration.seconds(needs.timeout_seconds),
            reserved_concurrent_executions=self._stage.reserved(name),
            environment={"POWERTOOLS_SERVICE_NAME": name, **config.to_environment()},
            log_group=log_group,
            # Lambda itself records traces; the functions import no library for it.
            tracing=lambda_.Tracing.ACTIVE if is_traced else lambda_.Tracing.DISABLED,
            **self._logging(),
            role=self.roles[name],
            layers=[self._public_keys] if self._public_keys and needs.has_key else None,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS
            if self._starts_from_snapshot(needs)
            else None,
        )
        reason = "The artifact's wheels and bytecode are built for this runtime."
        grants.acknowledge(function, {"L1": reason})
        cdk.Validations.of(function).acknowledge(
            cdk.Acknowledgment(
                id="Annotation::@aws-cdk/aws-lambda:snapStartRequirePublish",
                reason="An alias of the published version is invoked.",
            ),
        )
        if is_traced:
            grants.acknowledge_wildcard(self.roles[name], "*", "X-Ray has no resources to name.")
        if not self._starts_from_snapshot(needs):
            return function
        version = function.current_version
        return lambda_.Alias(self, f"{name.capitalize()}Live", alias_name="live", version=version)

    def _logging(self) -> dict[str, Any]:
        """Return the properties that leave out Lambda's own lines, of which warnings stay.

        The application's level is not set: metrics are lines without a level.
        """
        if self._stage.report_lines:
            return {}
        return {
            "logging_format": lambda_.LoggingFormat.JSON,
            "system_log_level_v2": lambda_.SystemLogLevel.WARN,
        }

    def _starts_from_snapshot(self, needs: Function) -> bool:
        return self._stage.snap_start and needs.snap_start

    def _public_keys_layer(self, artifact: Path) -> lambda_.LayerVersion:
        """Return the layer for other issuers' tokens; its archive is next to the artifact."""
        archive = artifact.with_name(f"{artifact.stem}-jwks.zip")
        return lambda_.LayerVersion(
            self,
            "PublicKeys",
            code=lambda_.Code.from_asset(str(archive)),
            compatible_architectures=[ARCHITECTURES[self._stage.architecture]],
            compatible_runtimes=[RUNTIME],
        )

    def _role(self, name: str) -> iam.Role:
        """Return a function's own role, without permissions yet.

        AWS's managed policy for Lambda would allow it to write to every log group.
        """
        return iam.Role(
            self,
            f"{name.capitalize()}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )

    def _grant(
        self,
        role: iam.Role,
        needs: Function,
        storage: Storage,
        connection_arns: Mapping[str, str],
    ) -> None:
        for place, actions, keys, attribute in statements(needs.tables):
            attributes = [key.name for key in TABLES[place].keys] + [attribute] if attribute else []
            arn = storage.arn_of(place)
            grants.allow_rows(role, arn, actions, keys=keys, attributes=attributes)
        if needs.has_door and storage.edge_secret_arn:
            grants.allow(role, storage.edge_secret_arn, "secretsmanager:GetSecretValue")
        if needs.has_key and not self._stage.token_jwks_url:
            grants.allow(role, storage.signing_key_arn, "secretsmanager:GetSecretValue")
        methods = {"POST": needs.posts, "DELETE": needs.closes, "GET": needs.probes}
        for method, is_needed in methods.items():
            if is_needed:
                grants.allow(
                    role,
                    connection_arns[method],
                    "execute-api:ManageConnections",
                    wildcard_because="The ids of connections are not known in advance.",
                )

    def _greet_new_connections(self, storage: Storage) -> None:
        """Feed inserted connection rows to `greet`; after a minute a greeting is of little use."""
        window = self._stage.greeting_window_seconds
        self["greet"].add_event_source(
            sources.DynamoEventSource(
                storage.connections,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=100,
                max_batching_window=cdk.Duration.seconds(window) if window else None,
                parallelization_factor=4,
                retry_attempts=2,
                max_record_age=cdk.Duration.minutes(1),
                bisect_batch_on_error=True,
                on_failure=sources.SqsDlq(self.greet_failures),
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

        # ListStreams has no resources to name (AWS's service authorization reference).
        grants.allow(
            self.roles["greet"],
            "*",
            "dynamodb:ListStreams",
            wildcard_because="ListStreams accepts no resource.",
        )

    def _sweep_every_minute(self) -> None:
        events.Rule(
            self,
            "EveryMinute",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            targets=[targets.LambdaFunction(self["sweep"], retry_attempts=0)],
        )
