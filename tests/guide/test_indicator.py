"""The connection indicator, which does not flash."""

from tests.guide.conftest import StartApp
from tests.guide.fake_server import FakeServer, closing, connected

LONG_MS = 600_000


def test_a_short_break_is_not_shown(server: FakeServer, start_app: StartApp) -> None:
    app = start_app(indicatorMs=LONG_MS)
    for _ in range(3):
        here = server.accept()
        here.send(connected())
        app.wait_for(state="online")
        here.drop()
    server.accept().send(connected())
    app.wait(lambda: len(app.told("shown")) == 4)
    app.wait(lambda: app.told("shown") == ["online"] * 4)


def test_a_long_break_is_shown_and_so_is_its_end(server: FakeServer, start_app: StartApp) -> None:
    app = start_app({"firstDelayMs": LONG_MS, "longestDelayMs": LONG_MS}, indicatorMs=1)
    here = server.accept()
    here.send(connected())
    app.wait_for(shown="online")
    here.drop()
    app.wait_for(shown="offline")
    app.call("networkChanged")
    server.accept().send(connected())
    app.wait(lambda: app.told("shown")[-3:] == ["offline", "connecting", "online"])


def test_the_background_is_no_break(server: FakeServer, start_app: StartApp) -> None:
    app = start_app(indicatorMs=1)
    server.accept().send(connected())
    app.wait_for(shown="online")
    app.call("setForeground", False)
    app.wait_for(state="paused")
    shown = app.told("shown")
    assert shown[-1] == "online"


def test_what_only_the_user_can_end_is_shown_at_once(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app(indicatorMs=LONG_MS)
    server.accept().send(connected(), closing("too_many_connections"))
    app.wait(lambda: app.told("shown") == ["online", "paused"])
