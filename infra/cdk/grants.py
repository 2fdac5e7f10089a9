"""What a role is allowed: these actions on this resource, and a reason for every wildcard."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam


def allow(role: iam.IRole, arn: str, *actions: str, wildcard_because: str = "") -> None:
    """Allow a role to do this to one resource, or to all of a kind if there is a reason."""
    role.add_to_principal_policy(iam.PolicyStatement(actions=[*actions], resources=[arn]))
    if wildcard_because:
        acknowledge_wildcard(role, arn, wildcard_because)


def acknowledge_wildcard(role: iam.IRole, arn: str, reason: str) -> None:
    """Say why the `*` in what a role may use is right."""
    resource = _spelled(cdk.Stack.of(role).resolve(arn))
    finding = f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]"
    cdk.Validations.of(role).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))


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
