"""A local cloud: an emulator of AWS with the real stack deployed to it."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from harness.environment import isolated
from vitrina import accounts, aws
from vitrina.channels import ClientType
from vitrina.config import Config

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
START_SECONDS = 60

STACK = "Vitrina-dev"
PASSWORD = "password"  # noqa: S105 - for accounts that exist only here

Report = Callable[[str], None]


@dataclass(frozen=True)
class Cloud:
    """A deployed stack, with its URLs and outputs."""

    endpoint: str
    websocket_url: str
    http_url: str
    outputs: dict[str, str]
    log: Path
    """The output of the emulator and of the functions in it."""
    environment: dict[str, str]
    """The environment for commands that use the cloud, such as the CDK."""

    def deploy(self, **context: object) -> None:
        """Deploy to the running stack again, with these options and otherwise the defaults."""
        self.outputs.update(_deploy(self.environment, self.endpoint, self.log.parent, context))
        _use(self.environment, self.outputs)


@contextmanager
def running(report: Report = lambda _: None, **policy: object) -> Iterator[Cloud]:
    """Start the local cloud on a free port, deploy to it, create the accounts; stop it at exit.

    `report` is called with each step; `policy` overrides the default configuration. Raises
    RuntimeError with the end of the log if a step fails.
    """
    folder = Path(tempfile.mkdtemp(prefix="cloud-", dir=BUILD))
    log = folder / "emulator.log"
    endpoint = f"http://localhost:{_free_port()}"
    environment = _environment(endpoint, folder)
    emulator = _start(environment, log)
    try:
        report("Starting the local cloud")
        _wait_until_it_answers(endpoint, emulator, log)
        report("Bootstrapping the CDK")
        _bootstrap(environment, folder)
        report("Deploying the stack")
        outputs = _deploy(environment, endpoint, folder, policy)
        report("Creating the accounts")
        _use(environment, outputs)
        _create_accounts()
        yield Cloud(
            endpoint, outputs["WebSocketUrl"], outputs["HttpUrl"], outputs, log, environment
        )
    finally:
        _stop(emulator)
        # Each function's process unpacked the artifact: deleting it in Python takes half a minute.
        subprocess.run(["rm", "-rf", folder], check=False)  # noqa: S607


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
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "NO_COLOR": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [BUILD / "emulator/bin/python", "-m", "ministack"],
            env=environment,
            cwd=log.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            # A new process group: Ctrl-C reaches only this program, and killing the group ends the
            # functions' processes too.
            start_new_session=True,
        )


def _wait_until_it_answers(endpoint: str, emulator: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while emulator.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1):  # noqa: S310
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"The emulator did not start:\n{_tail(log.read_text())}")


def _stop(emulator: subprocess.Popen[bytes]) -> None:
    """Kill the emulator's process group, with the functions: none has state to keep."""
    os.killpg(emulator.pid, signal.SIGKILL)
    emulator.wait()


def _bootstrap(environment: dict[str, str], folder: Path) -> None:
    # In a folder without cdk.json, so that the CDK does not run the app.
    _cdk("bootstrap", "aws://000000000000/us-east-1", environment=environment, cwd=folder)


def _deploy(
    environment: dict[str, str], endpoint: str, folder: Path, policy: dict[str, object]
) -> dict[str, str]:
    file = folder / "outputs.json"
    context = [f"--context={name}={value}" for name, value in policy.items()]
    _cdk(
        "deploy",
        *("--app", f"{sys.executable} -m infra.cdk.app"),
        *("--output", str(folder / "cdk.out")),
        *("--context", f"emulator={endpoint}"),
        *("--context", "stage=dev"),
        *context,
        *("--outputs-file", str(file)),
        *("--require-approval", "never"),
        environment=environment,
        cwd=ROOT,
    )
    outputs: dict[str, str] = json.loads(file.read_text())[STACK]
    return outputs


def _cdk(command: str, *options: str, environment: dict[str, str], cwd: Path) -> None:
    done = subprocess.run(
        [ROOT / "node_modules/.bin/cdk", command, *options, "--ci", "--no-notices"],
        env=environment,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"cdk {command} failed:\n{_tail(done.stdout + done.stderr)}")


def _use(environment: dict[str, str], outputs: dict[str, str]) -> None:
    """Configure this process to call the local cloud as a function does."""
    os.environ.update({name: value for name, value in environment.items() if "AWS_" in name})
    Config.from_outputs(outputs).use()
    aws.forget_clients()


def _create_accounts() -> None:
    password = TypeAdapter(accounts.Password).validate_python(PASSWORD)
    accounts.create("admin@example.com", password, ClientType.ADMIN)
    accounts.create("user@example.com", password, ClientType.USER)
    accounts.create("shop@example.com", password, ClientType.SHOP, 10, "Fashion Store")


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-40:])
