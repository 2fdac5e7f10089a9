"""The client package on the deployed stack: both WebSockets of Node, and two tabs of a browser."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import browser
from harness.bundles import PACKAGE, bundle
from local.client import Api
from local.emulator import PASSWORD
from tests.emulator.conftest import wait_until
from tests.guide.app import App
from tests.guide.conftest import driver

__all__ = ["driver"]

HERE = Path(__file__).parent
TIMES = {"firstRetryMs": 100, "maxRetryMs": 500, "saveDelayMs": 10, "backgroundGraceMs": 0}


@pytest.fixture
def announce(api: Api, tokens: dict[str, str]) -> Callable[[str], None]:
    """Return a way to announce to the room `sale`."""

    def announce(title: str) -> None:
        body = {"to": "room:sale", "title": title, "text": "Сегодня"}
        api.call("POST", "/api/v1/admin/announcements", tokens["admin"], json=body)

    return announce


@pytest.mark.parametrize("websocket", ["of Node", "of the package ws"])
def test_an_app_in_node_connects_recovers_joins_a_room_and_logs_out(
    tmp_path: Path,
    driver: Path,
    url: str,
    submit: Callable[[], int],
    approve: Callable[..., Any],
    announce: Callable[[str], None],
    websocket: str,
) -> None:
    ws = str(PACKAGE / "package.json") if websocket == "of the package ws" else None
    app = App(driver, url=url, ws=ws, storage=str(tmp_path / "storage"), times=TIMES)
    try:
        app.call("login", "user@example.com", PASSWORD)
        app.call("start")
        app.wait_for(state="online")
        app.call("join", "sale")
        app.wait(lambda: app.call("position", "room:sale"))
        missed, later = submit(), submit()
        app.call("hint", "background")
        app.wait_for(state="paused", reason="background")
        approve(missed)
        announce("Скидки")
        app.call("hint", "foreground")
        app.wait(lambda: len(app.told("event")) == 2)
        approve(later)
        app.wait(lambda: len(app.told("event")) == 3)
        found = {event["channel"]: event["data"] for event in app.told("event")[:2]}
        assert found["user"]["product_id"] == missed
        assert found["room:sale"]["title"] == "Скидки"
        app.call("logout")
        app.wait_for(state="stopped", reason="logged_out")
        app.call("start")
        app.wait_for(state="stopped", reason="login_required")
        assert (app.told("refetch"), app.told("problem")) == ([], [])
    finally:
        app.kill()


class Tabs:
    """Tabs of one browser, whose network can be cut: tabs.mjs takes the steps."""

    def __init__(self, url: str, page: Path) -> None:
        environment = os.environ | {"URL": url, "BUNDLE": str(page), "PASSWORD": PASSWORD}
        self._process = subprocess.Popen(
            [browser.NODE, HERE / "tabs.mjs"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, *step: object) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(step), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        assert "failed" not in answer, json.dumps([step, answer], ensure_ascii=False)
        return answer["value"]

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture
def tabs(tmp_path: Path, url: str) -> Iterator[Tabs]:
    if reason := browser.why_not():
        pytest.skip(reason)
    tabs = Tabs(url, bundle(HERE / "tabs_page.mjs", tmp_path, "browser"))
    yield tabs
    tabs.close()


def test_two_tabs_share_a_socket_through_a_lost_network_rooms_and_logout(
    tabs: Tabs,
    api: Api,
    submit: Callable[[], int],
    approve: Callable[..., Any],
    announce: Callable[[str], None],
) -> None:
    def connections() -> Any:
        return api.call("GET", "/ws/stats")["total"]

    def approve_another() -> str:
        return str(approve(submit()).json()["product"]["product_name"])

    def both_are_told(word: str) -> None:
        for tab in ("one", "two"):
            tabs.do("wait", tab, word)

    wait_until(connections, 0)
    tabs.do("open", "one")
    tabs.do("logIn", "one")
    tabs.do("wait", "one", "online")
    tabs.do("open", "two")
    tabs.do("call", "two", "start")
    tabs.do("wait", "two", "online")
    both_are_told(first := approve_another())
    # The statistics may be two seconds old.
    wait_until(connections, 1)

    tabs.do("call", "two", "join", "sale")
    announce("Скидки")
    tabs.do("wait", "two", "Скидки")

    tabs.do("cut")
    both_are_told("offline no_network")
    missed = [approve_another(), approve_another()]
    announce("Распродажа")
    tabs.do("mend")
    for name in missed:
        both_are_told(name)
    tabs.do("wait", "two", "Распродажа")
    wait_until(connections, 1)

    tabs.do("close", "one")
    both = approve_another()
    tabs.do("wait", "two", both)
    words = [first, *missed, both, "Скидки", "Распродажа"]
    told = [word for word in tabs.do("told", "two") if word in words or "refetch" in word]
    assert sorted(told) == sorted(words)
    assert [word for word in told if word in {first, *missed, both}] == [first, *missed, both]

    tabs.do("open", "one")
    tabs.do("call", "one", "start")
    tabs.do("wait", "one", "online")
    tabs.do("call", "one", "logOut")
    tabs.do("wait", "one", "stopped logged_out")
    tabs.do("wait", "two", "stopped account_disconnected")
    wait_until(connections, 0)
