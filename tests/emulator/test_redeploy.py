"""A deployment while clients are connected: they get every event once."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from requests import RequestException

from harness.tokens import token_of
from infra.cdk.app import LOCAL_ARTIFACT
from infra.cdk.console import ARCHIVE
from local import emulator
from local.client import Api, Client
from local.emulator import Cloud
from tests.emulator.conftest import ALLOWED_ORIGIN, let_half_a_minute_pass, sweep, wait_until
from vitrina import config, connections
from vitrina.channels import ClientType

# More than are posted to at once: they are left to their lanes.
AUDIENCE = 80
MAX_APPROVALS_AT_ONCE = 5
# During a deployment, which takes longer than that.
MIN_APPROVALS = 5
MARKER = "Vitrina, deployed again"


@pytest.fixture
def redeploy(cloud: Cloud, tmp_path: Path) -> Callable[..., None]:
    """Return a way to deploy again. The stack stays changed, so these tests run last."""
    folders = (tmp_path / f"cdk.out-{number}" for number in count(1))

    def redeploy(**policy: object) -> None:
        policy["allowed_origins"] = ALLOWED_ORIGIN
        cloud.deploy(emulator.synthesise(next(folders), **policy))

    return redeploy


def changed_artifact(folder: Path) -> Path:
    """Return the artifact with another title in the API's description: other code for all.

    The console's archive is beside it, as the stack expects it there.
    """
    changed = folder / "changed.zip"
    with zipfile.ZipFile(LOCAL_ARTIFACT) as before, zipfile.ZipFile(changed, "w") as after:
        for entry in before.infolist():
            content = before.read(entry)
            if entry.filename == "functions/openapi/openapi.json":
                document = json.loads(content)
                document["info"]["title"] = MARKER
                content = json.dumps(document).encode()
            after.writestr(entry, content)
    shutil.copy(LOCAL_ARTIFACT.with_name(ARCHIVE), folder)
    return changed


@pytest.fixture
def crowd(api: Api) -> Iterator[Callable[[range], list[Client]]]:
    """Return a way to connect many users, each of another identity, so of all shards."""
    with ExitStack() as clients, ThreadPoolExecutor(2) as pool:

        def connect(account_id: int) -> Client:
            client = Client(api.websocket_url("user", token_of(ClientType.USER, account_id)))
            clients.callback(client.close)
            client.wait_for("connected")
            return client

        yield lambda account_ids: list(pool.map(connect, account_ids))
    wait_until(lambda: api.call("GET", "/ws/stats")["total"], 0, seconds=60)


class Approvals:
    """Products submitted and approved, four a second, also before the last approval has ended.

    A slow machine begins fewer, so that none is left when the deployment has ended.
    """

    def __init__(self, submit: Callable[[], int], approve: Callable[..., Any]) -> None:
        self._submit = submit
        self._approve = approve

    @contextmanager
    def going_on(self) -> Iterator[set[int]]:
        """Give the products that are approved until the end of the block, when it has ended."""
        is_over, approved = Event(), set[int]()
        with ThreadPoolExecutor(1 + MAX_APPROVALS_AT_ONCE) as pool:

            def begin_four_a_second() -> None:
                begun: list[Future[int]] = []
                while not is_over.wait(0.25):
                    if sum(not each.done() for each in begun) < MAX_APPROVALS_AT_ONCE:
                        begun.append(pool.submit(self._approve_another))
                approved.update(done.result() for done in begun)

            going_on = pool.submit(begin_four_a_second)
            try:
                yield approved
            finally:
                is_over.set()
                going_on.result()

    def _approve_another(self) -> int:
        """As an administrator does: again, until it is done, or was done before.

        The local cloud kills a function that it updates, whatever it does at that moment, and
        answers 502; AWS lets it end.
        """
        product_id = self._insist(self._submit)
        while self._insist(lambda: self._approve(product_id)).status_code not in {200, 409}:
            pass
        return int(product_id)

    def _insist(self, call: Callable[[], Any]) -> Any:
        while True:
            with suppress(RequestException):
                return call()


def assert_applied_once_and_in_order(client: Client, approved: set[int]) -> None:
    events = client.wait_for_events(len(approved))
    assert sorted(event["data"]["product_id"] for event in events) == sorted(approved)
    seqs = [event["seq"] for event in events]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert not client.is_closed
    assert not client.inbox.refetches


def test_clients_stay_and_miss_nothing_while_code_settings_and_shards_change(
    api: Api,
    tokens: dict[str, str],
    tmp_path: Path,
    crowd: Callable[[range], list[Client]],
    redeploy: Callable[..., None],
    submit: Callable[[], int],
    approve: Callable[..., Any],
) -> None:
    artifact = changed_artifact(tmp_path)
    approvals = Approvals(submit, approve)
    [few] = config.current().user_shards
    many = 2 * few

    everyone = crowd(range(5000, 5000 + AUDIENCE))
    with approvals.going_on() as approved:
        redeploy(artifact=artifact, ping_interval_seconds=31, user_shards=f"{few},{many}")
    assert len(approved) >= MIN_APPROVALS
    let_half_a_minute_pass()  # where a function was killed after its commit
    sweep()
    for client in everyone:
        assert_applied_once_and_in_order(client, approved)
    assert api.call("GET", "/openapi.json")["info"]["title"] == MARKER

    later = crowd(range(6000, 6020))
    assert {client.frames[0].event["data"]["ping_interval_seconds"] for client in later} == {31}
    redeploy(artifact=artifact, user_shards=f"{many},{few}")
    latest = crowd(range(7000, 7020))
    last = submit()
    approve(last)
    for client in everyone:
        assert_applied_once_and_in_order(client, approved | {last})
    for client in (*later, *latest):
        assert_applied_once_and_in_order(client, {last})
    assert api.call("GET", "/ws/stats")["total"] == AUDIENCE + 40
    assert [row_of(some[0]).shards for some in (everyone, later, latest)] == [few, few, many]
    body = {"title": "Тест", "text": "Тест"}
    for client, account_id in ((everyone[7], 5007), (latest[7], 7007)):
        path = "/api/v1/admin/announcements"
        answer = api.call("POST", path, tokens["admin"], json=body | {"to": f"user:{account_id}"})
        assert answer["delivered"] == 1
        client.wait_for("announcement.published")


def row_of(client: Client) -> connections.Connection:
    row = connections.find(client.frames[0].event["data"]["connection_id"])
    assert row
    return row
