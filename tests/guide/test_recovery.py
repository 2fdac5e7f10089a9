"""Events: each once and in order, none missed, whatever the connection does."""

from pathlib import Path

from tests.guide.conftest import StartApp
from tests.guide.fake_server import (
    FakeServer,
    at,
    closing,
    connected,
    error,
    event,
    recovered,
    resume,
)


def stored(tmp_path: Path) -> str:
    path = tmp_path / "storage"
    return path.read_text() if path.exists() else ""


def test_a_restarted_app_goes_on_from_what_it_stored(
    server: FakeServer, start_app: StartApp, tmp_path: Path
) -> None:
    app = start_app()
    server.accept().send(connected(57), event(58))
    app.wait(lambda: stored(tmp_path) == '{"user":{"epoch":"e","seq":58}}')
    app.kill()
    app = start_app()
    here = server.accept()
    here.send(connected(60))
    assert here.receive() == resume(58)
    here.send(event(59), event(60), recovered(60))
    app.wait_for(state="online")
    app.wait_for_events(59, 60)


def test_a_new_app_stores_where_it_began_before_any_event(
    server: FakeServer, start_app: StartApp, tmp_path: Path
) -> None:
    app = start_app()
    server.accept().send(connected(57))
    app.wait(lambda: stored(tmp_path) == '{"user":{"epoch":"e","seq":57}}')


def test_going_to_the_background_stores_at_once(
    server: FakeServer, start_app: StartApp, tmp_path: Path
) -> None:
    app = start_app({"saveDelayMs": 600_000})
    server.accept().send(connected(57))
    app.wait_for(state="online")
    app.call("hint", "background")
    app.wait(lambda: stored(tmp_path))


def test_what_cannot_be_read_from_storage_is_begun_anew(
    server: FakeServer, start_app: StartApp, tmp_path: Path
) -> None:
    (tmp_path / "storage").write_text("{half a")
    app = start_app()
    server.accept().send(connected(57), event(58))
    app.wait_for_events(58)
    assert len(app.told("problem")) == 1


def test_early_and_repeated_events_are_delivered_once_and_in_order(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    here = server.accept()
    here.send(event(1), connected(0), event(3), event(3))
    assert here.receive() == resume(1)
    here.send(event(4), event(1), event(2), event(3), event(4), recovered(4), event(5), event(3))
    app.wait_for_events(1, 2, 3, 4, 5)
    here.send(event(7))
    assert here.receive() == resume(5)
    here.send(event(6), event(7), recovered(7), closing("unknown_reason"))
    app.wait_for_events(1, 2, 3, 4, 5, 6, 7)


def test_one_event_in_two_channels_is_delivered_in_each(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    both = connected(0)
    both["data"]["positions"]["user:1"] = at(7)
    server.accept().send(both, event(1), event(8, "user:1") | {"id": "id-1"})
    app.wait_for_events(1, 8)
    assert [one["id"] for one in app.told("event")] == ["id-1", "id-1"]


def test_what_cannot_be_recovered_is_to_be_refetched_and_gone_on_from(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected(57))
    app.wait_for(state="online")
    here.drop()
    here = server.accept()
    here.send(connected(900))
    assert here.receive() == resume(57)
    here.send(recovered(901, is_recovered=False), event(901), event(902))
    app.wait_for_events(902)
    app.wait(lambda: app.told("refetch") == ["user"])
    app.wait(lambda: app.state == "online")


def test_an_app_can_tell_its_position(server: FakeServer, start_app: StartApp) -> None:
    app = start_app()
    assert app.call("position", "user") is None
    here = server.accept()
    here.send(connected(57))
    app.wait_for(state="online")
    assert app.call("position", "user") == at(57)
    here.send(event(58))
    app.wait_for_events(58)
    assert app.call("position", "user") == at(58)
    assert app.call("position", "room:none") is None


def test_numbers_of_a_new_epoch_wait_until_it_is_known_where_it_stands(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected(57))
    app.wait_for(state="online")
    here.drop()
    here = server.accept()
    # 58 would be the next one, and 5 a repeat, if they were counted as before.
    here.send(connected(4, "new"), event(58), event(5))
    assert here.receive() == resume(57)
    here.send(recovered(4, "new", is_recovered=False))
    app.wait_for_events(5)
    app.wait(lambda: app.told("refetch") == ["user"])
    assert here.receive() == resume(5, "new")


def test_what_waited_on_one_connection_is_not_taken_for_the_next_ones(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected(0), event(5))
    assert here.receive() == resume(0)
    here.drop()
    here = server.accept()
    here.send(connected(4, "new"))
    assert here.receive() == resume(0)
    here.send(recovered(4, "new", is_recovered=False), event(5) | {"id": "another"})
    app.wait_for_events(5)
    assert app.told("event")[0]["id"] == "another"


def test_a_recovery_that_broke_off_is_asked_for_again(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected(0), event(3))
    assert here.receive() == resume(0)
    here.send(event(1), error("recovery_interrupted"))
    assert here.receive() == resume(1)
    here.send(event(2), event(3), recovered(3))
    app.wait_for_events(1, 2, 3)
    assert app.told("problem") == []


def test_what_was_refused_as_too_many_requests_is_sent_again_after_the_wait(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app({"answerTimeoutMs": 900})  # shorter than the wait, and no reconnection
    here = server.accept()
    here.send(connected(0), event(2))
    assert here.receive() == resume(0)
    refusal = error("too_many_requests")
    refusal["data"]["retry_after"] = 1
    here.send(refusal)
    assert here.receive() == resume(0)
    here.send(event(1), recovered(2))
    app.wait_for_events(1, 2)
    assert app.told("problem") == []


def test_a_recovery_that_is_never_answered_is_asked_for_on_another_connection(
    server: FakeServer, start_app: StartApp
) -> None:
    start_app({"answerTimeoutMs": 20})
    here = server.accept()
    here.send(connected(0), event(2))
    assert here.receive() == resume(0)
    here.wait_closed()
    here = server.accept()
    here.send(connected(2))
    assert here.receive() == resume(0)


def test_a_mistake_in_the_app_does_not_cost_it_what_follows(
    server: FakeServer, start_app: StartApp
) -> None:
    app = start_app(failsAt=1)
    here = server.accept()
    here.send(connected(0), event(1), {"message": "Internal server error"}, event(2))
    app.wait_for_events(1, 2)
    app.wait(lambda: app.told("problem") == ["a mistake in the app"])


def test_frames_of_api_gateway_itself_are_ignored(server: FakeServer, start_app: StartApp) -> None:
    app = start_app()
    here = server.accept()
    here.send(connected(57))
    here.send_text("")
    failed = {"message": "Internal server error", "connectionId": "x", "requestId": "y"}
    here.send(failed, event(58))
    app.wait_for_events(58)
    assert app.told("problem") == []


def test_an_app_that_forgets_begins_where_the_channels_stand(
    server: FakeServer, start_app: StartApp, tmp_path: Path
) -> None:
    app = start_app()
    server.accept().send(connected(57))
    app.wait_for(state="online")
    app.call("logout")
    assert stored(tmp_path) == ""
    app.call("start")
    server.accept().send(connected(60), event(61))
    app.wait_for_events(61)
