"""The artifact that Lambda runs, alone: nothing of this project's environment may help it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.cdk.app import LOCAL_ARTIFACT
from infra.cdk.functions import FUNCTIONS
from tests.conftest import SETTINGS

ROOT = Path(__file__).parents[2]

REPORT = """
import json, sys
from importlib import import_module
handler = import_module("functions.{name}.handler")
assert callable(handler.handler)
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the unpacked artifact."""
    folder = tmp_path_factory.mktemp("artifact")
    with ZipFile(LOCAL_ARTIFACT) as archive:
        archive.extractall(folder)
    return folder


def run(artifact: Path, program: str) -> str:
    """Run a program in the artifact's folder with no other packages than its own."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=artifact,
        env=SETTINGS.to_environment() | {"AWS_DEFAULT_REGION": "eu-central-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def imports_of(artifact: Path, name: str) -> set[str]:
    return set(json.loads(run(artifact, REPORT.format(name=name))))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_imports_from_the_artifact_alone(artifact: Path, name: str) -> None:
    assert f"functions.{name}.handler" in imports_of(artifact, name)


def test_every_client_of_the_functions_can_be_made_from_the_artifact(artifact: Path) -> None:
    run(artifact, "from vitrina import aws; aws.dynamodb(), aws.secretsmanager(), aws.sqs()")


@pytest.mark.parametrize("name", ["connect", "disconnect"])
def test_what_phones_wait_for_imports_neither_libcurl_nor_the_event_handler(
    artifact: Path, name: str
) -> None:
    imported = imports_of(artifact, name)
    assert not imported & {"pycurl", "argon2", "aws_lambda_powertools.event_handler"}


@pytest.mark.parametrize("name", ["disconnect", "greet", "message", "fanout", "sweep"])
def test_what_reads_no_tokens_does_not_import_pyjwt(artifact: Path, name: str) -> None:
    assert not imports_of(artifact, name) & {"jwt", "cryptography"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_libcurl_is_imported_by_what_posts_and_by_nothing_else(artifact: Path, name: str) -> None:
    assert ("pycurl" in imports_of(artifact, name)) == FUNCTIONS[name].posts


def test_the_artifact_holds_this_projects_code_as_it_is_now(artifact: Path) -> None:
    """A cached wheel would bring yesterday's."""
    for package in ("functions", "vitrina"):
        here = {p.relative_to(ROOT): p.read_bytes() for p in (ROOT / package).rglob("*.py")}
        there = {
            p.relative_to(artifact): p.read_bytes() for p in (artifact / package).rglob("*.py")
        }
        assert here == there


def test_every_module_comes_with_bytecode_that_is_valid_whatever_its_date(artifact: Path) -> None:
    """Lambda's files are read-only: what is not compiled here is compiled at every cold start."""
    sources = [path for path in artifact.rglob("*.py") if "templates" not in path.parts]
    assert len(sources) > 500
    tag = sys.implementation.cache_tag
    for source in sources:
        bytecode = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        assert bytecode.is_file(), source
        flags = int.from_bytes(bytecode.read_bytes()[4:8], "little")
        assert flags == 0b01, f"{source} is checked against its date or its source"


def test_the_artifact_has_nothing_of_development(artifact: Path) -> None:
    names = {path.name for path in artifact.iterdir()}
    assert not names & {"tests", "local", "infra", "ops", "moto", "aws_cdk", "pytest", "websockets"}


def test_the_archive_is_the_same_for_the_same_files(tmp_path: Path) -> None:
    from infra.artifact import pack

    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/one.py").write_text("1")
    (tmp_path / "a/two.py").write_text("2")
    first = pack(tmp_path / "a").read_bytes()
    os.utime(tmp_path / "a/b/one.py", (0, 0))
    assert pack(tmp_path / "a").read_bytes() == first
