"""Log groups, deleted with the stack."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.cdk.stages import Stage


def log_group(scope: Construct, construct_id: str, stage: Stage) -> logs.LogGroup:
    """Return a log group with the stage's retention."""
    group = logs.LogGroup(scope, construct_id, removal_policy=cdk.RemovalPolicy.DESTROY)
    # The construct takes an enumeration; a stage has a number of days.
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)  # noqa: S101
    resource.retention_in_days = stage.log_retention_days
    return group
