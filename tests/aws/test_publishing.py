"""From a commit to every connection: first pages at once, the others by workers."""

import json
import time
from threading import Barrier
from typing import Any

import pytest

from functions.sweep.handler import handler as sweep
from harness.gateway_events import CONTEXT
from harness.management_api import DROP, HANG, ManagementApiStub
from tests.aws.conftest import FanoutQueue, connect, store_users, stored, stored_connections
from vitrina import (
    aws,
    connections,
    history,
    lanes,
    partitions,
    publishing,
    rounds,
    sender,
    tasks,
)
from vitrina.channels import ClientType
from vitrina.events import (
    Announcement,
    AnnouncementPublished,
    ProductApproval,
    ProductApproved,
)
from vitrina.history import Change, Publication, Span
from vitrina.partitions import Kind
from vitrina.tasks import PostAgain

APPROVAL = ProductApproval(
    product_id=1,
    product_name="Красное платье",
    shop_id=10,
    shop_name="Fashion Store",
    moderation_notes="",
    admin_id=1,
    approval_fee=5.0,
)


def approved(count: int = 1) -> list[Publication]:
    """Return some approvals, committed and not yet published."""
    changes = [
        Change(None, [ProductApproved(data=APPROVAL.model_copy(update={"product_id": n}))])
        for n in range(1, count + 1)
    ]
    return [history.commit(batch) for batch in history.batches(changes)]


def unsent() -> list[Publication]:
    return list(history.unsent(-1))


def seqs(management_api: ManagementApiStub, connection_id: str) -> list[int]:
    return [json.loads(body)["seq"] for body in management_api.received[connection_id]]


def test_a_small_audience_is_reached_at_once_and_nothing_is_queued(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    store_users(50)
    broadcast = publishing.publish(approved())
    assert broadcast.model_dump(exclude={"event_ids"}) == {"delivered": 50, "gone": 0, "queued": 0}
    assert len(fanout_queue) == 0
    assert unsent() == []


def test_a_large_audience_is_left_to_its_lanes_and_everyone_gets_it_once(
    management_api: ManagementApiStub,
    fanout_queue: FanoutQueue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        rounds, "MAX_WORK_SECONDS", dict.fromkeys(Kind, 1000)
    )  # one task for each lane, however slow
    store_users(1000)
    store_users(1000, batch=True, name="batch")
    broadcast = publishing.publish(approved())
    assert broadcast.model_dump(exclude={"event_ids"}) == {"delivered": 0, "gone": 0, "queued": 8}
    assert not management_api.requests
    assert fanout_queue.work() == []
    assert fanout_queue.worked == 8
    assert len(management_api.received) == 2000
    assert {len(bodies) for bodies in management_api.received.values()} == {1}
    assert unsent() == []


def test_one_request_wakes_lanes_at_once_and_empty_ones_later(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "MAX_WORK_SECONDS", dict.fromkeys(Kind, 1000))
    store_users(300, batch=True)
    publishing.publish(approved())
    assert fanout_queue.work() == []
    sent: list[list[int]] = []
    send = aws.sqs().send_message_batch

    def watched(**request: Any) -> Any:
        sent.append([entry["DelaySeconds"] for entry in request["Entries"]])
        return send(**request)

    monkeypatch.setattr(aws.sqs(), "send_message_batch", watched)
    publishing.publish(approved())
    assert sent == [[0] * 4 + [lanes.EMPTY_LANE_INTERVAL_SECONDS] * 4]


def test_posts_to_small_partitions_do_not_wait_for_lanes(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "FIRST_PAGE_ROWS", 2)
    together = Barrier(2, timeout=5)
    wake, post = tasks.wake, sender.post

    def wake_together(*args: Any) -> None:
        together.wait()
        wake(*args)

    def post_together(*args: Any, **pace: Any) -> sender.Delivery:
        together.wait()
        return post(*args, **pace)

    monkeypatch.setattr(tasks, "wake", wake_together)
    monkeypatch.setattr(sender, "post", post_together)
    for n in range(3):
        connect(f"a{n}", ClientType.ADMIN)
    connect("s", ClientType.SHOP)
    assert publishing.publish(approved()).delivered == 1
    assert set(management_api.received) == {"s"}
    assert unsent() == []


def test_many_events_are_one_frame_for_those_who_take_batches_and_many_for_others(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    store_users(20)
    store_users(20, batch=True, name="batch")
    broadcast = publishing.publish(approved(40))
    assert len(broadcast.event_ids) == 40
    # Ten connections of a partition: five take forty events as forty posts each.
    assert (broadcast.delivered, broadcast.queued) == (0, 8)
    assert fanout_queue.work() == []
    for n in range(20):
        assert seqs(management_api, f"many{n}") == list(range(1, 41))
        [frame] = management_api.received[f"batch{n}"]
        events = json.loads(frame)["events"]
        assert [event["seq"] for event in events] == list(range(1, 41))


def test_few_posts_are_made_at_once_whatever_the_number_of_events(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    store_users(60, batch=True)
    broadcast = publishing.publish(approved(40))
    assert (broadcast.delivered, broadcast.queued) == (60, 0)
    assert len(management_api.requests) == 60


def test_what_fails_is_left_to_workers_with_growing_waits_until_it_passes(
    management_api: ManagementApiStub,
    fanout_queue: FanoutQueue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "FIRST_BACKOFF_SECONDS", 0.001)
    store_users(5)
    management_api.answers = {"many0": [429] * 7, "many1": [500] * 3}
    # libcurl itself repeats a request on another connection, so their number is not known.
    management_api.behave = lambda connection_id: DROP if connection_id == "many2" else 200
    broadcast = publishing.publish(approved())
    management_api.behave = lambda _: 200
    assert (broadcast.delivered, broadcast.queued) == (2, 1)
    assert fanout_queue.work() == []
    assert {seqs(management_api, f"many{n}")[-1] for n in range(5)} == {1}
    assert fanout_queue.delays == [1, 2, 4]
    assert unsent() == []


def test_one_hanging_client_does_not_hold_the_answer_up_for_as_long_as_it_hangs(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    store_users(50)
    management_api.answers["many7"] = [HANG]
    rows = approved()
    started = time.monotonic()
    broadcast = publishing.publish(rows)
    # A post alone may take as long as this.
    assert time.monotonic() - started < sender.POST_TIMEOUT_SECONDS
    assert (broadcast.delivered, broadcast.queued) == (49, 1)
    assert fanout_queue.work() == []
    assert len(management_api.received) == 50


def test_a_connection_still_shaking_hands_gets_the_event_once_it_is_open(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    """410 for a connection so young does not mean that it is gone."""
    connect("young", ClientType.USER)
    management_api.answers["young"] = [410, 410]
    broadcast = publishing.publish(approved())
    assert (broadcast.delivered, broadcast.gone, broadcast.queued) == (0, 0, 1)
    assert fanout_queue.work() == []
    assert seqs(management_api, "young") == [1]
    assert stored_connections() == {"young"}


def test_who_is_gone_is_forgotten_by_workers_as_well(
    management_api: ManagementApiStub,
    fanout_queue: FanoutQueue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "MAX_HANDSHAKE_SECONDS", 0)
    monkeypatch.setattr(publishing, "FIRST_PAGE_ROWS", 1)
    for n in range(3):
        connect(f"a{n}", ClientType.ADMIN)
    management_api.answers["a2"] = [410]
    publishing.publish(approved())
    assert fanout_queue.work() == []
    assert stored_connections() == {"a0", "a1"}


def test_what_was_queued_is_posted_to_those_only_who_are_still_subscribed(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    """Disconnected, expired or gone meanwhile, or no longer in the room."""
    for n, name in enumerate(("here", "left", "expired", "gone")):
        connect(name, ClientType.USER, account_id=n + 1)
        connections.join(stored(name), "sale")
    found = {name: connections.find(name) for name in ("here", "left", "expired", "gone")}
    members = [each.subscription_to("sale") for each in found.values() if each]
    news = Announcement(to="room:sale", title="x", text="x", admin_id=1)
    [span] = history.commit([Change(None, [AnnouncementPublished(data=news)])]).spans
    task = PostAgain(span=span, members=members, attempt=1)
    connections.leave(stored("left"), "sale")
    connections.expire("expired")
    connections.forget("gone")
    fanout_queue.put(task.model_dump_json())
    assert fanout_queue.work() == []
    assert set(management_api.received) == {"here"}


@pytest.mark.parametrize("message", ["", "{}", "null", '{"type":"dance"}', '{"type":"post_page"}'])
def test_a_poison_message_fails_alone(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, message: str
) -> None:
    store_users(1)
    [place] = partitions.partitions_of("user:0")
    task = PostAgain(
        span=Span("user", 1, 1),
        members=[partitions.Subscription(place.key, f"{place.prefix}many0")],
        attempt=1,
    )
    approved()
    fanout_queue.put(message or " ")
    fanout_queue.put(task.model_dump_json())
    assert fanout_queue.work() == [message or " "]
    assert seqs(management_api, "many0") == [1]


def test_a_task_whose_events_have_expired_is_done(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    task = PostAgain(
        span=Span("user", 7, 7), members=[partitions.Subscription("user#00", "0#c")], attempt=1
    )
    fanout_queue.put(task.model_dump_json())
    assert fanout_queue.work() == []
    assert not management_api.requests


def test_403_leaves_everything_in_the_outbox_and_all_connections_stored(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    connect("u", ClientType.USER)
    management_api.answers["u"] = [403]
    broadcast = publishing.publish(approved())
    assert (broadcast.delivered, broadcast.queued) == (0, 0)
    assert stored_connections() == {"u"}
    assert len(unsent()) == 1


def test_a_task_refused_with_403_stays_on_the_queue_with_all_connections_stored(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    connect("u", ClientType.USER)
    management_api.answers["u"] = [429, 429, 403]
    publishing.publish(approved())
    assert len(fanout_queue.work()) == 1
    assert stored_connections() == {"u"}


def test_the_sweep_publishes_what_is_left_in_the_outbox_in_order_and_only_once(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_users(1)
    approved(3)
    approved(2)
    sweep({}, CONTEXT)
    assert not management_api.requests  # these are not half a minute old
    monkeypatch.setattr("functions.sweep.handler.MIN_UNSENT_SECONDS", -1)
    sweep({}, CONTEXT)
    assert seqs(management_api, "many0") == [1, 2, 3, 4, 5]
    sweep({}, CONTEXT)
    assert len(management_api.requests) == 5


def test_the_sweep_stops_in_time_and_goes_on_the_next_minute(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_users(1)
    approved()
    assert publishing.publish_unsent(-1, until=time.monotonic()) == 0
    assert publishing.publish_unsent(-1, until=time.monotonic() + 60) == 3
    assert publishing.publish_unsent(-1, until=time.monotonic() + 60) == 0


def test_a_queue_that_refuses_leaves_the_events_to_the_sweep(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_users(300)
    connect("s", ClientType.SHOP)
    refusal = {"Failed": [{"Id": "0", "Message": "not now"}]}
    monkeypatch.setattr(aws.sqs(), "send_message_batch", lambda **_: refusal)
    assert publishing.publish(approved()).delivered == 0
    assert len(unsent()) == 1
    assert set(management_api.received) == {"s"}
    monkeypatch.undo()
