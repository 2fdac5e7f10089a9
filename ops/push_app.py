"""Create or update a platform application of SNS: make push-app PLATFORM=… CREDENTIALS=… [STAGE=…]

CloudFormation has no type for it. The credentials are read from a file and sent to SNS; they are
not printed, and no template has them. For `fcm` the file is the JSON of a service account, as
Firebase gives it. For `apns` and `apns_sandbox` it is JSON with `key_file`, the path of Apple's
signing key (.p8) beside it, and `key_id`, `team_id` and `bundle_id`.
"""

import argparse
import sys
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops import stack
from vitrina import aws
from vitrina.endpoints import Platform

MAX_FILE_BYTES = 64 * 1024


class AppleKey(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    key_file: str
    key_id: Annotated[str, Field(pattern=r"^[A-Z0-9]{10}$")]
    team_id: Annotated[str, Field(pattern=r"^[A-Z0-9]{10}$")]
    bundle_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,155}$")]


class ServiceAccount(BaseModel):
    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    project_id: str
    private_key: str
    client_email: str


def main() -> None:
    parser = argparse.ArgumentParser(description="Create or update a platform application of SNS.")
    parser.add_argument("platform", choices=list(Platform), type=Platform)
    parser.add_argument("credentials", type=Path, help="the file that has them")
    stack.add_option(parser)
    arguments = parser.parse_args()
    try:
        attributes = attributes_of(arguments.platform, arguments.credentials)
        app = put(arguments.stack, arguments.platform, attributes)
    except ValidationError as invalid:
        sys.exit("\n".join(f"{error['loc']}: {error['msg']}" for error in invalid.errors()))
    except OSError as unreadable:
        sys.exit(f"{unreadable.filename}: {unreadable.strerror}")
    except aws.FAILURES as failure:
        sys.exit(f"SNS: {failure}")
    apps = ",".join(sorted({app, *applications(arguments.stack)}))
    print(f"{app}\n\nDeploy with all of the stage's applications:\n  -c push_apps={apps}")


def attributes_of(platform: Platform, file: Path) -> dict[str, str]:
    """Read credentials as SNS takes them; raises OSError, or ValidationError without their text."""
    text = _read(file)
    if platform is Platform.FCM:
        ServiceAccount.model_validate_json(text)
        return {"PlatformCredential": text}
    key = AppleKey.model_validate_json(text)
    return {
        "PlatformCredential": _read(file.parent / key.key_file),
        "PlatformPrincipal": key.key_id,
        "ApplePlatformTeamID": key.team_id,
        "ApplePlatformBundleID": key.bundle_id,
    }


def put(name: str, platform: Platform, attributes: dict[str, str]) -> str:
    """Create the application of a name, or give it new credentials; return its ARN.

    The endpoints of one that exists stay as they are.
    """
    for app in applications(name):
        if f":app/{platform.key}/" in app:
            aws.sns().set_platform_application_attributes(
                PlatformApplicationArn=app, Attributes=attributes
            )
            return app
    created = aws.sns().create_platform_application(
        Name=name, Platform=platform.key, Attributes=attributes
    )
    return str(created["PlatformApplicationArn"])


def applications(name: str) -> list[str]:
    """Return the ARNs of the applications of a name, of any platform."""
    pages = aws.sns().get_paginator("list_platform_applications").paginate()
    found = (
        each["PlatformApplicationArn"] for page in pages for each in page["PlatformApplications"]
    )
    return [arn for arn in found if arn.endswith(f"/{name}")]


def _read(file: Path) -> str:
    with file.open() as opened:
        return opened.read(MAX_FILE_BYTES)


if __name__ == "__main__":
    main()
