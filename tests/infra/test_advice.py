"""AWS's advice for solutions, as cdk-nag has it: followed, or a reason is written down."""

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs

from infra.cdk import stages
from infra.cdk.app import LOCAL_ARTIFACT, populate


def synthesise(outdir: Path, *, name: str, snap_start: bool = False) -> list[str]:
    """Synthesise what goes to AWS; return its warnings. Raises RuntimeError for a finding."""
    app = cdk.App(outdir=str(outdir))
    populate(app, stages.choose({"stage": name, "snap_start": snap_start}.get), LOCAL_ARTIFACT)
    messages = [message for stack in app.synth().stacks for message in stack.messages]
    return [f"{message.id}: {message.entry.data}" for message in messages]


@pytest.mark.parametrize("name", stages.CHOICES)
def test_every_stage_is_synthesised_without_a_finding_and_without_a_warning(
    tmp_path: Path, name: str
) -> None:
    assert synthesise(tmp_path, name=name) == []


def test_so_is_a_stage_that_starts_from_snapshots(tmp_path: Path) -> None:
    assert synthesise(tmp_path, name="prod", snap_start=True) == []


def test_a_queue_without_tls_is_a_finding_that_fails_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    populate(app, stages.choose({"stage": "prod"}.get), LOCAL_ARTIFACT)
    stack = app.node.find_child("Vitrina-prod")
    assert isinstance(stack, cdk.Stack)
    sqs.Queue(stack, "Careless")
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        app.synth()
