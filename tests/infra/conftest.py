"""The synthesised template, and what the tests of this layer look for in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.cdk import stages
from infra.cdk.app import LOCAL_ARTIFACT, populate

# Options that do not meet, so that one synthesis is enough for the tests of each.
CHOSEN = {
    "alarm_email": "ops@example.com",
    "allowed_origins": "https://Console.example.com:443/,capacitor://localhost",
    "architecture": "x86_64",
    "edge_value": "second",
    "greeting_window_seconds": "1",
    "report_lines": "true",
}
OWN_DOMAIN = {
    "domain_name": "api.example.com",
    "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/x",
}

_assemblies: dict[tuple[str | None, str], cdk.cx_api.CloudAssembly] = {}
_templates: dict[str, Template] = {}


def assembly(emulator: str | None = None, /, **choices: object) -> cdk.cx_api.CloudAssembly:
    """Synthesise an app; once for all choices of the same stage.

    Raises RuntimeError for a finding of cdk-nag in what goes to AWS.
    """
    stage = stages.choose(({"stage": "dev" if emulator else "prod"} | choices).get)
    key = emulator, stage.model_dump_json()
    if key not in _assemblies:
        app = cdk.App()
        populate(app, stage, LOCAL_ARTIFACT, emulator)
        _assemblies[key] = app.synth()
    return _assemblies[key]


def synthesise(emulator: str | None, /, **choices: str) -> Template:
    """Return the template of a stage's stack."""
    [stack] = [s for s in assembly(emulator, **choices).stacks if "Firewall" not in s.stack_name]
    path = stack.template_full_path
    if path not in _templates:
        _templates[path] = Template.from_string(Path(path).read_text())
    return _templates[path]


@pytest.fixture(scope="session")
def template() -> Template:
    """Return what goes to AWS."""
    return synthesise(None)


@pytest.fixture(scope="session")
def chosen() -> Template:
    """Return what goes to AWS with other options than those of the stage."""
    return synthesise(None, **CHOSEN)


@pytest.fixture(scope="session")
def local_template() -> Template:
    """Return what goes to the local cloud."""
    return synthesise("http://localhost:4566")


def resources(template: Template, kind: str) -> dict[str, Any]:
    return dict(template.find_resources(kind))


def statements(template: Template) -> Iterator[dict[str, Any]]:
    for policy in resources(template, "AWS::IAM::Policy").values():
        yield from policy["Properties"]["PolicyDocument"]["Statement"]
