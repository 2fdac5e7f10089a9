"""The synthesised template, and what the tests of this layer look for in it."""

from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.cdk import stages
from infra.cdk.app import LOCAL_ARTIFACT
from infra.cdk.stack import VitrinaStack

_synthesised: dict[tuple[str | None, str], Template] = {}


def synthesise(emulator: str | None, **choices: str) -> Template:
    """Return the template; the same one for all choices of the same stage."""
    stage = stages.choose(({"stage": "dev" if emulator else "prod"} | choices).get)
    key = emulator, stage.model_dump_json()
    if key not in _synthesised:
        stack = VitrinaStack(
            cdk.App(), "Vitrina", stage=stage, artifact=LOCAL_ARTIFACT, emulator=emulator
        )
        _synthesised[key] = Template.from_stack(stack)
    return _synthesised[key]


@pytest.fixture(scope="session")
def template() -> Template:
    """Return what goes to AWS."""
    return synthesise(None)


@pytest.fixture(scope="session")
def local_template() -> Template:
    """Return what goes to the local cloud."""
    return synthesise("http://localhost:4566")


def resources(template: Template, kind: str) -> dict[str, Any]:
    return dict(template.find_resources(kind))


def statements(template: Template) -> Iterator[dict[str, Any]]:
    for policy in resources(template, "AWS::IAM::Policy").values():
        yield from policy["Properties"]["PolicyDocument"]["Statement"]
