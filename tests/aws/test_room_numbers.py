"""Rooms over days: a head expires, and a client never takes an old number for a new one.

DynamoDB deletes rows at any moment after their end. Hypothesis lets days pass between connections,
announcements and deletions; the clients are the reference client of `local/inbox.py`.
"""

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from functions.message.handler import handler as message
from harness.gateway_events import CONTEXT, frame_of
from local.inbox import Inbox
from tests.aws.conftest import Clock, connect, stored
from tests.aws.moto_tables import delete_expired
from vitrina import aws, connections, history, rooms, sender
from vitrina.auth import Identity
from vitrina.channels import ClientType
from vitrina.connections import MAX_CONNECTION_SECONDS
from vitrina.events import Announcement, AnnouncementPublished, Position
from vitrina.history import Change, Span
from vitrina.sender import Delivery, Post

pytestmark = pytest.mark.usefixtures("cloud")

HOUR = 60 * 60


def rows() -> list[Any]:
    tables = ("history", "connections")
    return [row for table in tables for row in aws.dynamodb().scan(TableName=table)["Items"]]


def announce(room: str) -> list[history.StoredEvent]:
    announcement = Announcement(to=f"room:{room}", title="x", text="x", admin_id=1)
    return history.commit([Change(None, [AnnouncementPublished(data=announcement)])]).events


def member(connection_id: str, room: str = "sale") -> Position:
    """Connect an identity and let it join."""
    connect(connection_id, ClientType.USER, account_id=42)
    return rooms.join(stored(connection_id), room)


def say(connection_id: str, **body: Any) -> Any:
    context = {"eventType": "MESSAGE", "connectionId": connection_id}
    event = {"requestContext": context, "body": json.dumps(body)}
    return json.loads(frame_of(message(event, CONTEXT)))


def is_recovered(connection_id: str, since: Position, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sender, "post", lambda *_, **__: Delivery())
    positions = {"room:sale": since.model_dump()}
    return say(connection_id, type="resume", positions=positions)["data"]["recovered"]


# --- The clock ---


def test_a_name_that_is_no_longer_used_leaves_nothing(at: Clock) -> None:
    for name in ("sale", "news", "empty"):
        member(f"c-{name}", name)
    announce("sale")
    rooms.leave(stored("c-empty"), "empty")
    for name in ("sale", "news", "empty"):
        connections.forget(f"c-{name}")
    at(49 * HOUR)
    delete_expired(time.time())
    assert rows() == []


def test_other_heads_never_expire(at: Clock) -> None:
    before = history.positions(["user", "shop:10"])
    at(10_000 * HOUR)
    delete_expired(time.time())
    assert history.positions(["user", "shop:10"]) == before


def test_an_absent_member_recovers_for_a_day(at: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    since = member("c1")
    at(HOUR)
    announce("sale")
    connections.forget("c1")
    for hours, recovers in ((23, True), (26, False)):
        at(hours * HOUR)
        delete_expired(time.time())
        assert member(f"c{hours}").epoch == since.epoch
        assert is_recovered(f"c{hours}", since, monkeypatch) is recovers
        connections.forget(f"c{hours}")


def test_numbers_go_on_under_a_member_though_nothing_was_published_for_two_days(at: Clock) -> None:
    since = member("c1")
    announce("sale")
    at(47.5 * HOUR)
    assert member("c2") == since.model_copy(update={"seq": 1})
    at(49 * HOUR)
    delete_expired(time.time())
    [event] = announce("sale")
    assert event.seq == 2


def test_numbers_begin_again_with_another_epoch_when_the_head_is_gone(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = member("c1")
    announce("sale")
    connections.forget("c1")
    at(49 * HOUR)
    delete_expired(time.time())
    [event] = announce("sale")
    again = member("c2")
    assert (event.seq, again.seq) == (1, 1)
    assert again.epoch != since.epoch
    assert not is_recovered("c2", since, monkeypatch)
    assert is_recovered("c2", again, monkeypatch)
    assert not is_recovered("c2", again.model_copy(update={"seq": 0}), monkeypatch)


def test_an_expired_head_that_is_still_stored_is_used(at: Clock) -> None:
    since = member("c1")
    announce("sale")
    at(80 * HOUR)
    assert member("c2") == since.model_copy(update={"seq": 1})
    delete_expired(time.time())
    [event] = announce("sale")
    assert event.seq == 2


def test_a_joining_identity_replaces_its_row_of_another_epoch(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        announce("sale")
    member("c1")
    aws.dynamodb().delete_item(
        TableName="history", Key=aws.to_item({"channel": "room:sale", "seq": 0})
    )
    again = member("c2")
    assert again.seq == 0
    assert is_recovered("c2", again, monkeypatch)


def test_an_event_that_has_expired_is_not_published_late(at: Clock) -> None:
    announce("sale")
    at(25 * HOUR)
    assert history.read(Span("room:sale", 1, 1)) == []
    assert list(history.unsent(60)) == []


# --- Deletions in the middle ---


@contextmanager
def deleting_before(write: str) -> Iterator[None]:
    """Let DynamoDB delete expired rows between what was read and the next such write."""
    original = getattr(aws.dynamodb(), write)

    def delete_then_write(**request: Any) -> Any:
        setattr(aws.dynamodb(), write, original)
        delete_expired(time.time())
        return original(**request)

    setattr(aws.dynamodb(), write, delete_then_write)
    try:
        yield
    finally:
        setattr(aws.dynamodb(), write, original)


def test_a_head_that_is_deleted_before_the_commit_is_begun_anew(at: Clock) -> None:
    [old] = announce("sale")
    before = history.positions(["room:sale"])["room:sale"]
    at(49 * HOUR)
    with deleting_before("transact_write_items"):
        [event] = announce("sale")
    after = history.positions(["room:sale"])["room:sale"]
    assert (old.seq, event.seq, after.seq) == (1, 1, 1)
    assert after.epoch != before.epoch


def test_a_head_that_is_deleted_while_one_joins_is_begun_anew(at: Clock) -> None:
    announce("sale")
    before = history.positions(["room:sale"])["room:sale"]
    at(49 * HOUR)
    with deleting_before("update_item"):
        joined = member("c1")
    assert joined.epoch != before.epoch
    assert history.positions(["room:sale"])["room:sale"] == joined
    at(59 * HOUR)
    delete_expired(time.time())
    assert announce("sale")[0].seq == 1
    assert history.positions(["room:sale"])["room:sale"].epoch == joined.epoch


# --- Any order of all of it ---


class Phone:
    """A client over all of its connections, and the events that it should have by now."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self.inbox = Inbox()
        self.connection_id: str | None = None
        self.ends_at = 0.0
        self.is_behind = False
        """Whether a post to it was lost, and nothing has come since."""
        self.seen: int | None = None
        """How many of the room's events it has, or has been told to load; None: not a member."""

    def receive(self, frame: Any, published: Sequence[str]) -> list[Any]:
        applied, refetches = len(self.inbox.events), len(self.inbox.refetches)
        answers = self.inbox.take(frame)
        if len(self.inbox.refetches) > refetches:
            self.seen = len(published)
        match frame["event"]:
            case "joined" if self.seen is None:
                self.seen = len(published)
            case "left":
                self.seen = None
            case "recovered":
                self.is_behind = False
        for event in self.inbox.events[applied:]:
            assert self.seen is not None
            assert event["id"] == published[self.seen], "an old event, or one was lost"
            self.seen += 1
        return answers


PHONES = st.integers(0, 2)
# How long passes before something happens: around the ends of connections, events and heads. And
# what DynamoDB deletes then.
PAUSES = st.sampled_from([1, 1.9 * HOUR, 25 * HOUR, 47 * HOUR])
DELETIONS = st.sampled_from(["nothing", "all", "heads", "while it happens"])


class Room(RuleBasedStateMachine):
    """One room, in a deployment that all examples share."""

    def __init__(self) -> None:
        super().__init__()
        self.connection_ids = (f"c{number}" for number in count())
        self.now = time.time()
        self.phones = [Phone(account_id) for account_id in (1, 2, 3)]
        self.published: list[str] = []
        self.patch = pytest.MonkeyPatch()
        clock = SimpleNamespace(
            time=lambda: self.now,
            time_ns=lambda: int(self.now * 1e9),
            monotonic=lambda: self.now,
            sleep=lambda _: None,
        )
        for module in (
            "buckets",
            "connections",
            "history",
            "message_budget",
            "sessions",
            "subscriptions",
        ):
            self.patch.setattr(f"vitrina.{module}.time", clock)
        self.patch.setattr(sender, "post", self._post)

    def teardown(self) -> None:
        delete_expired(float("inf"))
        self.patch.undo()

    def _post(self, posts: Sequence[Post], **_: Any) -> Delivery:
        """Send what `resume` recovers."""
        [post] = posts
        [phone] = [p for p in self.phones if p.connection_id == post.subscription.connection_id]
        for body in post.bodies:
            self._answer(phone, phone.receive(json.loads(body), self.published))
        return Delivery()

    def _deliver(self, body: bytes, lost: Collection[int] = ()) -> None:
        """Send an event to the room's members, and lose some posts."""
        for number, phone in enumerate(self.phones):
            if phone in self._members() and number in lost:
                phone.is_behind = True
            elif phone in self._members():
                self._answer(phone, phone.receive(json.loads(body), self.published))

    def _answer(self, phone: Phone, messages: list[Any]) -> None:
        for body in messages:
            assert phone.connection_id
            answer = say(phone.connection_id, **body)
            assert answer["event"] != "error", answer
            self._answer(phone, phone.receive(answer, self.published))

    @contextmanager
    def _later(self, pause: float, deleted: str) -> Iterator[None]:
        """Let time pass; connections end, and DynamoDB deletes some of what has expired."""
        self.now += pause
        for phone in self.phones:
            if phone.ends_at <= self.now:
                phone.connection_id = None
        is_deleted: dict[str, Callable[[Any], bool]] = {
            "all": lambda _: True,
            "heads": lambda row: "last" in row,
        }
        if deleted in is_deleted:
            delete_expired(self.now, is_deleted[deleted])
        with pytest.MonkeyPatch.context() as patch:
            names = ("update_item", "transact_write_items")
            for name in names if deleted == "while it happens" else ():
                patch.setattr(aws.dynamodb(), name, self._deleting(getattr(aws.dynamodb(), name)))
            yield

    def _deleting(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def delete_then_write(**request: Any) -> Any:
            delete_expired(self.now)
            return write(**request)

        return delete_then_write

    # --- What happens ---

    @rule(
        pause=PAUSES,
        deleted=DELETIONS,
        times=st.integers(1, 3),
        lost=st.sets(PHONES, max_size=1),
    )
    def something_is_announced(
        self, pause: float, deleted: str, times: int, lost: set[int]
    ) -> None:
        with self._later(pause, deleted):
            for _ in range(times):
                self._announce(lost)

    def _announce(self, lost: set[int]) -> None:
        [event] = announce("sale")
        self.published.append(event.event_id)
        self._deliver(event.body, lost)

    @rule(pause=PAUSES, deleted=DELETIONS, number=PHONES)
    def someone_connects(self, pause: float, deleted: str, number: int) -> None:
        with self._later(pause, deleted):
            self._connect(self.phones[number])

    def _connect(self, phone: Phone) -> None:
        phone.connection_id = next(self.connection_ids)
        phone.ends_at = self.now + MAX_CONNECTION_SECONDS
        identity = Identity(
            sub=phone.account_id,
            client_type=ClientType.USER,
            iat=self.now,
            exp=int(phone.ends_at) + 1,
        )
        connections.add(phone.connection_id, identity)
        connected = {"event": "connected", "data": {"positions": {}}}
        messages = phone.receive(connected, self.published)
        self._answer(phone, messages or [{"type": "join", "room": "sale"}])
        phone.is_behind = False

    @precondition(lambda self: self._members())
    @rule(data=st.data())
    def someone_leaves(self, data: st.DataObject) -> None:
        phone = data.draw(st.sampled_from(self._members()))
        self._answer(phone, [{"type": "leave", "room": "sale"}])
        phone.connection_id = None

    @precondition(lambda self: self.published)
    @rule(data=st.data())
    def a_task_is_done_days_later(self, data: st.DataObject) -> None:
        """As an operator does who sends dead letters again."""
        seq = data.draw(st.integers(1, len(self.published)))
        for event in history.read(Span("room:sale", seq, seq)):
            self._deliver(event.body)

    def _members(self) -> list[Phone]:
        return [phone for phone in self.phones if phone.connection_id and phone.seen is not None]

    # --- What must hold ---

    @invariant()
    def every_member_has_every_event(self) -> None:
        for phone in self._members():
            assert phone.is_behind or phone.seen == len(self.published)


def test_a_client_never_takes_an_old_number_for_a_new_one() -> None:
    run_state_machine_as_test(
        Room, settings=settings(max_examples=settings().max_examples // 8, stateful_step_count=30)
    )
