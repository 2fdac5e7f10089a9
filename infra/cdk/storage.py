"""Tables and the signing key."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cdk.stages import Stage
from vitrina.history import OUTBOX_INDEX
from vitrina.products import SHOP_INDEX, STATUS_INDEX

STRING = dynamodb.AttributeType.STRING
NUMBER = dynamodb.AttributeType.NUMBER

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
        self.tables: dict[str, dynamodb.TableV2] = {}
        self.connections = self._table(
            "Connections",
            partition_key=dynamodb.Attribute(name="partition", type=STRING),
            sort_key=dynamodb.Attribute(name="member", type=STRING),
            time_to_live_attribute="expires_at",
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        )
        self.products = self._table(
            "Products",
            partition_key=dynamodb.Attribute(name="product_id", type=NUMBER),
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=index,
                    partition_key=dynamodb.Attribute(name=index, type=STRING),
                    sort_key=dynamodb.Attribute(name="status_changed_at", type=STRING),
                )
                for index in (STATUS_INDEX, SHOP_INDEX)
            ],
        )
        self.history = self._table(
            "History",
            partition_key=dynamodb.Attribute(name="channel", type=STRING),
            sort_key=dynamodb.Attribute(name="seq", type=NUMBER),
            time_to_live_attribute="expires_at",
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=OUTBOX_INDEX,
                    partition_key=dynamodb.Attribute(name="unsent", type=STRING),
                    sort_key=dynamodb.Attribute(name="created_at", type=NUMBER),
                    projection_type=dynamodb.ProjectionType.KEYS_ONLY,
                )
            ],
        )
        self.accounts = self._table(
            "Accounts", partition_key=dynamodb.Attribute(name="email", type=STRING)
        )
        self.platform = self._table(
            "Platform",
            partition_key=dynamodb.Attribute(name="name", type=STRING),
            time_to_live_attribute="expires_at",
        )
        secret = secretsmanager.Secret(
            self,
            "SigningKey",
            description="HS256 key of Vitrina's tokens",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
            removal_policy=self._removal,
        )
        cdk.Validations.of(secret).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-SMG4",
                reason="One command replaces it, and nobody is logged out.",
            )
        )
        # The attribute `Id` is the ARN on AWS and in the local cloud. `Ref`, which the CDK uses, is
        # only a name in the local cloud, and a policy needs an ARN.
        resource = secret.node.default_child
        assert isinstance(resource, cdk.CfnResource)  # noqa: S101
        self.signing_key_arn = cdk.Token.as_string(resource.get_att("Id"))

    def arn_of(self, place: str) -> str:
        """Return the ARN of a table (`history`) or of an index (`history/outbox`)."""
        table, _, index = place.partition("/")
        arn = self.tables[table].table_arn
        return f"{arn}/index/{index}" if index else arn

    def _table(self, table_id: str, **definition: object) -> dynamodb.TableV2:
        table = dynamodb.TableV2(
            self,
            table_id,
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True,
                recovery_period_in_days=self._stage.backup_days,
            ),
            deletion_protection=self._stage.deletion_protection,
            removal_policy=self._removal,
            **definition,  # type: ignore[arg-type]
        )
        self.tables[table_id.lower()] = table
        return table
