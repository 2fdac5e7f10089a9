"""The command that creates platform applications: `make push-app`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops import push_app
from vitrina import aws

SECRET = "-----BEGIN PRIVATE KEY-----"
ACCOUNT = {"project_id": "x", "private_key": SECRET, "client_email": "a@b.example", "more": "y"}
APPLE = {
    "key_file": "key.p8",
    "key_id": "ABC123DEFG",
    "team_id": "DEF123GHIJ",
    "bundle_id": "com.your.shop",
}
Run = Callable[[str, object], str]

pytestmark = pytest.mark.usefixtures("cloud")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a way to run the command with credentials in a file; it returns what is printed."""
    (tmp_path / "key.p8").write_text(SECRET)

    def run(platform: str, credentials: object) -> str:
        file = tmp_path / "credentials.json"
        file.write_text(json.dumps(credentials))
        monkeypatch.setattr(sys, "argv", ["command", platform, str(file)])
        try:
            push_app.main()
        except SystemExit as ended:
            return str(ended.code)
        return capsys.readouterr().out

    return run


def attributes(arn: str) -> dict[str, str]:
    found = aws.sns().get_platform_application_attributes(PlatformApplicationArn=arn)
    return dict(found["Attributes"])


def test_an_application_is_created_and_then_given_new_credentials(run: Run) -> None:
    for key in ("one", "two"):
        printed = run("fcm", ACCOUNT | {"private_key": key})
        arn = printed.splitlines()[0]
        assert arn.endswith(":app/GCM/Vitrina-prod")
        assert json.loads(attributes(arn)["PlatformCredential"])["private_key"] == key
    printed = run("apns", APPLE)
    apns = printed.splitlines()[0]
    assert attributes(apns)["PlatformPrincipal"] == "ABC123DEFG"
    assert f"push_apps={apns},{arn}" in printed


@pytest.mark.parametrize(
    ("platform", "credentials"),
    [
        ("fcm", {"private_key": SECRET}),
        ("fcm", [SECRET]),
        ("apns", APPLE | {"key_id": SECRET}),
        ("apns", APPLE | {"key_file": "none.p8"}),
    ],
)
def test_what_is_wrong_is_said_and_no_credential(
    run: Run, platform: str, credentials: object
) -> None:
    said = run(platform, credentials)
    assert said
    assert SECRET not in said


def test_credentials_are_not_printed(run: Run) -> None:
    assert SECRET not in run("fcm", ACCOUNT) + run("apns_sandbox", APPLE)
