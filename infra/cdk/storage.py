"""Tables, the signing key and the edge's secret."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cdk import grants
from infra.cdk.stages import Stage
from infra.tables import TABLES, Index, Key, Table

TYPES = {"S": dynamodb.AttributeType.STRING, "N": dynamodb.AttributeType.NUMBER}

REMOVAL_POLICIES = {
    "destroy": cdk.RemovalPolicy.DESTROY,
    # A first deployment that fails removes what it created; a second one could not create it again.
    "retain": cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
}


class Storage(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self._removal = REMOVAL_POLICIES[stage.removal_policy]
        self.tables = {name: self._table(name, table) for name, table in TABLES.items()}
        self.connections = self.tables["connections"]
        key = self._secret("SigningKey", "HS256 key of Vitrina's tokens")
        self.signing_key_arn = _arn(key)
        self.edge_secret: secretsmanager.Secret | None = None
        self.edge_secret_arn = ""
        # CloudFront sends the value of `edge_value`, so the other can be replaced.
        if stage.edge == "on":
            self.edge_secret = self._secret(
                "EdgeSecret",
                "What the edge sends to Vitrina's APIs",
                generate_string_key="first",
                secret_string_template='{"second": ""}',  # noqa: S106 - empty
            )
            self.edge_secret_arn = _arn(self.edge_secret)

    def arn_of(self, place: str) -> str:
        """Return the ARN of a table (`history`) or of an index (`history/outbox`)."""
        table, _, index = place.partition("/")
        arn = self.tables[table].table_arn
        return f"{arn}/index/{index}" if index else arn

    def _secret(self, construct_id: str, description: str, **more: Any) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            construct_id,
            description=description,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True, **more
            ),
            removal_policy=self._removal,
        )
        reason = "One command replaces it, and nobody is logged out."
        grants.acknowledge(secret, {"SMG4": reason})
        return secret

    def _table(self, name: str, table: Table) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            name.title(),
            **_key_schema(table.keys),
            global_secondary_indexes=[_index(index) for index in table.indexes],
            time_to_live_attribute="expires_at" if table.expires else None,
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if table.has_stream else None,
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True,
                recovery_period_in_days=self._stage.backup_days,
            ),
            deletion_protection=self._stage.deletion_protection,
            removal_policy=self._removal,
        )


def _arn(secret: secretsmanager.Secret) -> str:
    """Return a secret's ARN, which is its attribute `Id` on AWS and in the local cloud.

    `Ref`, which the CDK uses, is only a name in the local cloud, and a policy needs an ARN.
    """
    resource = secret.node.default_child
    assert isinstance(resource, cdk.CfnResource)  # noqa: S101
    return cdk.Token.as_string(resource.get_att("Id"))


def _index(index: Index) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=index.name,
        **_key_schema(index.keys),
        projection_type=None if index.projects_all else dynamodb.ProjectionType.KEYS_ONLY,
    )


def _key_schema(keys: Sequence[Key]) -> Any:
    attributes = [dynamodb.Attribute(name=key.name, type=TYPES[key.type]) for key in keys]
    return dict(zip(("partition_key", "sort_key"), attributes, strict=False))
