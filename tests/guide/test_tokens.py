"""Tokens that end, and the reasons the server gives for closing."""

import pytest

from tests.guide.conftest import StartApp
from tests.guide.fake_server import FakeServer, Frame, closing, connected, error, lasting


def authenticated(seconds: float) -> Frame:
    return {"event": "authenticated"} | lasting(seconds)


def test_a_new_token_is_sent_on_the_open_connection_before_it_ends(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app({"renewAheadMs": 0.01e3}, tokens=["T1", "T2", "T3", "T4"])
    here = server.accept()
    here.send(connected(seconds=0.02, ping=0.01))
    assert here.receive() == {"type": "auth", "token": "T2"}
    here.send(authenticated(0.04))
    assert here.receive() == {"type": "auth", "token": "T3"}
    # No later than before: two hours are the limit. To ask again would be to ask for ever.
    here.send(authenticated(0.04))
    for _ in range(10):
        here.receive_ping()
    here.send(closing("token_expired"))
    assert server.accept().token == "T4"
    # What the app tells comes another way than what it sends: it may be later.
    asked = [{"fresh": False}] + [{"fresh": True}] * 3
    app.wait(lambda: app.told("asked_token") == asked)
    assert app.told("problem") == []


def test_a_connection_lives_on_when_there_is_no_new_token(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app(tokens=["T1", {"fails": "no network"}])
    server.accept().send(connected(seconds=0.02))
    app.wait_for(problem="no network")
    app.wait(lambda: app.state == "online")


@pytest.mark.parametrize("reason", ["token_expired", "everyone_disconnected", "unknown_reason"])
def test_a_connection_closed_for_its_own_sake_is_made_anew(
    server: FakeServer, start_app: StartApp, reason: str
) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected(), closing(reason))
    here.wait_closed()
    server.accept()
    is_fresh = reason == "token_expired"
    app.wait(lambda: app.told("asked_token") == [{"fresh": False}, {"fresh": is_fresh}])


def test_an_account_that_is_disconnected_stays_out(server: FakeServer, start_app: StartApp) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected(), closing("account_disconnected"))
    here.wait_closed()
    app.wait_for(state="stopped", reason="account_disconnected")
    app.call("hint", "background")
    app.call("hint", "foreground")
    assert (app.state, server.has_nobody) == ("stopped", True)


def test_a_device_too_many_waits_until_it_is_looked_at(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected(), closing("too_many_connections"))
    here.wait_closed()
    app.wait_for(state="paused", reason="too_many_connections")
    app.call("hint", "online")
    assert (app.state, server.has_nobody) == ("paused", True)
    app.call("hint", "foreground")
    server.accept().send(connected())
    app.wait_for(state="online")


def test_a_device_too_many_connects_when_its_user_says_so(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    server.accept().send(connected(), closing("too_many_connections"))
    app.wait_for(state="paused", reason="too_many_connections")
    app.call("start")
    server.accept()


def test_after_a_refused_handshake_a_fresh_token_is_asked_for(
    server: FakeServer, start_app: StartApp
) -> None:
    server.refuses = 1
    app = start_app(tokens=["T1", "T2"])
    here = server.accept()
    assert here.token == "T2"
    here.send(connected(), closing("unknown_reason"))
    server.accept()
    app.wait(lambda: [asked["fresh"] for asked in app.told("asked_token")] == [False, True, False])


def test_without_a_token_there_is_nothing_to_do_but_log_in(start_app: StartApp) -> None:
    app = start_app(tokens=[None])
    app.wait_for(state="stopped", reason="login_required")


def test_a_token_that_comes_too_late_opens_nothing(server: FakeServer, start_app: StartApp) -> None:
    app = start_app(tokens=[{"late": "T1"}, "T2"])
    app.wait_for(asked_token={"fresh": False})
    app.call("stop")
    app.call("start")
    here = server.accept()
    assert here.token == "T2"
    here.send(connected(ping=600))
    app.wait_for(state="online")
    app.call("arrive", on="tokens")
    app.call("hint", "online")
    assert here.receive_ping() == {"type": "ping"}


def test_a_token_that_cannot_be_had_now_is_asked_for_again(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app(tokens=[{"fails": "no network"}, "T2"])
    assert server.accept().token == "T2"
    app.wait(lambda: app.told("problem") == ["no network"])


def test_an_expired_connection_is_replaced_with_a_fresh_token(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app(tokens=["T1", "T2"])
    server.accept().send(connected(), error("connection_expired"))
    server.accept()
    app.wait(lambda: app.told("asked_token")[-1] == {"fresh": True})
