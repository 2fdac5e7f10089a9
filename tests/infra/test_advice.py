"""Advice of cdk-nag and cfn-lint: followed, or a reason is written down."""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs

from infra.cdk import stages
from infra.cdk.app import LOCAL_ARTIFACT, populate
from tests.infra.conftest import OWN_DOMAIN, assembly

if TYPE_CHECKING:
    from cfnlint.runner import Runner

APPS = "arn:aws:sns:eu-central-1:123456789012:app"
VARIANTS: dict[str, dict[str, object]] = {
    "dev": {"stage": "dev"},
    "staging": {"stage": "staging"},
    "prod": {"stage": "prod"},
    "snapshots": {"stage": "prod", "snap_start": True},
    "no edge": {"stage": "prod", "edge": "off"},
    "no console": {"stage": "dev", "console": "off"},
    "own domain": {**OWN_DOMAIN},
    "push": {"push_apps": f"{APPS}/GCM/vitrina,{APPS}/APNS/vitrina"},
    "no firewall": {"stage": "dev", "requests_per_address": 0},
}

ACCEPTED = {
    # The CDK adds DependsOn where GetAtt says the same; it has no effect.
    "W3005",
}


@cache
def linter(region: str) -> "Runner":
    """Return a linter with its rules, which it takes half a second to read."""
    # It brings sympy: processes that only collect this test start without it.
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    return Runner(ConfigMixIn(regions=[region]))


@cache
def linted(region: str) -> set[tuple[str, str]]:
    """Return the resources of earlier variants, each by its name and its text."""
    return set()


def advice(template: dict[str, Any], region: str) -> list[str]:
    """Return what cfn-lint finds in a template; what an earlier variant has too is linted there."""
    from cfnlint.decode import decode_str

    resources = {name: json.dumps(each) for name, each in template["Resources"].items()}
    known = {name for name, text in resources.items() if (name, text) in linted(region)}
    short = {
        name: {"Type": each["Type"]} if name in known else each
        for name, each in template["Resources"].items()
    }
    linted(region).update(resources.items())
    decoded, errors = decode_str(json.dumps(template | {"Resources": short}))
    found = errors or linter(region).validate_template(decoded)
    return [
        f"{match}"
        for match in found
        if match.rule.id not in ACCEPTED and not known & {*map(str, match.path or ())}
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_synthesised_without_a_finding_and_without_a_warning(
    variant: str,
) -> None:
    stacks = assembly(**VARIANTS[variant]).stacks
    assert [f"{m.id}: {m.entry.data}" for stack in stacks for m in stack.messages] == []
    for stack in stacks:
        template = json.loads(Path(stack.template_full_path).read_text())
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
