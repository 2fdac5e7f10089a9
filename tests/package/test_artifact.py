"""The artifact that Lambda runs, alone: nothing of this project's environment may help it."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness import tokens
from harness.deployment import CONFIG
from infra.aws_descriptions import OPERATIONS
from infra.cdk.app import LOCAL_ARTIFACT
from infra.cdk.functions import FUNCTIONS

ROOT = Path(__file__).parents[2]
INSTALLED = LOCAL_ARTIFACT.with_suffix("")
LAYER = LOCAL_ARTIFACT.with_name("local-jwks.zip")

MAX_UNZIPPED_MB = 45

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


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the unpacked layer, where Lambda would have `/opt`."""
    folder = tmp_path_factory.mktemp("opt")
    with ZipFile(LAYER) as archive:
        archive.extractall(folder)
    return folder


def run(artifact: Path, program: str, layer: Path | None = None) -> str:
    """Run a program in the artifact's folder with no other packages than its own."""
    path = {"PYTHONPATH": str(layer / "python")} if layer else {}
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=artifact,
        env=CONFIG.to_environment() | {"AWS_DEFAULT_REGION": "eu-central-1"} | path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def imports_of(artifact: Path, name: str) -> set[str]:
    return set(json.loads(run(artifact, REPORT.format(name=name))))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_imports_from_the_artifact_alone(artifact: Path, name: str) -> None:
    assert f"functions.{name}.handler" in imports_of(artifact, name)


@pytest.fixture(scope="module")
def imported_with_the_layer(artifact: Path, layer: Path) -> set[str]:
    """Return what one process imports for all functions: each imports enough by itself above."""
    program = "\n".join(REPORT.format(name=name) for name in FUNCTIONS)
    return {*json.loads(run(artifact, program, layer).splitlines()[-1])}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_imports_with_the_layer_too(imported_with_the_layer: set[str], name: str) -> None:
    assert f"functions.{name}.handler" in imported_with_the_layer


# --- What is not in it ----------------------------------------------------------------------------


def test_the_artifact_is_small_enough() -> None:
    with ZipFile(LOCAL_ARTIFACT) as archive:
        assert sum(entry.file_size for entry in archive.infolist()) < MAX_UNZIPPED_MB * 1_000_000


def test_no_import_of_any_function_leads_to_what_was_left_out(artifact: Path) -> None:
    """Follow every import statement from the handlers on, also those that run later or never."""
    waiting = [f"functions.{name}.handler" for name in FUNCTIONS]
    seen: set[str] = set()
    missing: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in seen or _is_optional(module):
            continue
        seen.add(module)
        source = _source(INSTALLED, module)
        if source is None:
            continue
        if not (artifact / source.relative_to(INSTALLED)).is_file():
            missing.add(module)
        if source.suffix == ".py":
            waiting += _imports(source, module)
    assert len(seen) > 500
    assert not missing


# Who imports these is asked for nothing of it by this project.
_OPTIONAL = {
    # For models of pydantic 1, which there are none of.
    "pydantic.v1",
    # For the files that events of CodePipeline name, and for users of Powertools' other parts.
    "boto3",
    # Compiles bindings to C, as `cffi` does when it is asked for more than `_cffi_backend`.
    "cffi",
}


def _is_optional(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in _OPTIONAL)


def _source(folder: Path, module: str) -> Path | None:
    """Return the file of a module, or None for the standard library's and what is no module."""
    path = folder / module.replace(".", "/")
    found = [path / "__init__.py", path.with_suffix(".py"), *path.parent.glob(f"{path.name}.*.so")]
    return next((file for file in found if file.is_file()), None)


def _imports(source: Path, module: str) -> Iterator[str]:
    """Yield what a file imports, and the packages that this goes through."""
    package = module if source.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source.read_text())):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom(level=0, module=str(origin)):
                names = [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
            case ast.ImportFrom(level=level, module=relative):
                above = package.split(".")[: len(package.split(".")) - level + 1]
                origin = ".".join([*above, *([relative] if relative else [])])
                names = [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
            case _:
                continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: n + 1]) for n in range(len(parts)))


def test_the_artifact_has_nothing_of_development(artifact: Path) -> None:
    names = {path.name for path in artifact.iterdir()}
    assert not names & {"tests", "local", "infra", "ops", "moto", "aws_cdk", "pytest", "websockets"}


def test_every_file_that_is_no_module_is_there_too(artifact: Path) -> None:
    for file in (
        "botocore/cacert.pem",
        "botocore/data/partitions.json",
        "botocore/data/sdk-default-configuration.json",
        "botocore/data/dynamodb/2012-08-10/endpoint-rule-set-1.json.gz",
        "functions/openapi/openapi.json",
        "functions/openapi/problems.html",
        *(f"functions/openapi/{name}" for name in ("docs.html", "docs.js", "pages.css")),
        "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui-bundle.min.js",
        "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui.min.css",
    ):
        assert (artifact / file).is_file()


# --- What a cold start does not pay for -----------------------------------------------------------


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


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_imports_boto3_or_cryptography(artifact: Path, name: str) -> None:
    assert not imports_of(artifact, name) & {"boto3", "s3transfer", "cryptography"}


@pytest.mark.parametrize("name", ["connect", "disconnect"])
def test_who_says_nothing_imports_no_events(artifact: Path, name: str) -> None:
    assert "vitrina.events" not in imports_of(artifact, name)


def test_no_event_is_built_before_it_is_needed(artifact: Path) -> None:
    program = """
from functions.approve import handler
from vitrina import events
print([kind.__name__ for kind in events._Wire.__subclasses__() if kind.__pydantic_complete__])
"""
    assert ast.literal_eval(run(artifact, program)) == []


# --- Another issuer's keys ------------------------------------------------------------------------

READ = """
import jwt
token, keys = {token!r}, {keys!r}
found = jwt.PyJWKSet.from_dict(keys)["1"]
print(jwt.decode(token, found.key, ["EdDSA"], audience="vitrina")["sub"])
"""


def _read_anothers_token() -> str:
    key = Ed25519PrivateKey.generate()
    token = jwt.encode(tokens.claims(), key, "EdDSA", headers={"kid": "1"})
    public = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return READ.format(token=token, keys={"keys": [public | {"kid": "1", "alg": "EdDSA"}]})


def test_with_the_layer_another_issuers_tokens_are_read(artifact: Path, layer: Path) -> None:
    assert run(artifact, _read_anothers_token(), layer).strip() == "42"


def test_without_the_layer_they_are_not(artifact: Path) -> None:
    with pytest.raises(AssertionError, match="cryptography"):
        run(artifact, _read_anothers_token())


# --- What it calls of AWS -------------------------------------------------------------------------


def test_every_operation_that_a_function_is_granted_can_be_called_from_the_artifact(
    artifact: Path,
) -> None:
    granted = {
        action for needs in FUNCTIONS.values() for of in needs.tables.values() for action in of
    }
    # A transaction is granted by what it is made of.
    assert {*OPERATIONS["dynamodb"]} == granted | {"TransactWriteItems"}
    program = """
from vitrina import aws
for client in (aws.dynamodb(), aws.secretsmanager(), aws.sns(), aws.sqs()):
    print(client.meta.service_model.service_name, *client.meta.service_model.operation_names)
"""
    found = dict(line.split(" ", 1) for line in run(artifact, program).splitlines())
    assert found == {service: " ".join(operations) for service, operations in OPERATIONS.items()}


def test_our_descriptions_lead_where_botocores_own_do(artifact: Path) -> None:
    program = """
import botocore.session
from vitrina import aws
sessions = (aws._session(), botocore.session.get_session())
for service in ("dynamodb", "secretsmanager", "sns", "sqs"):
    for region in ("eu-central-1", "us-east-1", "ap-southeast-5", "cn-north-1", "us-gov-west-1"):
        made = [session.create_client(service, region_name=region) for session in sessions]
        assert made[0].meta.endpoint_url == made[1].meta.endpoint_url, made
        print(made[0].meta.endpoint_url)
"""
    addresses = run(artifact, program).split()
    assert "https://dynamodb.eu-central-1.amazonaws.com" in addresses
    assert "https://sqs.cn-north-1.amazonaws.com.cn" in addresses


# --- The same again -------------------------------------------------------------------------------


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


def test_bytecode_names_the_place_where_lambda_unpacks_it(artifact: Path) -> None:
    bytecode = next((artifact / "vitrina/__pycache__").glob("auth.*.pyc")).read_bytes()
    assert b"/var/task/vitrina/auth.py" in bytecode
    assert str(ROOT).encode() not in bytecode


def test_compiling_the_same_files_elsewhere_gives_the_same_bytecode(
    artifact: Path, tmp_path: Path
) -> None:
    """With the options of the Makefile."""
    for package in ("pydantic", "vitrina", "urllib3"):
        compiled = [_compiled(artifact / package, tmp_path / place) for place in ("one", "two")]
        assert compiled[0] == compiled[1]


def _compiled(package: Path, folder: Path) -> dict[str, bytes]:
    target = folder / package.name
    for source in package.rglob("*.py"):
        copy = target / source.relative_to(package)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())
    command = [sys.executable, "-m", "compileall", "-q", "-j", "1"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/var/task"]
    subprocess.run([*command, target], check=True, env={"PYTHONHASHSEED": "0"})
    return {str(p.relative_to(target)): p.read_bytes() for p in target.rglob("*.pyc")}


def test_the_archive_is_the_same_for_the_same_files(tmp_path: Path) -> None:
    from infra.artifact import pack

    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/one.py").write_text("1")
    (tmp_path / "a/two.py").write_text("2")
    first = pack(tmp_path / "a").read_bytes()
    os.utime(tmp_path / "a/b/one.py", (0, 0))
    assert pack(tmp_path / "a").read_bytes() == first
