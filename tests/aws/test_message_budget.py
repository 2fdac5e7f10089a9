"""What one client's messages may cost."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.connect.handler import handler as connect_handler
from functions.message.handler import handler
from harness import deployment
from harness.gateway_events import CONTEXT, frame_of
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Clock, connect, stored
from vitrina import buckets, connections, history, message_budget, recovery, rooms, sender
from vitrina.channels import ClientType
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import Change
from vitrina.message_budget import MESSAGES

BEHIND = 500


@pytest.fixture(autouse=True)
def _connected(management_api: ManagementApiStub) -> None:
    connect("c1", ClientType.USER, account_id=1)


def say(message: Any, connection_id: str = "c1") -> Any:
    event = {
        "requestContext": {"eventType": "MESSAGE", "connectionId": connection_id},
        "body": message if isinstance(message, str) else json.dumps(message),
    }
    return json.loads(frame_of(handler(event, CONTEXT)))


def handshake(token: str) -> int:
    context = {"eventType": "CONNECT", "connectionId": "again"}
    event = {"requestContext": context, "queryStringParameters": {"token": token}}
    return int(connect_handler(event, CONTEXT)["statusCode"])


def announce(count: int) -> dict[str, Any]:
    """Publish so many events; return the position before them."""
    before = history.positions(["user"])["user"]
    data = Announcement(to="user", title="Тест", text="Тест", admin_id=1)
    changes = (Change(None, [AnnouncementPublished(data=data)]) for _ in range(count))
    for batch in history.batches(changes):
        history.commit(batch)
    return {"user": {"epoch": before.epoch, "seq": before.seq}}


def code(answer: Any) -> str:
    return str(answer.get("data", {}).get("code", answer["event"]))


@pytest.mark.parametrize("per_second", [20, 100, 1000])
def test_a_hundred_resumes_are_one_recovery_then_refusals_then_the_end(
    management_api: ManagementApiStub, at: Clock, per_second: int
) -> None:
    since = announce(40)
    answers: Counter[str] = Counter()
    for number in range(100):
        at(number / per_second)
        answer = say({"type": "resume", "positions": since})
        answers[code(answer)] += 1
        if code(answer) == "too_many_requests":
            assert 1 <= answer["data"]["retry_after"] <= 130
    assert answers["recovered"] == 1
    events = [json.loads(body)["event"] for body in management_api.received["c1"]]
    assert Counter(events) == {"announcement.published": 40, "closing": 1}
    assert json.loads(management_api.received["c1"][-1])["data"] == {"reason": "too_many_requests"}
    assert management_api.closed == ["c1"]
    assert answers["connection_expired"] == 100 - 1 - answers["too_many_requests"]
    assert 85 <= answers["too_many_requests"] <= 95


def test_an_account_that_was_closed_for_abuse_waits_a_minute_and_others_do_not(at: Clock) -> None:
    for _ in range(91):
        say({"type": "ping"})
    assert handshake(token_of(ClientType.USER, 1)) == 429
    assert handshake(token_of(ClientType.USER, 2)) == 200
    assert handshake(token_of(ClientType.ADMIN, 1)) == 200
    at(61)
    assert handshake(token_of(ClientType.USER, 1)) == 200


@pytest.mark.parametrize(
    "message",
    ["", "{", {"type": "dance"}, {"type": "ping"}, {"type": "leave", "room": "never-joined"}],
    ids=str,
)
def test_what_changes_nothing_counts_too(message: Any, at: Clock) -> None:
    answers = Counter(code(say(message)) for _ in range(40))
    assert answers["too_many_requests"] == 10
    at(2)
    assert code(say(message)) == "too_many_requests"  # refused messages were counted
    at(60)
    assert code(say(message)) != "too_many_requests"


def test_a_resume_of_two_events_is_not_limited_beyond_its_message(at: Clock) -> None:
    since = announce(2)
    answers = [code(say({"type": "resume", "positions": since})) for _ in range(5)]
    assert answers == ["recovered"] * 5


def test_after_a_recovery_its_connection_rests_a_second_for_each_post(at: Clock) -> None:
    since = announce(11)
    message = {"type": "resume", "positions": since}
    assert code(say(message)) == "recovered"
    refused = say(message)
    assert (code(refused), refused["data"]["retry_after"]) == ("too_many_requests", 10)
    at(9)
    assert code(say(message)) == "too_many_requests"
    at(11)
    assert code(say(message)) == "recovered"


def test_batches_are_counted_as_posts_and_the_answer_and_two_posts_are_free(
    management_api: ManagementApiStub, at: Clock
) -> None:
    connect("c2", ClientType.USER, account_id=1, takes_batches=True)
    since = announce(400)
    for _ in range(3):
        answer = say({"type": "resume", "positions": since}, "c2")
        assert code(answer["events"][-1]) == "recovered"
    assert len(management_api.received["c2"]) == 3 * 2


def test_after_batches_a_connection_rests_a_second_for_each_post(
    management_api: ManagementApiStub, at: Clock
) -> None:
    connect("c2", ClientType.USER, account_id=1, takes_batches=True)
    message = {"type": "resume", "positions": announce(700)}
    assert code(say(message, "c2")["events"][-1]) == "recovered"
    posts = len(management_api.received["c2"])
    assert posts == 4
    refused = say(message, "c2")
    assert (code(refused), refused["data"]["retry_after"]) == ("too_many_requests", posts - 1)
    at(posts - 1)
    assert code(say(message, "c2")["events"][-1]) == "recovered"


def test_batches_too_are_recovered_one_at_a_time(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many frames they are is known after reading, so the lease is taken before."""
    connect("c2", ClientType.USER, account_id=1, takes_batches=True)
    message = {"type": "resume", "positions": announce(3)}
    recover, answers = recovery.recover, []

    def ask_meanwhile(*arguments: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(recovery, "recover", recover)
            answers.append(say(message, "c2"))
        return recover(*arguments)

    monkeypatch.setattr(recovery, "recover", ask_meanwhile)
    assert say(message, "c2")["event"] == "batch"
    assert [code(answer) for answer in answers] == ["too_many_requests"]


def test_an_identity_has_as_many_recoveries_in_batches(at: Clock) -> None:
    connect("c2", ClientType.USER, account_id=1, takes_batches=True)
    message = {"type": "resume", "positions": announce(3)}
    answers = [say(message, "c2") for _ in range(22)]
    assert [answer["event"] for answer in answers] == ["batch"] * 20 + ["recovered"] * 2
    assert [answer["data"]["recovered"] for answer in answers[20:]] == [False] * 2


def test_a_channel_that_is_not_recovered_makes_no_recovery_of_another_free(
    management_api: ManagementApiStub,
) -> None:
    """Its part of the limit is used by the other."""
    room = Announcement(to="room:sale", title="Тест", text="Тест", admin_id=1)
    start = history.positions(["room:sale"])["room:sale"]
    history.commit([Change(None, [AnnouncementPublished(data=room)])])
    rooms.join(stored("c1"), "sale")
    since = {"room:sale": {"epoch": start.epoch, "seq": start.seq}, **announce(500)}
    message = {"type": "resume", "positions": since}
    answer = say(message)
    assert answer["data"]["channels"]["room:sale"]["recovered"] is False
    assert len(management_api.received["c1"]) == 500
    assert code(say(message)) == "too_many_requests"


def test_a_recovery_that_died_is_over_after_half_a_minute(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = announce(5)
    message = {"type": "resume", "positions": since}

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "recover", die)
        patch.setattr(message_budget, "_set_recovering_until", _only_the_first())
        with pytest.raises(KeyboardInterrupt):
            say(message)
    at(29)
    assert code(say(message)) == "too_many_requests"
    at(31)
    assert code(say(message)) == "recovered"


def _only_the_first() -> Any:
    """Write the lease, and not its end: the process is gone."""
    write, calls = message_budget._set_recovering_until, []

    def once(*arguments: Any, **more: Any) -> Any:
        calls.append(arguments)
        return write(*arguments, **more) if len(calls) == 1 else None

    return once


def test_an_identity_that_recovers_again_and_again_is_told_to_fetch(at: Clock) -> None:
    since = announce(3)
    answers = []
    for number in range(22):
        connect(f"c-{number}", ClientType.USER, account_id=1)
        answers.append(say({"type": "resume", "positions": since}, f"c-{number}"))
    assert [answer["data"]["recovered"] for answer in answers] == [True] * 20 + [False] * 2
    connect("other", ClientType.USER, account_id=2)
    assert say({"type": "resume", "positions": since}, "other")["data"]["recovered"] is True


def test_a_recovery_stops_when_its_connection_has_ended(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = announce(35)
    post = sender.post

    def post_and_end(*arguments: Any, **more: Any) -> Any:
        delivery = post(*arguments, **more)
        connections.expire("c1")
        return delivery

    monkeypatch.setattr(sender, "post", post_and_end)
    assert code(say({"type": "resume", "positions": since})) == "connection_expired"
    assert len(management_api.received["c1"]) == 10


def test_an_honest_burst_is_never_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two resumes, twenty joins and an auth at once, as after a reconnection."""
    since = announce(0)
    burst: list[Any] = [{"type": "resume", "positions": since}] * 2
    burst += [{"type": "join", "room": f"room-{n}"} for n in range(20)]
    burst.append({"type": "auth", "token": token_of(ClientType.USER, 1)})
    with ThreadPoolExecutor(8) as pool:
        answers = Counter(code(answer) for answer in pool.map(say, burst))
    assert answers == {"recovered": 2, "joined": 20, "authenticated": 1}


def test_who_waits_as_long_as_the_refusal_says_is_let_in(at: Clock) -> None:
    now = 0.0
    for refused in (1, 5, 17):
        answers = [say({"type": "ping"}) for _ in range(30 + refused)]
        assert code(answers[-1]) == "too_many_requests"
        now += answers[-1]["data"]["retry_after"]
        at(now - 1)
        refusal = say({"type": "ping"})
        assert code(refusal) == "too_many_requests"
        now += refusal["data"]["retry_after"] - 1
        at(now)
        assert code(say({"type": "ping"})) == "pong"
        now += 120
        at(now)


def test_one_in_ten_refusals_is_counted_and_the_others_make_no_call(
    at: Clock, calls: list[str]
) -> None:
    for _ in range(31):
        say({"type": "ping"})
    calls.clear()
    answers = [code(say({"type": "ping"})) for _ in range(50)]
    assert answers == ["too_many_requests"] * 50
    assert calls == ["UpdateItem"] * 5
    deployment.forget()  # another process
    answers = [code(say({"type": "ping"})) for _ in range(11)]
    assert answers == ["too_many_requests"] * 10 + ["connection_expired"]


def test_several_processes_refuse_each_for_itself_and_close_together(
    management_api: ManagementApiStub, at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: list[dict[str, Any]] = [{} for _ in range(8)]
    answers: Counter[str] = Counter()
    for number in range(200):
        monkeypatch.setattr(message_budget, "_over_budget", processes[number % len(processes)])
        at(number / 100)
        answers[code(say({"type": "ping"}))] += 1
    assert answers["pong"] == 30
    assert management_api.closed == ["c1"]
    # Each of them may have nine that the others do not know of.
    assert 60 <= answers["too_many_requests"] <= 61 + 9 * len(processes)


def test_refusals_that_nobody_counted_take_nothing_from_a_later_burst(at: Clock) -> None:
    answers = [say({"type": "ping"}) for _ in range(40)]
    at(3600)
    assert [code(say({"type": "ping"})) for _ in range(30)] == ["pong"] * 30
    assert code(answers[-1]) == "too_many_requests"


def test_a_process_remembers_as_many_refused_connections_as_it_may(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "MAX_REMEMBERED_NAMES", 2)
    for connection_id in ("c2", "c3", "c4"):
        connect(connection_id, ClientType.USER, account_id=1)
        for _ in range(31):
            say({"type": "ping"}, connection_id)
    assert [*message_budget._over_budget] == ["c3", "c4"]


@given(st.lists(st.floats(0, 600), min_size=1, max_size=20))
def test_an_honest_client_that_reconnects_every_two_minutes_stays_within_its_budget(
    pauses: list[float],
) -> None:
    """The rule alone: a burst of 23 after each pause of two minutes or more."""
    interval, tat, now = MESSAGES.seconds, 0.0, 0.0
    for pause in pauses:
        now += 120 + pause
        for _ in range(23):
            tat = max(tat, now) + interval
        assert tat - now <= MESSAGES.tries * interval
