"""The app that `cdk deploy` runs.

Context (`-c name=value`):
    stage     dev, staging or prod (the default)
    emulator  base URL of a local cloud to deploy to, such as http://localhost:4566
    artifact  the archive to deploy, such as one that was kept, instead of the one that was built
    …         every option of `infra/cdk/stages.py`, by its name:
              -c allowed_origins=https://console.example.com -c token_lifetime_seconds=900
"""

import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from pydantic import ValidationError

from infra.cdk import stages
from infra.cdk.console import ARCHIVE
from infra.cdk.stack import VitrinaStack
from infra.cdk.stages import Stage

ARTIFACTS = Path(__file__).parents[2] / "build/lambda"
LOCAL_ARTIFACT = ARTIFACTS / "local.zip"


def synthesise(app: cdk.App) -> None:
    """Add the stack of an app's context, and synthesise. Raises SystemExit for a wrong context."""
    emulator: str | None = app.node.try_get_context("emulator")
    try:
        stage = stages.choose(app.node.try_get_context)
    except ValidationError as invalid:
        raise SystemExit("\n".join(map(_sentence, invalid.errors()))) from None
    except ValueError as invalid:
        raise SystemExit(str(invalid)) from None
    built = LOCAL_ARTIFACT if emulator else ARTIFACTS / f"{stage.architecture}.zip"
    artifact = Path(app.node.try_get_context("artifact") or built)
    if not artifact.is_file():
        build = f"make artifact ARCHITECTURE={stage.architecture}"
        raise SystemExit(f"{artifact} does not exist: run `{build}`.")
    console = artifact.with_name(ARCHIVE)
    if stage.has_console and not console.is_file():
        raise SystemExit(f"{console} does not exist: run `make {console}`.")
    populate(app, stage, artifact, emulator)
    if emulator is None:
        # No annotation of the CDK, which a strict synthesis takes for a fault.
        sys.stderr.writelines(f"{note}\n" for note in stage.notes())
    app.synth()


def populate(app: cdk.App, stage: Stage, artifact: Path, emulator: str | None = None) -> None:
    """Add the stage's stack to an app, with cdk-nag's checks if it is for AWS.

    Synthesis fails on a finding without a reason; reasons stand next to the resources.
    """
    VitrinaStack(app, f"Vitrina-{stage.name}", stage=stage, artifact=artifact, emulator=emulator)
    if emulator is None:
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def _sentence(fault: Any) -> str:
    """Return which option is wrong and why; a message about several options names them itself."""
    name = ".".join(map(str, fault["loc"]))
    said = fault["msg"].removeprefix("Value error, ")
    return f"{name}: {said}" if name else said


if __name__ == "__main__":
    synthesise(cdk.App())
