"""The guide's programs and commands, on the real stack; only the host is another one."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from harness.bundles import bundle
from local.client import Client
from tests.emulator.test_clients import ROOT, running
from tests.guide import pages
from tests.guide.app import NODE, App
from tests.guide.conftest import driver

__all__ = ["driver"]

needs_curl_and_jq = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="the guide uses curl and jq"
)

StartApp = Callable[[], App]


@pytest.fixture
def start_app(tmp_path: Path, driver: Path, url: str, tokens: dict[str, str]) -> Iterator[StartApp]:
    """Return a way to start an app of the user; all share a storage, and are killed at the end."""
    with ExitStack() as apps:

        def start_app() -> App:
            storage = str(tmp_path / "storage")
            times = {"saveDelayMs": 10, "firstRetryMs": 100}
            app = App(driver, url=url, tokens=[tokens["user"]], storage=storage, times=times)
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


def test_the_guides_first_program_prints_what_the_guide_shows(
    tmp_path: Path,
    url: str,
    tokens: dict[str, str],
    submit: Callable[[], int],
    approve: Callable[..., Any],
) -> None:
    (tmp_path / "first.mjs").write_text(program("first.mjs", url))
    script = bundle(tmp_path / "first.mjs", tmp_path, "node")
    with running(tmp_path, str(NODE), str(script), TOKEN=tokens["user"]) as first:
        first.wait_for("connecting", "online")
        approve(submit())
        first.wait_for("connecting", "online", "New product: Красное платье")


SEED = """
const token = process.env.TOKEN;
const showNotification = (text) => console.log(text);
const refreshProductsList = () => console.log('REFRESH');
"""


def test_the_smallest_client_of_the_guide_is_notified(
    tmp_path: Path,
    url: str,
    tokens: dict[str, str],
    submit: Callable[[], int],
    approve: Callable[..., Any],
) -> None:
    (tmp_path / "smallest.mjs").write_text(
        SEED
        + program("smallest.js", url).replace("const ws =", "const ws = globalThis.ws =")
        + "ws.onopen = () => console.log('OPEN');\n"
    )
    with running(tmp_path, str(NODE), str(tmp_path / "smallest.mjs"), TOKEN=tokens["user"]) as it:
        it.wait_for("OPEN")
        approve(submit())
        it.wait_for("New product: Красное платье", "REFRESH")


def program(name: str, url: str) -> str:
    """Return a program of the page, for this host."""
    return pages.block(pages.GUIDE, "file", name).replace("localhost:8000", url.partition("//")[2])


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
        *("login", "health", "claims", "handshake", "stats", "watch", "wscat"),
    }
