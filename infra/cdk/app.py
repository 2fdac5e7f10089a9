"""`cdk deploy` starts here.

Context (`-c name=value`):
    emulator  base URL of a local cloud, such as http://localhost:4566, to deploy to it
    …         every setting of `vitrina/settings.py` that has a default, by its name:
              -c allowed_origins=https://console.example.com -c token_lifetime_seconds=900
"""

from pathlib import Path

import aws_cdk as cdk
from pydantic import ValidationError

from infra.cdk.stack import VitrinaStack
from vitrina.settings import Settings

ROOT = Path(__file__).parents[2]
AWS_ARTIFACT = ROOT / "build/lambda/aws.zip"
LOCAL_ARTIFACT = ROOT / "build/lambda/local.zip"


def main() -> None:
    app = cdk.App()
    emulator: str | None = app.node.try_get_context("emulator")
    artifact = LOCAL_ARTIFACT if emulator else AWS_ARTIFACT
    if not artifact.is_file():
        raise SystemExit(f"There is no artifact in {artifact}: run `make artifact`.")
    names = (name for name, field in Settings.model_fields.items() if not field.is_required())
    context = {name: app.node.try_get_context(name) for name in names}
    policy = {name: value for name, value in context.items() if value is not None}
    try:
        VitrinaStack(app, "Vitrina", artifact=artifact, emulator=emulator, policy=policy)
    except ValidationError as invalid:
        [fault, *_] = invalid.errors()
        raise SystemExit(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    app.synth()


if __name__ == "__main__":
    main()
