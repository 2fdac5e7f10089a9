"""Clients that do not read: they are closed, the others are not, and no alarm rings."""

import json
from typing import Any

import pytest

from functions.accounts.handler import handler as accounts_handler
from harness import deployment
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Clock, HttpCall, connect, store_users, stored_connections
from tests.aws.test_publishing import approved, seqs
from tests.aws.timed_queue import TimedQueue
from vitrina import aws, closing, connections, posting, publishing, sender, slow_readers, tasks
from vitrina.channels import ClientType
from vitrina.events import Closing, Closure, Reason
from vitrina.history import Span
from vitrina.partitions import Subscription
from vitrina.tasks import PostAgain

THROTTLED_SECONDS = 120
HEALTHY = {f"reads{n}" for n in range(8)}
FULL = {"full0", "full1"}


@pytest.fixture
def queue(
    management_api: ManagementApiStub, at: Clock, monkeypatch: pytest.MonkeyPatch
) -> TimedQueue:
    queue = TimedQueue(at)
    monkeypatch.setattr(aws, "sqs", lambda: queue)
    monkeypatch.setattr(sender, "FIRST_BACKOFF_SECONDS", 0.001)
    deployment.configure(monkeypatch, management_url=management_api.url, posts_per_second=100_000)
    return queue


def connect_all() -> None:
    for n, connection_id in enumerate(sorted(HEALTHY | FULL)):
        connect(connection_id, ClientType.USER, account_id=n + 1)


def disconnect(account_id: int) -> Any:
    path = f"/api/v1/admin/accounts/{account_id}/disconnect"
    return HttpCall(accounts_handler)("POST", path, token=token_of(ClientType.ADMIN)).body


def closed_at(queue: TimedQueue, management_api: ManagementApiStub, latest: float) -> float | None:
    """Let time pass until all full ones are closed; return when, in seconds, or None."""
    while queue.now < latest:
        queue.run(queue.now + 1, sweeps=True)
        if set(management_api.closed) >= FULL:
            return queue.now
    return None


def test_one_that_does_not_read_is_closed_within_a_minute_of_fifty_events(
    management_api: ManagementApiStub, queue: TimedQueue
) -> None:
    connect_all()
    management_api.full = FULL
    for second in range(10):
        queue.run(second)
        publishing.publish(approved(5))
    at = closed_at(queue, management_api, latest=60)
    assert at is not None
    posted = len(management_api.requests)
    # Its buffer is empty now, and its socket is still open.
    management_api.full, management_api.closed = set(), []
    queue.run(1000, sweeps=True)
    assert {len(seqs(management_api, name)) for name in HEALTHY} == {50}
    assert FULL & set(management_api.received) == set()
    assert len(management_api.requests) == posted
    assert (queue.dead_letters, queue.waiting) == ([], [])
    assert stored_connections() == HEALTHY


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.98])
def test_while_the_account_throttles_nobody_else_is_closed(
    management_api: ManagementApiStub, queue: TimedQueue, share: float
) -> None:
    connect_all()
    management_api.full = FULL
    management_api.throttled_share = share
    for second in range(0, 9, 3):
        queue.run(second)
        publishing.publish(approved())
    at = closed_at(queue, management_api, latest=THROTTLED_SECONDS)
    assert share > 0.1 or at is not None
    management_api.throttled_share = 0
    if at is None:
        at = closed_at(queue, management_api, latest=2 * THROTTLED_SECONDS)
    assert at is not None
    queue.run(1000, sweeps=True)
    assert set(management_api.closed) == FULL
    assert [set(seqs(management_api, name)) for name in HEALTHY] == [{1, 2, 3}] * len(HEALTHY)
    assert (queue.dead_letters, queue.waiting) == ([], [])
    assert stored_connections() == HEALTHY


def test_two_hundred_and_fifty_in_one_task_do_not_vouch_for_each_other(
    management_api: ManagementApiStub, queue: TimedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_users(250)
    management_api.full = {f"many{n}" for n in range(250)}
    given_up: list[Subscription] = []
    monkeypatch.setattr(closing, "close", lambda closed, *_, **__: given_up.extend(closed))
    publishing.publish(approved())
    [message] = queue.waiting
    task = tasks.parse(message.body)
    assert isinstance(task, PostAgain)
    assert len(task.members) == 250
    queue.run(60)
    assert {member.connection_id for member in given_up} == management_api.full
    assert (queue.dead_letters, queue.waiting) == ([], [])


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.98])
def test_an_account_that_does_not_read_is_disconnected_at_once(
    management_api: ManagementApiStub, queue: TimedQueue, share: float
) -> None:
    connect("full0", ClientType.USER, account_id=7)
    management_api.full = {"full0"}
    management_api.throttled_share = share
    queue.set(1)
    assert disconnect(7) == {"account_id": 7, "closed": 1}
    assert management_api.closed == ["full0"]
    assert stored_connections() == set()


def test_nothing_that_is_queued_is_posted_after_a_disconnection(
    management_api: ManagementApiStub, queue: TimedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "BUDGET_SECONDS", 0.1)
    connect("full0", ClientType.USER, account_id=7)
    management_api.full = {"full0"}
    for second in range(3):
        queue.run(second)
        publishing.publish(approved())
    assert len(queue.waiting) == 3
    # The management API cannot close it, and its client reads again: it is open and expired.
    management_api.full = set()
    management_api.answers["full0"] = [429] * 10_000
    assert disconnect(7)["closed"] == 0
    management_api.answers.clear()
    queue.run(59)
    assert management_api.received == {}
    queue.run(60, sweeps=True)
    [body] = management_api.received["full0"]
    assert json.loads(body)["event"] == "closing"
    assert management_api.closed == ["full0"]


def test_a_close_that_is_throttled_is_tried_again(
    management_api: ManagementApiStub, queue: TimedQueue
) -> None:
    connect("c1", ClientType.USER, account_id=7)
    management_api.answers["c1"] = [429, 429, 429, 500, 200]
    queue.set(1)
    assert disconnect(7)["closed"] == 1
    methods = [request.method for request in management_api.requests]
    assert methods == ["POST", "POST", "DELETE", "DELETE", "DELETE"]


def test_server_errors_do_not_close_a_connection_before_a_quarter_of_an_hour(
    management_api: ManagementApiStub, queue: TimedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_readers, "CLOSING_SECONDS", 0.1)
    monkeypatch.setattr("functions.sweep.handler.CLOSING_SECONDS", 0.2)
    for n in range(2):
        connect(f"c{n}", ClientType.USER, account_id=n + 1)
    management_api.behave = lambda _: 500
    publishing.publish(approved())
    queue.run(600)
    management_api.behave = lambda connection_id: 500 if connection_id == "c1" else 200
    queue.run(1000, sweeps=True)
    assert seqs(management_api, "c0") == [1]
    assert stored_connections() == {"c0", "c1"}  # c1 cannot be closed either
    management_api.behave = lambda _: 200
    queue.run(1080, sweeps=True)
    assert management_api.closed == ["c1"]
    assert stored_connections() == {"c0"}
    assert (queue.dead_letters, queue.waiting) == ([], [])


def test_one_that_closes_for_being_slow_is_told_so_if_it_reads_again(
    management_api: ManagementApiStub, queue: TimedQueue
) -> None:
    connect("c1", ClientType.USER)
    row = connections.find("c1")
    assert row
    approved()
    management_api.answers["c1"] = [429, 429, *[200] * 20]
    members = [row.subscription]
    task = PostAgain(span=Span("user", 1, 1), members=members, attempt=5, counted=3)
    posting.post_again(task)
    [body] = management_api.received["c1"]
    told = Closing.model_validate_json(body)
    assert told.data == Closure(reason=Reason.TOO_SLOW)
    assert management_api.closed == ["c1"]


def test_many_full_ones_cost_the_account_twenty_probes_a_second(
    management_api: ManagementApiStub, queue: TimedQueue
) -> None:
    connect_all()
    management_api.full = FULL
    queue.set(1)
    for _ in range(10):
        publishing.publish(approved())
    queue.run(2)
    probes = [request for request in management_api.requests if request.method == "GET"]
    assert len(probes) == 20
