"""A local cloud: an emulator of AWS with the real stack deployed to it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.config
from aiohttp.test_utils import unused_port
from pydantic import TypeAdapter

from harness.environment import isolated
from vitrina import accounts, aws
from vitrina.accounts import Account
from vitrina.channels import ClientType
from vitrina.config import Config

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
START_SECONDS = 60

STACK = "Vitrina-dev"
PASSWORD = "password"  # noqa: S105 - for accounts that exist only here

# The CDK's name for the bucket of the archives that it deploys.
ASSETS_BUCKET = "cdk-hnb659fds-assets-000000000000-us-east-1"

# The shop of tests and demonstrations submits as fast as it can. The stack is guarded, so that
# nothing here depends on a way around the edge.
DEFAULTS: dict[str, object] = {"submissions_per_shop_hour": 1_000_000, "guarded": "on"}

Report = Callable[[str], None]


@dataclass(frozen=True)
class Cloud:
    """An emulator, with the stack deployed to it."""

    endpoint: str
    folder: Path
    environment: dict[str, str]
    """The environment for commands that use the cloud, such as the CDK."""
    outputs: dict[str, str] = field(default_factory=dict)
    """The outputs of the stack."""

    @property
    def log(self) -> Path:
        """The output of the emulator and of the functions in it."""
        return self.folder / "emulator.log"

    @property
    def websocket_url(self) -> str:
        return self.outputs["WebSocketUrl"]

    @property
    def http_url(self) -> str:
        return self.outputs["HttpUrl"]

    def deploy(self, assembly: Path) -> None:
        """Deploy what `synthesise` wrote, and configure this process for it."""
        file = self.folder / "outputs.json"
        done = subprocess.run(
            [
                *(ROOT / "node_modules/.bin/cdk", "deploy", "--ci", "--no-notices"),
                *("--app", assembly),
                *("--parameters", f"Emulator={self.endpoint.removeprefix('http://')}"),
                *("--outputs-file", file),
                *("--require-approval", "never"),
                # Without a change set, which is compared with the template for seconds.
                *("--method", "direct"),
            ],
            env=self.environment,
            cwd=self.folder,  # where no cdk.json has an app
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"cdk deploy failed:\n{_tail(done.stdout + done.stderr)}")
        self.outputs.update(json.loads(file.read_text())[STACK])
        # This process calls the cloud as a function does.
        os.environ.update({k: v for k, v in self.environment.items() if "AWS_" in k})
        Config.from_outputs(self.outputs).use()
        aws.forget_clients()


@contextmanager
def running(
    report: Report = lambda _: None, assembly: Path | None = None, **policy: object
) -> Iterator[Cloud]:
    """Start the local cloud on a free port, deploy to it, create the accounts; stop it at exit.

    `report` is called with each step. What is deployed is an assembly that `synthesise` wrote, or
    otherwise the default configuration, changed by `policy`. Raises RuntimeError with the end of
    the log if a step fails.
    """
    folder = Path(tempfile.mkdtemp(prefix="cloud-", dir=BUILD))
    endpoint = f"http://localhost:{unused_port()}"
    cloud = Cloud(endpoint, folder, _environment(endpoint, folder))
    emulator = _start(cloud)
    try:
        report("Starting the local cloud")
        _wait_until_it_answers(cloud, emulator)
        _create_assets_bucket(cloud)
        report("Deploying the stack")
        cloud.deploy(assembly or synthesise(folder / "cdk.out", **policy))
        report("Creating the accounts")
        _create_accounts()
        yield cloud
    finally:
        # The process group, with the functions: none has state to keep.
        os.killpg(emulator.pid, signal.SIGKILL)
        emulator.wait()
        # Each function's process unpacked the artifact: deleting it in Python takes half a minute.
        subprocess.run(["rm", "-rf", folder], check=False)  # noqa: S607


def synthesise(folder: Path, **policy: object) -> Path:
    """Write the assembly of the stack for local clouds on any port; return its folder.

    `policy` overrides the default configuration. This is what `cdk deploy` has the app do in a
    process of its own, which takes seconds to start.
    """
    os.environ["JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION"] = "1"
    import aws_cdk as cdk

    from infra.cdk import app

    context = {"stage": "dev", "emulator": "http://localhost:4566"} | DEFAULTS | policy
    local = cdk.App(
        outdir=str(folder),
        context={name: str(value) for name, value in context.items()},
        # Half of the time: rules of AWS that the local cloud does not have, and where in the code
        # each resource is defined, which is read again for each event of the deployment.
        builtin_cloud_formation_validation=False,
        stack_traces=False,
    )
    app.synthesise(local)
    return folder


def _environment(endpoint: str, folder: Path) -> dict[str, str]:
    """Return the environment of all processes here, without the AWS_… variables of the user."""
    mine = isolated("us-east-1")
    return mine | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{mine['PATH']}",  # for this Node
        "AWS_ENDPOINT_URL": endpoint,
        "AUTH": "true",  # enforce roles, so that a missing grant fails here
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": endpoint.rpartition(":")[2],
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(folder),
        "NO_COLOR": "1",
        # The CDK starts another process to send it.
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def _start(cloud: Cloud) -> subprocess.Popen[bytes]:
    with cloud.log.open("wb") as output:
        return subprocess.Popen(
            # -P, as the modules beside the file are not for this Python.
            [BUILD / "emulator/bin/python", "-P", ROOT / "local/ministack.py"],
            env=cloud.environment,
            cwd=cloud.folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            # A new process group: Ctrl-C reaches only this program, and killing the group ends the
            # functions' processes too.
            start_new_session=True,
        )


def _wait_until_it_answers(cloud: Cloud, emulator: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while emulator.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{cloud.endpoint}/_ministack/health", timeout=1):  # noqa: S310
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"The emulator did not start:\n{_tail(cloud.log.read_text())}")


def _create_assets_bucket(cloud: Cloud) -> None:
    """Create all that this deployment needs of `cdk bootstrap`, as it has its caller's rights."""
    s3 = boto3.client(
        "s3",
        endpoint_url=cloud.endpoint,
        region_name=cloud.environment["AWS_REGION"],
        aws_access_key_id=cloud.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=cloud.environment["AWS_SECRET_ACCESS_KEY"],
        # The local cloud has no host for each bucket.
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )
    s3.create_bucket(Bucket=ASSETS_BUCKET)


def create_account(email: str, client_type: ClientType, **shop: Any) -> Account:
    """Create an account with the password of all accounts here; a shop's has its id and name."""
    password = TypeAdapter(accounts.Password).validate_python(PASSWORD)
    return accounts.create(email, password, client_type, **shop)


def _create_accounts() -> None:
    create_account("admin@example.com", ClientType.ADMIN)
    create_account("user@example.com", ClientType.USER)
    create_account("shop@example.com", ClientType.SHOP, shop_id=10, shop_name="Fashion Store")


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-40:])
