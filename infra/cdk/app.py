"""`cdk deploy` starts here.

Context (`-c name=value`):
    emulator  base URL of a local cloud, such as http://localhost:4566, to deploy to it
"""

from pathlib import Path

import aws_cdk as cdk

from infra.cdk.stack import VitrinaStack

ROOT = Path(__file__).parents[2]
AWS_ARTIFACT = ROOT / "build/lambda/aws.zip"
LOCAL_ARTIFACT = ROOT / "build/lambda/local.zip"


def main() -> None:
    app = cdk.App()
    emulator: str | None = app.node.try_get_context("emulator")
    artifact = LOCAL_ARTIFACT if emulator else AWS_ARTIFACT
    if not artifact.is_file():
        raise SystemExit(f"There is no artifact in {artifact}: run `make artifact`.")
    VitrinaStack(app, "Vitrina", artifact=artifact, emulator=emulator)
    app.synth()


if __name__ == "__main__":
    main()
