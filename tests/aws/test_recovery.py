"""`resume`: all that was missed, in order, or nothing."""

import json
from typing import Any

import pytest

from functions.message.handler import handler
from harness.gateway_events import CONTEXT, frame_of
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import connect, unpublished
from vitrina import auth, aws, connections, history, moderation, product_changes, recovery
from vitrina.channels import ClientType
from vitrina.frames import MAX_FRAME_BYTES
from vitrina.products import Submission

Positions = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def _connected(management_api: ManagementApiStub) -> None:
    connect("c1", ClientType.ADMIN, account_id=1)


def submit(count: int = 1) -> None:
    """Publish so many events to the admins, who miss them."""
    shop = auth.verify(token_of(ClientType.SHOP))
    for n in range(count):
        with unpublished():
            moderation.submit(Submission(product_name=f"Товар {n}"), shop)


def positions(**less: int) -> Positions:
    """Return where the admins' channels stand, some of them so much less."""
    found = history.positions(["admin", "admin:1"])
    return {
        name: {"epoch": at.epoch, "seq": at.seq - less.get(name, 0)} for name, at in found.items()
    }


def message(body: Any, connection_id: str = "c1") -> dict[str, Any]:
    return {
        "requestContext": {"eventType": "MESSAGE", "connectionId": connection_id},
        "body": json.dumps(body),
    }


def say(body: Any, connection_id: str = "c1") -> Any:
    return json.loads(frame_of(handler(message(body, connection_id), CONTEXT)))


def resume(since: Positions, management_api: ManagementApiStub) -> list[Any]:
    """Return the frames that the client gets."""
    management_api.received.clear()
    answer = say({"type": "resume", "positions": since})
    return [*(json.loads(body) for body in management_api.received["c1"]), answer]


def test_what_was_missed_comes_in_order_and_then_recovered(
    management_api: ManagementApiStub,
) -> None:
    submit(2)
    start = positions()
    submit(3)
    *events, recovered = resume(start, management_api)
    assert [(event["channel"], event["seq"]) for event in events] == [
        ("admin", 3),
        ("admin", 4),
        ("admin", 5),
    ]
    assert [event["data"]["product_name"] for event in events] == ["Товар 0", "Товар 1", "Товар 2"]
    assert recovered["event"] == "recovered"
    now = positions()
    assert recovered["data"] == {
        "recovered": True,
        "channels": {
            "admin": {"recovered": True, **now["admin"]},
            "admin:1": {"recovered": True, **now["admin:1"]},
        },
    }


def test_a_client_that_missed_nothing_receives_recovered_at_once(
    management_api: ManagementApiStub,
) -> None:
    submit()
    [recovered] = resume(positions(), management_api)
    assert recovered["data"]["recovered"]


@pytest.mark.parametrize("wrong", [{"epoch": "another"}, {"seq": 99}])
def test_a_position_of_another_history_is_not_recovered(
    management_api: ManagementApiStub, wrong: dict[str, Any]
) -> None:
    submit()
    [recovered] = resume({"admin": positions()["admin"] | wrong}, management_api)
    assert recovered["data"] == {
        "recovered": False,
        "channels": {"admin": {"recovered": False, **positions()["admin"]}},
    }


def test_a_channel_that_cannot_be_recovered_gets_none_of_its_events_and_the_other_all(
    management_api: ManagementApiStub,
) -> None:
    submit(2)
    identity = history.positions(["admin:1"])["admin:1"]
    row = {"channel": "admin:1", "seq": 1, "event_id": "x", "body": '{"event":"x"}'}
    times = {"created_at": 1, "expires_at": 2**40}
    aws.dynamodb().put_item(TableName="history", Item=aws.to_item(row | times))
    head = {"channel": "admin:1", "seq": 0, "last": 1, "epoch": identity.epoch}
    aws.dynamodb().put_item(TableName="history", Item=aws.to_item(head))
    key = aws.to_item({"channel": "admin", "seq": 2})
    aws.dynamodb().delete_item(TableName="history", Key=key)
    event, recovered = resume(positions(admin=2, **{"admin:1": 1}), management_api)
    assert event == {"event": "x"}
    assert not recovered["data"]["recovered"]
    assert not recovered["data"]["channels"]["admin"]["recovered"]
    assert recovered["data"]["channels"]["admin:1"]["recovered"]


def test_more_than_the_limit_are_not_recovered(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "MAX_RECOVERED_EVENTS", 5)
    submit(6)
    assert len(resume(positions(admin=5), management_api)) == 6
    [recovered] = resume(positions(admin=6), management_api)
    assert not recovered["data"]["recovered"]


def submit_many(count: int) -> None:
    """Publish one event to the admins, and so many more like it."""
    shop = auth.verify(token_of(ClientType.SHOP))
    product = moderation.submit(Submission(product_name="x"), shop)
    [event] = product_changes._events(product)
    for batch in history.batches(history.Change(None, [event]) for _ in range(count)):
        history.commit(batch)


def test_500_events_are_recovered(management_api: ManagementApiStub) -> None:
    submit_many(500)
    frames = resume(positions(admin=500), management_api)
    assert [frame["seq"] for frame in frames[:-1]] == list(range(2, 502))
    assert frames[-1]["data"]["recovered"]
    [refused] = resume(positions(admin=501), management_api)
    assert not refused["data"]["recovered"]


# --- In batches ---


@pytest.fixture
def _takes_batches(management_api: ManagementApiStub) -> None:
    """Connect a client that takes batches in place of the one that takes none."""
    connections.forget("c1")
    connect("c1", ClientType.ADMIN, account_id=1, takes_batches=True)


@pytest.mark.usefixtures("_takes_batches")
def test_a_client_that_takes_batches_gets_everything_and_recovered_in_the_answer(
    management_api: ManagementApiStub,
) -> None:
    start = positions()
    submit(3)
    row = {"channel": "admin:1", "seq": 1, "event_id": "x", "body": '{"event":"x"}'}
    times = {"created_at": 1, "expires_at": 2**40}
    aws.dynamodb().put_item(TableName="history", Item=aws.to_item(row | times))
    head = {"channel": "admin:1", "seq": 0, "last": 1, "epoch": start["admin:1"]["epoch"]}
    aws.dynamodb().put_item(TableName="history", Item=aws.to_item(head))
    [batch] = resume(start, management_api)
    assert batch.keys() == {"event", "events"}
    assert batch["event"] == "batch"
    *missed, recovered = batch["events"]
    assert [event.get("seq", event["event"]) for event in missed] == [1, 2, 3, "x"]
    assert recovered["event"] == "recovered"
    assert recovered["data"]["recovered"]


@pytest.mark.usefixtures("_takes_batches")
def test_2000_events_in_batches_are_recovered_in_as_few_frames_as_fit(
    management_api: ManagementApiStub,
) -> None:
    submit_many(2000)
    management_api.received.clear()
    answer = handler(message({"type": "resume", "positions": positions(admin=2000)}), CONTEXT)
    frames = [*management_api.received["c1"], frame_of(answer).encode()]
    assert [len(frame) > 32_000 for frame in frames] == [True] * (len(frames) - 1) + [False]
    assert max(map(len, frames)) <= MAX_FRAME_BYTES
    *missed, recovered = [event for frame in frames for event in json.loads(frame)["events"]]
    assert [event["seq"] for event in missed] == list(range(2, 2002))
    assert missed[0] == json.loads(history.read(history.Span("admin", 2, 2))[0].body)
    assert recovered["data"]["recovered"]
    assert len(frames) == 16
    [refused] = resume(positions(admin=2001), management_api)
    assert not refused["data"]["recovered"]


@pytest.mark.usefixtures("_takes_batches")
def test_a_client_that_takes_batches_and_missed_nothing_gets_recovered_alone(
    management_api: ManagementApiStub,
) -> None:
    submit()
    [recovered] = resume(positions(), management_api)
    assert recovered["event"] == "recovered"


@pytest.mark.usefixtures("_takes_batches")
def test_batches_that_break_off_end_without_recovered(management_api: ManagementApiStub) -> None:
    submit_many(400)
    management_api.received.clear()
    management_api.answers["c1"] = [200, 429, 429, 429, 429]
    error = say({"type": "resume", "positions": positions(admin=400)})
    assert error["data"]["code"] == "recovery_interrupted"
    [frame] = [json.loads(body) for body in management_api.received["c1"]]
    assert [event["seq"] for event in frame["events"]] == list(range(2, 2 + len(frame["events"])))


@pytest.mark.parametrize("channel", ["user", "shop", "admin:2", "room:sale"])
def test_only_the_connections_own_channels_are_recovered(
    management_api: ManagementApiStub, channel: str
) -> None:
    submit()
    asked = positions() | {channel: {"epoch": "x", "seq": 0}}
    error = say({"type": "resume", "positions": asked})
    assert error["data"]["code"] == "channel_forbidden"
    assert error["data"]["message"] == "The channels of this connection are admin, admin:1."
    assert not management_api.requests


@pytest.mark.parametrize(
    "asked",
    [
        {},
        [],
        {"admin": 5},
        {"admin": {"seq": 5}},
        {"admin": {"epoch": "x", "seq": -1}},
        {"admin": {"epoch": "x", "seq": "5"}},
        {"admin": {"epoch": "x", "seq": 1.5}},
        {"admin": {"epoch": "x", "seq": 10**30}},
        {"admin": {"epoch": "x" * 65, "seq": 5}},
        {"admin": {"epoch": "x", "seq": 5, "more": 1}},
    ],
    ids=str,
)
def test_positions_are_validated_strictly(asked: Any) -> None:
    assert say({"type": "resume", "positions": asked})["data"]["code"] == "message_invalid"


def test_who_is_not_connected_recovers_nothing(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = positions()
    assert say({"type": "resume", "positions": since}, "stranger")["data"]["code"] == (
        "connection_expired"
    )
    connect("late", ClientType.ADMIN)
    key = aws.to_item({"partition": "connection#late", "member": "connection"})
    aws.dynamodb().update_item(
        TableName="connections",
        Key=key,
        UpdateExpression="SET expires_at = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )
    assert say({"type": "resume", "positions": since}, "late")["data"]["code"] == (
        "connection_expired"
    )
    assert not management_api.requests


def test_a_recovery_that_breaks_off_is_said_so_and_ends_without_recovered(
    management_api: ManagementApiStub,
) -> None:
    submit(3)
    management_api.answers["c1"] = [200, 429, 429, 429, 429]
    error = say({"type": "resume", "positions": positions(admin=3)})
    assert error["data"]["code"] == "recovery_interrupted"
    frames = [json.loads(body) for body in management_api.received["c1"]]
    assert [frame["seq"] for frame in frames] == [1]
