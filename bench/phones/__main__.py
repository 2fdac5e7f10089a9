"""Deploy to the local cloud, run phones on faulty networks, print what they received as JSON.

It runs in the environment that deploys; the benchmarks' own one has no CDK.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bench import machine
from harness.bundles import bundle
from local import edge, emulator
from local.client import Api
from local.emulator import PASSWORD, Cloud
from vitrina import history
from vitrina.channels import ClientType

CLIENTS = 50
ACCOUNTS = 25
TOKEN_SECONDS = 60
NODE = Path(sys.executable).parent / "node"
CHANNELS = {"user", "room:sale"}
BULK = 10
PAUSE_SECONDS = 2.0
KILL_SECONDS = 10.0
SWEEP_SECONDS = 20.0
# Two sweeps, and what was killed last.
SETTLE_SECONDS = 60.0


def main(seconds: float) -> None:
    with (
        emulator.running(token_lifetime_seconds=TOKEN_SECONDS) as cloud,
        edge.running(cloud.outputs) as url,
        clients(url, create_accounts()) as process,
    ):
        done = Counter[str]()
        over = Event()
        workers = [
            Thread(target=repeat, args=(over, done, name, pause, act))
            for name, pause, act in (
                ("published", PAUSE_SECONDS, Publisher(Api(url))),
                ("killed", KILL_SECONDS, lambda: kill_a_function(cloud)),
                ("swept", SWEEP_SECONDS, sweep),
            )
        ]
        for worker in workers:
            worker.start()
        time.sleep(seconds)
        over.set()
        for worker in workers:
            worker.join()
        found = finish(process)
    print(json.dumps(found | {"happened": done}))


def create_accounts() -> list[str]:
    emails = [f"phone{n}@example.com" for n in range(ACCOUNTS)]
    for email in emails:
        emulator.create_account(email, ClientType.USER)
    return emails


@contextmanager
def clients(url: str, emails: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Run the clients until the end of the block."""
    with tempfile.TemporaryDirectory(dir=machine.BUILD) as folder:
        program = bundle(Path(__file__).with_name("phones.mjs"), Path(folder), "node")
        environment = {"URL": url, "EMAILS": ",".join(emails), "PASSWORD": PASSWORD}
        process = subprocess.Popen(
            [NODE, program],
            env=os.environ | environment | {"CLIENTS": str(CLIENTS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            wait_for(process, lambda line: line.get("online") == CLIENTS)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def wait_for(
    process: subprocess.Popen[str], is_wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    for line in process.stdout or ():
        found: dict[str, Any] = json.loads(line)
        if is_wanted(found):
            return found
    raise RuntimeError("The clients have ended.")


def repeat(
    over: Event, done: Counter[str], name: str, pause: float, act: Callable[[], int]
) -> None:
    while not over.wait(pause * random.uniform(0.5, 1.5)):  # noqa: S311 - not a secret
        done[name] += act()


class Publisher:
    """The shop and an administrator: a bulk approval and an announcement, again and again."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._round = 0

    def __call__(self) -> int:
        """Publish; return the number of products. Requests may fail: functions are killed."""
        self._round += 1
        with suppress(OSError):
            return self._publish()
        return 0

    def _publish(self) -> int:
        shop = self._api.login("shop@example.com", PASSWORD)
        admin = self._api.login("admin@example.com", PASSWORD)
        products = [
            self._api.call("POST", "/api/v1/products", shop, json={"product_name": f"Стул {n}"})
            for n in range(BULK)
        ]
        ids = [product["product_id"] for product in products]
        body = {"product_ids": ids}
        self._api.call("POST", "/api/v1/admin/products/bulk-approve", admin, json=body)
        sale = {"to": "room:sale", "title": f"Скидки {self._round}", "text": "Сегодня"}
        self._api.call("POST", "/api/v1/admin/announcements", admin, json=sale)
        return BULK + 1


def kill_a_function(cloud: Cloud) -> int:
    """Kill a process of the local cloud that runs a function, whatever it is doing."""
    running = [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and f"{cloud.folder}/ministack-lambda" in command(folder)
    ]
    if not running:
        return 0
    with suppress(ProcessLookupError):
        os.kill(random.choice(running), signal.SIGKILL)  # noqa: S311 - not a secret
    return 1


def command(folder: Path) -> str:
    with suppress(OSError):
        return (folder / "cmdline").read_text()
    return ""


def sweep() -> int:
    """Invoke the sweep, so that events that killed functions left behind are published.

    The sweep may be killed too. Returns whether it was done.
    """
    once = Config(read_timeout=30, retries={"total_max_attempts": 1})
    functions = boto3.client("lambda", config=once)
    try:
        functions.invoke(FunctionName=edge.function("sweep"))
    except (BotoCoreError, ClientError):
        return 0
    return 1


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait until the clients have caught up with all published events; return their results."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        sweep()
        time.sleep(SWEEP_SECONDS)
    heads = history.positions(CHANNELS)
    print(json.dumps({name: at.seq for name, at in heads.items()}), file=process.stdin, flush=True)
    return wait_for(process, lambda line: "phones" in line)


if __name__ == "__main__":
    main(float(sys.argv[1]))
