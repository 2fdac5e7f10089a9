"""Rooms: joined on every connection, and forgotten when left."""

import pytest

from tests.guide.conftest import StartApp
from tests.guide.fake_server import (
    FakeServer,
    closing,
    connected,
    error,
    event,
    joined,
    left,
    recovered,
    resume,
)

JOIN = {"type": "join", "room": "sale"}
LEAVE = {"type": "leave", "room": "sale"}


def test_a_room_is_joined_on_every_connection_and_resumed(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    app.call("join", "sale")
    here = server.accept()
    here.send(connected())
    assert here.receive() == JOIN
    here.send(event(6, "room:sale"), joined("sale", 5), event(7, "room:sale"))
    app.wait_for_events(6, 7)
    here.drop()
    here = server.accept()
    here.send(connected())
    assert here.receive() == JOIN
    here.send(joined("sale", 9))
    assert here.receive() == resume(7, channel="room:sale")
    here.send(event(8, "room:sale"), event(9, "room:sale"), recovered(9, channel="room:sale"))
    app.wait_for_events(6, 7, 8, 9)


def test_a_room_that_is_left_is_forgotten(server: FakeServer, start_app: StartApp) -> None:
    app = start_app()
    app.call("join", "sale")
    here = server.accept()
    here.send(connected())
    assert here.receive() == JOIN
    here.send(joined("sale", 5), event(6, "room:sale"))
    app.wait_for_events(6)
    app.call("leave", "sale")
    assert here.receive() == LEAVE
    here.send(event(7, "room:sale"), left("sale"), event(1))
    app.wait_for_events(6, 1)
    app.call("join", "sale")
    assert here.receive() == JOIN
    here.send(joined("sale", 20), event(21, "room:sale"))
    app.wait_for_events(6, 1, 21)
    here.send(closing("unknown_reason"))
    here = server.accept()
    here.send(connected(1))
    assert here.receive() == JOIN


def test_a_room_is_left_only_after_the_answer_to_join(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected())
    app.wait_for(state="online")
    app.call("join", "sale")
    app.call("join", "news")
    app.call("leave", "sale")
    assert here.receive() == JOIN
    assert here.has_said_nothing
    here.send(joined("sale", 5))
    assert here.receive() == LEAVE
    here.send(left("sale"))
    assert here.receive() == {"type": "join", "room": "news"}
    here.drop()
    here = server.accept()
    here.send(connected())
    assert here.receive() == {"type": "join", "room": "news"}


def test_a_room_that_was_left_is_not_reported(server: FakeServer, start_app: StartApp) -> None:
    app = start_app()
    app.call("join", "sale")
    here = server.accept()
    here.send(connected())
    assert here.receive() == JOIN
    here.send(joined("sale", 5), event(9, "room:sale"))
    assert here.receive() == resume(5, channel="room:sale")
    app.call("leave", "sale")
    here.send(recovered(9, channel="room:sale", is_recovered=False), left("sale"), event(1))
    app.wait_for_events(1)
    assert app.told("refetch") == []
    app.wait(lambda: app.state == "online")


@pytest.mark.parametrize("code", ["too_many_rooms", "room_forbidden"])
def test_a_refused_room_is_reported_and_not_joined_again(
    server: FakeServer, start_app: StartApp, code: str
) -> None:
    app = start_app()
    app.call("join", "sale")
    app.call("join", "news")
    here = server.accept()
    here.send(connected())
    assert here.receive() == JOIN
    here.send(error(code))
    assert here.receive() == {"type": "join", "room": "news"}
    app.wait_for(problem=code)
    here.drop()
    here = server.accept()
    here.send(connected())
    assert here.receive() == {"type": "join", "room": "news"}


def test_a_join_that_is_never_answered_is_sent_on_another_connection(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app({"answerTimeoutMs": 20})
    app.call("join", "sale")
    here = server.accept()
    here.send(connected())
    assert here.receive() == JOIN
    here.wait_closed()
    here = server.accept()
    here.send(connected())
    assert here.receive() == JOIN
