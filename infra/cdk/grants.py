"""What a role is allowed, and the reasons for what cdk-nag would refuse."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def allow(role: iam.IRole, arn: str, *actions: str, wildcard_because: str = "") -> None:
    """Allow a role actions on one resource; an ARN with a wildcard needs a reason."""
    role.add_to_principal_policy(iam.PolicyStatement(actions=[*actions], resources=[arn]))
    if wildcard_because:
        acknowledge_wildcard(role, arn, wildcard_because)


def allow_rows(
    role: iam.IRole,
    arn: str,
    actions: Sequence[str],
    *,
    keys: Sequence[str] = (),
    attributes: Sequence[str] = (),
) -> None:
    """Allow a role actions of DynamoDB on the rows whose partition key has one of these patterns.

    Without patterns, on all rows. With attributes, of which the table's key must be one, a request
    may name no others.
    """
    conditions = {
        operator: {key: [*values]}
        for operator, key, values in (
            ("ForAllValues:StringLike", "dynamodb:LeadingKeys", keys),
            ("ForAllValues:StringEquals", "dynamodb:Attributes", attributes),
        )
        if values
    }
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=[f"dynamodb:{action}" for action in actions],
            resources=[arn],
            conditions=conditions or None,
        )
    )


def acknowledge_wildcard(role: iam.IRole, arn: str, reason: str) -> None:
    """Record for cdk-nag why a role needs a `*` in an ARN."""
    resource = _spelled(cdk.Stack.of(role).resolve(arn))
    acknowledge(role, {f"IAM5[Resource::{resource}]": reason})


def acknowledge(scope: IConstruct, reasons: Mapping[str, str]) -> None:
    """Record why a construct may violate rules of cdk-nag, such as `APIG4`."""
    for rule, reason in reasons.items():
        finding = f"AwsSolutions::AwsSolutions-{rule}"
        cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


def _spelled(resolved: Any) -> str:
    """Spell an ARN as cdk-nag does: `arn:<AWS::Partition>:execute-api:…`."""
    match resolved:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_spelled, parts))
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case _:
            return str(resolved)
