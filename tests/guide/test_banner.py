"""The banner, which does not flash."""

from tests.guide.conftest import StartApp
from tests.guide.fake_server import FakeServer, closing, connected

LONG_MS = 600_000


def test_a_short_break_is_not_shown(server: FakeServer, start_app: StartApp) -> None:
    app = start_app(bannerMs=LONG_MS)
    for _ in range(3):
        here = server.accept()
        here.send(connected())
        app.wait_for(state="online")
        here.drop()
    server.accept().send(connected())
    app.wait(lambda: app.told("state").count("online") == 4)
    assert app.told("shown") == []


def test_a_long_break_is_shown_and_so_is_its_end(server: FakeServer, start_app: StartApp) -> None:
    app = start_app({"firstRetryMs": LONG_MS, "maxRetryMs": LONG_MS}, bannerMs=1)
    here = server.accept()
    here.send(connected())
    app.wait_for(state="online")
    here.drop()
    app.wait_for(shown="offline")
    app.call("hint", "online")
    server.accept().send(connected())
    app.wait(lambda: app.told("shown")[-3:] == ["offline", "connecting", None])


def test_the_background_is_no_break(server: FakeServer, start_app: StartApp) -> None:
    app = start_app(bannerMs=1)
    server.accept().send(connected())
    app.wait_for(state="online")
    app.call("hint", "background")
    app.wait_for(state="paused")
    assert app.told("shown")[-1:] in ([], [None])


def test_what_only_the_user_can_end_is_shown_at_once(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app(bannerMs=LONG_MS)
    server.accept().send(connected(), closing("too_many_connections"))
    app.wait(lambda: app.told("shown") == ["paused"])
