"""The compared clients, and how one is run."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import NamedTuple

from bench import machine, stub
from harness import environment
from vitrina.sender import MAX_PARALLEL_POSTS

MAX_SECONDS = 90
# wrk gets a duration, the others a number of posts.
WRK_SECONDS = 2


@dataclass(frozen=True)
class Client:
    """A client: its program, and the concurrencies to try."""

    name: str
    command: tuple[str, ...]
    at_once: tuple[int, ...]
    pilot_posts: int
    """Posts of a trial run: they take about a second without latency, a little longer with it."""


_OURS = (machine.PYTHON, "-m", "bench.clients.ours")
_BOTO3 = (machine.PYTHON, "-m", "bench.clients.boto3_threads")
_AIOBOTOCORE = (sys.executable, "-m", "bench.clients.aiobotocore_tasks")

OURS = Client("vitrina.sender", _OURS, (MAX_PARALLEL_POSTS,), 10_000)
BOTO3 = Client("boto3 sequential", _BOTO3, (1,), 50)
BOTO3_THREADS = Client("boto3 threads", _BOTO3, (8, 16, 32), 500)
AIOBOTOCORE = Client("aiobotocore", _AIOBOTOCORE, (32, 64, 128), 800)
NODE_SDK = Client("Node SDK v3", (machine.NODE, "bench/clients/node_sdk.mjs"), (50, 256), 1500)
WRK = Client("wrk (signs nothing)", ("wrk",), (MAX_PARALLEL_POSTS,), 0)
CLIENTS = [OURS, BOTO3, BOTO3_THREADS, AIOBOTOCORE, NODE_SDK, WRK]


class Repetition(NamedTuple):
    """A client's figures of one repetition."""

    posts: int
    seconds: float
    cpu_seconds: float
    warm_up: int
    """Posts before the clock starts."""

    @property
    def per_second(self) -> float:
        return self.posts / self.seconds

    @property
    def cpu_us(self) -> float:
        return self.cpu_seconds / self.posts * 1e6


def run(client: Client, url: str, at_once: int, posts: int) -> Repetition:
    """Run a client's program on its own core; raises RuntimeError with its standard error."""
    load = _wrk_load(url, at_once) if client is WRK else [url, str(posts), str(at_once)]
    env = environment.isolated() | {"AWS_CA_BUNDLE": str(stub.CERTIFICATE)}
    command = machine.pinned(machine.CLIENT_CORE, [*client.command, *load])
    done = machine.run(command, env=env, timeout=MAX_SECONDS)
    return Repetition(**json.loads(done.stdout.splitlines()[-1]))


def _wrk_load(url: str, at_once: int) -> list[str]:
    return [
        *("--threads", "1", "--connections", str(at_once)),
        *("--duration", f"{WRK_SECONDS}s", "--script", "bench/clients/wrk.lua", url),
    ]


def versions() -> dict[str, str]:
    """Return the versions of the compared clients and of what they run on."""
    asked = "import boto3, platform; print(platform.python_version(), boto3.__version__)"
    python, boto3 = _says(machine.PYTHON, "-c", asked).split()
    curl = _says(machine.PYTHON, "-c", "import pycurl; print(pycurl.version)")
    packages = json.loads((machine.ROOT / "bench/package-lock.json").read_text())["packages"]
    return {
        "Python": python,
        "libcurl": _number(curl.partition("libcurl/")[2]),
        "boto3": boto3,
        "aiobotocore": version("aiobotocore"),
        "Node": _number(_says(machine.NODE, "--version")),
        "its SDK": packages["node_modules/@aws-sdk/client-apigatewaymanagementapi"]["version"],
        "nginx": _number(_says("nginx", "-v")),
        "wrk": _number(_says("wrk", "-v")),
    }


def _says(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _number(text: str) -> str:
    found = re.search(r"\d+(\.\d+)+", text)
    return found.group() if found else "?"
