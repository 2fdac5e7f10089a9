"""Connections that end, that are refused, and that are dead without anyone saying so."""

import socket

from tests.guide.app import App
from tests.guide.conftest import StartApp
from tests.guide.fake_server import FakeServer, connected, event, resume

FOREVER_MS = 600_000


def test_a_dropped_connection_is_resumed_from_where_it_stood(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    here = server.accept()
    assert (here.path, here.token) == ("/ws/user?batch=1", "T1")
    here.send(connected(57), event(58))
    app.wait_for_events(58)
    here.drop()
    here = server.accept()
    assert here.path == "/ws/user?batch=1&positions=user:e:58"
    here.send(connected(60))
    assert here.receive() == resume(58)
    states = ["connecting", "online", "offline", "connecting", "catching_up"]
    app.wait(lambda: app.told("state") == states)


def test_an_app_never_gives_up(server: FakeServer, start_app: StartApp) -> None:
    server.refuses = 12
    app = start_app({"firstRetryMs": 1})
    server.accept().send(connected())
    app.wait_for(state="online")
    app.wait(lambda: app.told("state").count("connecting") == 13)


def pauses(app: App) -> list[float]:
    """Return how long the app waited before it connected again, each time, in milliseconds."""
    return [ms for ms in app.told("timer") if ms < 10]


def test_pauses_grow_to_the_ceiling(server: FakeServer, start_app: StartApp) -> None:
    server.refuses = 6
    app = start_app({"firstRetryMs": 2, "maxRetryMs": 9, "saveDelayMs": 11}, random=0.5)
    server.accept()
    app.wait(lambda: pauses(app) == [1, 2, 4, 4.5, 4.5, 4.5])


def test_a_connection_that_did_not_last_leaves_the_next_pause_long(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app({"firstRetryMs": 2, "maxRetryMs": 9, "saveDelayMs": 11}, random=0.5)
    for _ in range(4):
        here = server.accept()
        here.send(connected())
        here.drop()
    server.accept()
    app.wait(lambda: pauses(app) == [1, 2, 4, 4.5])


def test_a_connection_that_lasted_makes_the_next_pause_short(
    server: FakeServer, start_app: StartApp
) -> None:
    server.refuses = 3
    times = {"firstRetryMs": 2, "maxRetryMs": 9, "stableMs": 11, "saveDelayMs": 11}
    app = start_app(times, random=0.5)
    here = server.accept()
    here.send(connected(ping=0.02))
    here.receive_ping()  # longer than 11 ms
    here.drop()
    server.accept()
    app.wait(lambda: pauses(app) == [1, 2, 4, 1])


def test_a_connection_that_answers_no_ping_is_replaced(
    server: FakeServer, start_app: StartApp
) -> None:
    start_app({"pongTimeoutMs": 20})
    here = server.accept()
    here.answers_pings = False
    here.send(connected(ping=0.01))
    assert here.receive_ping() == {"type": "ping"}
    here.wait_closed()
    server.accept()


def test_a_connection_that_answers_pings_is_kept(server: FakeServer, start_app: StartApp) -> None:
    app = start_app({"pongTimeoutMs": 1000})
    here = server.accept()
    here.send(connected(ping=0.01))
    for _ in range(120):
        here.receive_ping()
    app.wait(lambda: app.told("state") == ["connecting", "online"])


def test_whatever_comes_puts_the_next_ping_off(server: FakeServer, start_app: StartApp) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected(ping=599), event(1), event(2))
    app.wait_for_events(1, 2)
    app.wait(lambda: app.told("timer").count(599_000) == 3)


def test_a_handshake_that_never_ends_is_given_up(start_app: StartApp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        app = start_app({"handshakeTimeoutMs": 30}, url=url)
        app.wait(lambda: app.told("state").count("connecting") == 3)


def test_a_token_that_never_comes_is_asked_for_again(start_app: StartApp) -> None:
    app = start_app({"tokenTimeoutMs": 10}, tokens=["never"])
    app.wait(lambda: len(app.told("asked_token")) == 3)


def test_a_server_that_never_greets_is_left(server: FakeServer, start_app: StartApp) -> None:
    start_app({"greetingTimeoutMs": 10})
    server.accept().wait_closed()
    server.accept()


def test_in_the_background_there_is_no_connection_and_in_the_foreground_at_once(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app({"firstRetryMs": FOREVER_MS, "maxRetryMs": FOREVER_MS})
    here = server.accept()
    here.send(connected(57))
    app.wait_for(state="online")
    app.call("hint", "background")
    here.wait_closed()
    app.wait_for(state="paused", reason="background")
    app.call("hint", "online")
    app.wait(lambda: app.state == "paused")
    app.call("hint", "foreground")
    server.accept()


def test_coming_to_the_foreground_cuts_a_pause_short(
    server: FakeServer, start_app: StartApp
) -> None:
    server.refuses = 1
    app = start_app({"firstRetryMs": FOREVER_MS, "maxRetryMs": FOREVER_MS})
    app.wait_for(state="offline")
    app.call("hint", "foreground")
    server.accept()


def test_another_network_cuts_a_pause_short(server: FakeServer, start_app: StartApp) -> None:
    server.refuses = 1
    app = start_app({"firstRetryMs": FOREVER_MS, "maxRetryMs": FOREVER_MS})
    app.wait_for(state="offline")
    app.call("hint", "online")
    server.accept()


def test_on_another_network_an_open_connection_is_tried_at_once(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected(ping=600))
    app.wait_for(state="online")
    app.call("hint", "online")
    assert here.receive_ping() == {"type": "ping"}


def test_what_is_stopped_stays_stopped(server: FakeServer, start_app: StartApp) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected())
    app.wait_for(state="online")
    app.call("stop")
    here.wait_closed()
    app.call("hint", "foreground")
    app.call("hint", "online")
    assert (app.state, server.has_nobody) == ("stopped", True)
    app.call("start")
    server.accept()
