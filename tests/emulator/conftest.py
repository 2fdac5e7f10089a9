"""The real stack, deployed once to the local cloud with roles enforced, and real clients."""

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

from harness import deployment, environment
from local import edge, emulator
from local.client import Api, Client
from local.emulator import PASSWORD, Cloud
from ops import push_app
from tests.emulator import grants
from vitrina import aws, clock, config, history
from vitrina.endpoints import Platform

ALLOWED_ORIGIN = "https://console.example.com"
PUSH_APP = "arn:aws:sns:us-east-1:000000000000:app/GCM/Vitrina-dev"
POLICY = {"allowed_origins": ALLOWED_ORIGIN, "push_apps": PUSH_APP}
PRODUCT = {"product_name": "Красное платье", "price": 4990}


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the synthesised stack, which the first process that needs it writes for all."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    found = folder / "cdk.out"
    with (folder / "cdk.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            emulator.synthesise(folder / "cdk.unfinished", **POLICY).rename(found)
    return found


@pytest.fixture(scope="package")
def cloud(request: pytest.FixtureRequest, assembly: Path) -> Iterator[Cloud]:
    before = dict(os.environ)
    # Tests of other layers run before and after these in the same process.
    deployment.forget()
    with emulator.running(assembly=assembly) as running, ExitStack() as negative:
        credentials = {"PlatformCredential": "none"}
        app = push_app.put("Vitrina-dev", Platform.FCM, credentials)
        assert app == PUSH_APP
        if missing := request.config.getoption("--without-grant"):
            negative.enter_context(grants.removed(*missing.split(",")))
        yield running
        # What all tests of this layer have made the functions say.
        secret = r"eyJ[\w-]+\.eyJ|(user|shop|admin):\d+\.[\w-]{22}\."
        assert not re.search(secret, all_logs() + running.log.read_text())
    environment.replace(before)
    aws.forget_clients()
    deployment.forget()


@pytest.fixture(scope="package")
def url(cloud: Cloud) -> Iterator[str]:
    """Return where the edge is, which every client uses."""
    with edge.running(cloud.outputs) as base:
        yield base


@pytest.fixture(scope="package")
def api(url: str) -> Iterator[Api]:
    api = Api(url)
    yield api
    api.close()


LogIn = Callable[[int], dict[str, str]]


@pytest.fixture(scope="package")
def log_in(api: Api) -> LogIn:
    @lru_cache(maxsize=1)
    def log_in(_period: int) -> dict[str, str]:
        return {
            client_type: api.login(f"{client_type}@example.com", PASSWORD)
            for client_type in ("user", "shop", "admin")
        }

    return log_in


@pytest.fixture
def tokens(log_in: LogIn) -> dict[str, str]:
    """Return tokens that are valid for at least half an hour."""
    return log_in(int(time.time() // 1800))


Connect = Callable[..., Client]


@pytest.fixture
def connect(api: Api, tokens: dict[str, str]) -> Iterator[Connect]:
    """Return a way to connect as a type of client; all are closed at the end of the test."""
    with ExitStack() as clients:

        def connect(client_type: str) -> Client:
            url = api.websocket_url(client_type, tokens[client_type])
            return clients.enter_context(Client.connected(url))

        yield connect


@pytest.fixture
def submit(api: Api, tokens: dict[str, str]) -> Callable[[], int]:
    """Return a way for the shop to submit another product, which returns its id."""
    numbers = count(1)

    def submit() -> int:
        body = PRODUCT | {"product_name": f"Красное платье {next(numbers)}"}
        product_id: int = api.call("POST", "/api/v1/products", tokens["shop"], json=body)[
            "product_id"
        ]
        return product_id

    return submit


@pytest.fixture
def approve(api: Api, tokens: dict[str, str]) -> Callable[..., Any]:
    """Return a way for the admin to approve, which returns the answer."""

    def approve(product_id: object, **more: Any) -> Any:
        path = f"/api/v1/admin/products/{product_id}/approve"
        return api.answer("POST", path, tokens["admin"], **more)

    return approve


def wait_until(read: Callable[[], Any], wanted: Any, seconds: float = 60) -> None:
    deadline, pause = time.monotonic() + seconds, 0.05
    while (found := read()) != wanted:
        assert time.monotonic() < deadline, f"{found} is still not {wanted}"
        # Each look may be a request, which takes the processor from what is waited for.
        time.sleep(pause)
        pause = min(2 * pause, 0.2)


def sweep() -> None:
    """Have the schedule fire now."""
    answer = boto3.client("lambda").invoke(FunctionName=grants.function_name("sweep"))
    assert "FunctionError" not in answer, answer["Payload"].read()


def let_half_a_minute_pass() -> None:
    """Make what is in the outbox a minute older, and the leases of lanes as well."""
    table = config.current().history_table
    for value in ("publication", "lane"):
        for keys in history.outbox(value, clock.now_ms()):
            for row in history.get(keys):
                older = [name for name in ("created_at", "held_until") if name in row]
                if not older:
                    continue  # a worker has just given its lane back
                changes = ", ".join(f"{name} = {name} - :minute" for name in older)
                # A worker may have finished with a lane meanwhile.
                with suppress(aws.dynamodb().exceptions.ConditionalCheckFailedException):
                    aws.dynamodb().update_item(
                        TableName=table,
                        Key=aws.to_item({"channel": row["channel"], "seq": int(row["seq"])}),
                        UpdateExpression=f"SET {changes}",
                        ConditionExpression=" AND ".join(
                            f"attribute_exists({name})" for name in older
                        ),
                        ExpressionAttributeValues=aws.to_item({":minute": 60_000}),
                    )


def all_logs() -> str:
    """Return everything the functions have logged."""
    logs = boto3.client("logs")
    groups = logs.get_paginator("describe_log_groups").paginate()
    names = [group["logGroupName"] for page in groups for group in page["logGroups"]]
    pages = [
        page
        for name in names
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name)
    ]
    return "\n".join(event["message"] for page in pages for event in page["events"])
