"""Advice of cdk-nag and cfn-lint: followed, or a reason is written down."""

from functools import cache
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs
from cfnlint.config import ConfigMixIn
from cfnlint.decode import decode_str
from cfnlint.runner import Runner

from infra.cdk import stages
from infra.cdk.app import LOCAL_ARTIFACT, populate

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/x"
VARIANTS: dict[str, dict[str, object]] = {
    "dev": {"stage": "dev"},
    "staging": {"stage": "staging"},
    "prod": {"stage": "prod"},
    "snapshots": {"stage": "prod", "snap_start": True},
    "no edge": {"stage": "prod", "edge": "off"},
    "no console": {"stage": "dev", "console": "off"},
    "own domain": {"domain_name": "api.your.shop", "certificate_arn": CERTIFICATE},
    "no firewall": {"stage": "dev", "requests_per_address": 0},
}

ACCEPTED = {
    # The CDK adds DependsOn where GetAtt says the same; it has no effect.
    "W3005",
}


def synthesise(outdir: Path, options: dict[str, object]) -> cdk.cx_api.CloudAssembly:
    """Synthesise what goes to AWS; raises RuntimeError for a finding of cdk-nag."""
    app = cdk.App(outdir=str(outdir))
    populate(app, stages.choose(options.get), LOCAL_ARTIFACT)
    return app.synth()


@cache
def linter(region: str) -> Runner:
    """Return a linter with its rules, which it takes half a second to read."""
    return Runner(ConfigMixIn(regions=[region]))


@cache
def advice(text: str, region: str) -> list[str]:
    """Return what cfn-lint finds in a template; variants have some in common."""
    template, errors = decode_str(text)
    found = errors or linter(region).validate_template(template)
    return [f"{match}" for match in found if match.rule.id not in ACCEPTED]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_synthesised_without_a_finding_and_without_a_warning(
    tmp_path: Path, variant: str
) -> None:
    assembly = synthesise(tmp_path, VARIANTS[variant])
    assert [f"{m.id}: {m.entry.data}" for stack in assembly.stacks for m in stack.messages] == []
    for stack in assembly.stacks:
        template = Path(stack.template_full_path).read_text()
        region = "us-east-1" if "Firewall" in stack.stack_name else "eu-central-1"
        assert advice(template, region) == []


def test_a_queue_without_tls_is_a_finding_that_fails_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    populate(app, stages.choose({"stage": "prod"}.get), LOCAL_ARTIFACT)
    stack = app.node.find_child("Vitrina-prod")
    assert isinstance(stack, cdk.Stack)
    sqs.Queue(stack, "Careless")
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        app.synth()
