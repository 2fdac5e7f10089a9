"""The guide's module and commands, on the real stack; only the host is another one."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local.client import Client
from tests.emulator.test_clients import ROOT, running
from tests.guide import pages
from tests.guide.app import NODE, App

needs_curl_and_jq = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="the guide uses curl and jq"
)

StartApp = Callable[[], App]


@pytest.fixture
def start_app(tmp_path: Path, url: str, tokens: dict[str, str]) -> Iterator[StartApp]:
    """Return a way to start an app of the user; all share a storage, and are killed at the end."""
    module = tmp_path / "notifications.mjs"
    module.write_text(pages.block(pages.GUIDE, "file", "notifications.js"))
    with ExitStack() as apps:

        def start_app() -> App:
            storage = str(tmp_path / "storage")
            times = {"saveDelayMs": 10, "firstDelayMs": 100}
            app = App(module, url=url, tokens=[tokens["user"]], storage=storage, times=times)
            apps.callback(app.kill)
            app.call("start")
            app.wait_for(state="online")
            return app

        yield start_app


def delivered(app: App, product_id: int) -> list[Any]:
    return [event for event in app.told("event") if event["data"].get("product_id") == product_id]


def stored(tmp_path: Path) -> Any:
    return json.loads((tmp_path / "storage").read_text())


def test_an_approval_reaches_the_app(
    start_app: StartApp, submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    app = start_app()
    product_id = submit()
    approve(product_id, json={"moderation_notes": "Отличный товар"})
    app.wait(lambda: delivered(app, product_id))
    [event] = delivered(app, product_id)
    assert (event["event"], event["channel"]) == ("product.approved", "user")
    assert event["data"]["moderation_notes"] == "Отличный товар"


def test_an_app_that_was_killed_gets_what_it_missed_exactly_once(
    tmp_path: Path,
    start_app: StartApp,
    submit: Callable[[], int],
    approve: Callable[..., Any],
) -> None:
    seen, missed, later = submit(), submit(), submit()
    app = start_app()
    approve(seen)
    app.wait(lambda: delivered(app, seen))
    [event] = delivered(app, seen)
    app.wait(lambda: stored(tmp_path)["user"]["seq"] == event["seq"])
    app.kill()
    approve(missed)
    app = start_app()
    app.wait(lambda: delivered(app, missed))
    approve(later)
    app.wait(lambda: delivered(app, later))
    assert [len(delivered(app, product)) for product in (seen, missed, later)] == [0, 1, 1]
    assert app.told("refetch") == []


def test_an_app_that_comes_from_the_background_gets_what_it_missed(
    start_app: StartApp, submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    product_id = submit()
    app = start_app()
    app.call("setForeground", False)
    approve(product_id)
    app.call("setForeground", True)
    app.wait(lambda: delivered(app, product_id))
    assert len(delivered(app, product_id)) == 1


FETCH = """
import { fetchEvents } from './events.mjs';
const [url, token, since] = process.argv.slice(2);
console.log(JSON.stringify(await fetchEvents(url, token, 'user', since)));
"""


def test_events_are_fetched_without_a_websocket(
    tmp_path: Path,
    url: str,
    tokens: dict[str, str],
    submit: Callable[[], int],
    approve: Callable[..., Any],
) -> None:
    (tmp_path / "events.mjs").write_text(pages.block(pages.GUIDE, "file", "events.js"))
    (tmp_path / "fetch.mjs").write_text(FETCH)

    def fetch(*since: str) -> Any:
        command: list[str | Path] = [NODE, tmp_path / "fetch.mjs", url, tokens["user"], *since]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    begun = fetch()
    missed = [submit(), submit()]
    for product_id in missed:
        approve(product_id)
    found = fetch(begun["since"])
    assert [event["data"]["product_id"] for event in found["events"]] == missed
    assert found["recovered"]
    assert fetch(found["since"]) == {**found, "events": []}
    assert fetch("00000000:1") == {**found, "events": [], "recovered": False}


def test_react_native_may_connect_with_its_host_as_the_origin(
    url: str, tokens: dict[str, str]
) -> None:
    address = f"{url.replace('http', 'ws', 1)}/ws/user?token={tokens['user']}"
    with Client.connected(address, origin=url) as client:
        assert client.frames[0].event["data"]["client_type"] == "user"


def command(name: str, url: str) -> str:
    return pages.block(pages.GUIDE, "run", name).replace("localhost:8000", url.partition("//")[2])


def run(script: str) -> str:
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )
    assert "command not found" not in done.stderr, done.stderr
    return done.stdout


@needs_curl_and_jq
def test_the_guides_commands_show_what_it_says(url: str) -> None:
    login = command("login", url)
    assert json.loads(run(command("health", url)))["status"] == "ok"
    assert set(json.loads(run(command("stats", url)))) == {"total", "by_type", "rooms"}
    assert json.loads(run(login + command("refresh", url)))["token_type"] == "bearer"
    claims = json.loads(run(login + command("claims", url)))
    assert (claims["client_type"], claims["exp"][-1]) == ("user", "Z")
    assert run(login + command("handshake", url)) == "101\n"
    assert run("TOKEN=expired\n" + command("handshake", url)) in {"401\n", "403\n"}


@needs_curl_and_jq
def test_both_watching_clients_of_the_guide_see_an_approval(
    tmp_path: Path, url: str, submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    login = command("login", url)
    address = url.replace("http", "ws", 1) + "/ws/user"
    watch = command("watch", url).replace("$TOKEN\n", f"$TOKEN --url {address}\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        running(tmp_path / "a", "bash", "-c", login + watch) as client,
        running(tmp_path / "b", "bash", "-c", login + command("wscat", url)) as wscat,
    ):
        client.wait_for("connected")
        wscat.wait_for('"event":"connected"')
        assert wscat.process.stdin
        wscat.process.stdin.write(b'{"type":"ping"}\n')
        wscat.process.stdin.flush()
        wscat.wait_for('{"event":"pong"}')
        approve(submit())
        client.wait_for("product.approved")
        wscat.wait_for('"event":"product.approved"')


def test_every_command_of_the_guide_is_run_here() -> None:
    named = {block.name for block in pages.blocks(pages.GUIDE) if block.kind == "run"}
    assert named == {
        *("login", "refresh", "health", "claims", "handshake", "stats", "watch", "wscat"),
    }
