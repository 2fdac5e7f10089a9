"""Tokens that end, and the reasons the server gives for closing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.guide.app import App
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
    assert server.accept().path == "/ws/user?token=T4"
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


@pytest.mark.parametrize("reason", ["token_expired", "everyone_disconnected", "one of tomorrow's"])
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
    assert here.path == "/ws/user?token=T2"
    here.send(connected(), closing("one of tomorrow's"))
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
    assert here.path == "/ws/user?token=T2"
    here.send(connected(ping=600))
    app.wait_for(state="online")
    app.call("arrive", on="tokens")
    app.call("hint", "online")
    assert here.receive_ping() == {"type": "ping"}


def test_a_token_that_cannot_be_had_now_is_asked_for_again(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app(tokens=[{"fails": "no network"}, "T2"])
    assert server.accept().path == "/ws/user?token=T2"
    app.wait(lambda: app.told("problem") == ["no network"])


def test_an_expired_connection_is_replaced_with_a_fresh_token(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app(tokens=["T1", "T2"])
    server.accept().send(connected(), error("connection_expired"))
    server.accept()
    app.wait(lambda: app.told("asked_token")[-1] == {"fresh": True})


def test_a_token_may_ride_outside_the_url(server: FakeServer, start_app: StartApp) -> None:
    app = start_app(inProtocol=True)
    here = server.accept()
    assert (here.path, here.protocol) == ("/ws/user", "bearer, T1")
    here.send(connected())
    app.wait_for(state="online")


class Issuer(BaseHTTPRequestHandler):
    """Exchanges `R1` for `T2` and `R2`, and so on; answers `status` when that is another one."""

    status = 200
    received: list[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.received.append(f"{self.path} {body}")
        self.send_response(self.status)
        self.end_headers()
        number = int(body["refresh_token"].removeprefix("R")) + 1
        answer = {"access_token": f"T{number}", "expires_in": 3600, "refresh_token": f"R{number}"}
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def issuing() -> Iterator[tuple[type[Issuer], str]]:
    """Serve an issuer of its own; yield it and its URL."""
    issuer = type("OwnIssuer", (Issuer,), {"received": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), issuer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield issuer, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def login(app: App, seconds: float = 3600) -> None:
    answer = {"access_token": "T1", "expires_in": seconds, "refresh_token": "R1"}
    app.call("set", answer, on="tokens")


def test_a_kept_token_is_exchanged_when_it_ends_soon(start_app: StartApp) -> None:
    with issuing() as (issuer, url):
        app = start_app(tokensUrl=url)
        assert app.call("getToken", on="tokens") is None
        login(app)
        assert app.call("getToken", on="tokens") == "T1"
        assert app.call("getToken", {"fresh": True}, on="tokens") == "T1"  # a minute old at most
        login(app, seconds=100)
        assert app.call("getToken", on="tokens") == "T2"
        assert app.call("getToken", on="tokens") == "T2"
        assert issuer.received == ["/api/v1/auth/refresh {'refresh_token': 'R1'}"]


def test_two_who_ask_at_once_share_one_exchange(start_app: StartApp) -> None:
    with issuing() as (issuer, url):
        app = start_app(tokensUrl=url)
        login(app, seconds=100)
        assert app.call("getTwoAtOnce", on="tokens") == ["T2", "T2"]
        assert len(issuer.received) == 1


def test_a_token_that_is_refused_is_kept_no_more(start_app: StartApp) -> None:
    with issuing() as (issuer, url):
        issuer.status = 401
        app = start_app(tokensUrl=url)
        login(app, seconds=100)
        assert app.call("getToken", on="tokens") is None
        issuer.status = 200
        assert app.call("getToken", on="tokens") is None


def test_a_token_that_still_lives_will_do_when_there_is_no_newer_one(start_app: StartApp) -> None:
    with issuing() as (issuer, url):
        issuer.status = 503
        app = start_app(tokensUrl=url)
        login(app, seconds=100)
        assert app.call("getToken", on="tokens") == "T1"
        assert issuer.received
