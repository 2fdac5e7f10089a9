"""Lanes: whatever dies, hangs, comes twice or gets lost, everyone gets every event."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from functions.fanout.handler import handler as fanout
from functions.sweep.handler import handler as sweep
from harness import deployment
from harness.gateway_events import CONTEXT
from infra.cdk.fanout import VISIBILITY_SECONDS
from tests.aws.conftest import Clock, connect, store_users, stored
from tests.aws.processes import Process, counted_calls, step
from tests.aws.test_publishing import APPROVAL, approved
from vitrina import (
    aws,
    connections,
    fanout_rate,
    frames,
    history,
    lanes,
    partitions,
    publishing,
    rounds,
    sender,
    subscriptions,
)
from vitrina.channels import ClientType
from vitrina.events import Announcement, AnnouncementPublished, ProductApproved
from vitrina.history import Change, Publication
from vitrina.lanes import EndedRound, Lane, Round, State, Waking
from vitrina.partitions import Kind
from vitrina.sender import Delivery, Post

ME, OTHER = "me", "other"


class World:
    """The queues, the management API and the clock, in place of the real ones."""

    def __init__(self, at: Clock) -> None:
        self._at = at
        self.now = 0.0
        self.queue: list[tuple[float, str]] = []
        self.got: dict[str, list[int]] = {}
        self.slices: list[int] = []
        self.full: set[str] = set()

    def set(self, now: float) -> None:
        self.now = now
        self._at(now)

    def send_message_batch(self, Entries: Any, **_: Any) -> Any:  # noqa: N803 - boto3's name
        step()
        self.queue += [
            (self.now + entry["DelaySeconds"], entry["MessageBody"]) for entry in Entries
        ]
        return {}

    def post(self, posts: Sequence[Post], **_: Any) -> Delivery:
        delivery = Delivery()
        self.slices.append(sum(len(post.bodies) for post in posts))
        for post in posts:
            name = post.subscription.connection_id
            if name in self.full:
                delivery.throttled.append(post)
                continue
            step()
            for body in post.bodies:
                frame = json.loads(body)
                for event in frame.get("events", [frame]):
                    self.got.setdefault(name, []).append(event["seq"])
            delivery.sent += 1
        return delivery

    def take(self) -> str | None:
        """Take the next message off the queues, and let the time pass until then."""
        if not self.queue:
            return None
        self.queue.sort()
        due, body = self.queue.pop(0)
        self.set(max(self.now, due))
        return body

    def work(self) -> None:
        """Do all tasks."""
        while body := self.take():
            assert do(body)

    def sweep(self, after: float = 60) -> None:
        self.set(self.now + after)
        sweep({}, CONTEXT)


def do(body: str) -> bool:
    """Do a task as Lambda does; return whether its message is deleted."""
    answer = fanout({"Records": [{"messageId": "1", "body": body}]}, CONTEXT)
    return not answer["batchItemFailures"]


@pytest.fixture
def world(cloud: None, at: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(at)
    monkeypatch.setattr(aws, "sqs", lambda: world)
    monkeypatch.setattr(sender, "post", world.post)
    # One call after another, so that a process can stand still at each of them.
    monkeypatch.setattr(aws, "in_parallel", lambda call, each: [call(value) for value in each])
    monkeypatch.setattr(publishing, "FIRST_PAGE_ROWS", 2)
    monkeypatch.setattr(rounds, "MIN_PAGE_ROWS", 1)
    monkeypatch.setattr(rounds, "MAX_PAGE_ROWS", 2)
    monkeypatch.setattr(rounds, "SLICE_SECONDS", dict.fromkeys(Kind, 0.001))
    monkeypatch.setattr(rounds, "MAX_ROUND_EVENTS", {Kind.BATCH: 4, Kind.PLAIN: 3})
    with counted_calls():
        yield world


def publish(count: int = 1) -> None:
    publishing.publish(approved(count))


def approve(product_id: int) -> Publication:
    event = ProductApproved(data=APPROVAL.model_copy(update={"product_id": product_id}))
    return history.commit([Change(None, [event])])


def lane(kind: Kind = Kind.PLAIN, shard: int = 0) -> Lane:
    epoch = history.positions(["user"])["user"].epoch
    return Lane("user", epoch, f"user#{shard:02d}", kind)


def everyone_has(world: World, last: int, of_each: int = 12) -> bool:
    """Return whether all of both kinds have all events, whatever came twice."""
    names = [f"{kind}{n}" for kind in ("many", "batch") for n in range(of_each)]
    every = set(range(1, last + 1))
    return {name: set(seqs) for name, seqs in world.got.items()} == dict.fromkeys(names, every)


@pytest.fixture
def audience(world: World) -> None:
    store_users(12)
    store_users(12, batch=True, name="batch")


@pytest.fixture
def one_shard(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have two lanes, of one partition, so that every call of a process is tried quickly."""
    deployment.configure(monkeypatch, user_shards=(1,))


# --- Rounds ---


@pytest.mark.usefixtures("audience")
def test_everyone_in_a_lane_gets_every_event_once_and_in_order(world: World) -> None:
    publish(3)
    publish(2)
    world.work()
    assert everyone_has(world, 5)
    assert all(seqs == [1, 2, 3, 4, 5] for seqs in world.got.values())
    assert not has_work()


def has_work() -> list[str]:
    rows = aws.dynamodb().scan(TableName="history")["Items"]
    return [row["channel"]["S"] for row in rows if "unsent" in row or "pending" in row]


@pytest.mark.usefixtures("audience")
def test_what_is_published_while_a_round_is_under_way_goes_out_together_in_the_next(
    world: World,
) -> None:
    publish()
    body = world.take()
    assert body
    held = Process(lambda: do(body))
    held.run(4)  # it holds the lane, and its round has begun
    messages = len(world.queue)
    world.set(0.001)
    for _ in range(5):
        publish()
    # One lane is held, and the others have been woken.
    assert len(world.queue) == messages
    assert held.run()
    assert held.answer
    world.work()
    assert everyone_has(world, 6)
    assert all(seqs == [1, 2, 3, 4, 5, 6] for seqs in world.got.values())


@pytest.mark.usefixtures("one_shard")
@pytest.mark.parametrize("kinds", [["plain", "batch"], ["batch", "plain"]])
def test_the_lane_with_most_connections_is_woken_first(world: World, kinds: list[str]) -> None:
    for kind, count in zip(kinds, (6, 4), strict=True):
        store_users(count, batch=kind == "batch", name=kind)
    publish()
    world.work()  # only a round tells how many there are
    publish()
    assert [json.loads(body)["lane"][-1] for _, body in world.queue] == kinds


@pytest.mark.usefixtures("audience")
def test_a_worker_gives_its_place_to_others_after_a_piece_and_another_one_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "MAX_WORK_SECONDS", dict.fromkeys(Kind, -1))
    publish(2)
    world.work()
    assert everyone_has(world, 2)
    assert all(seqs == [1, 2] for seqs in world.got.values())


def test_a_round_and_a_slice_are_bounded_and_what_is_left_is_for_the_next(world: World) -> None:
    store_users(24)
    publish(10)
    world.work()
    assert all(seqs == list(range(1, 11)) for seqs in world.got.values())
    # A worker that is alone has nine posts in a slice: three members take three events.
    assert max(world.slices) == 9


@pytest.fixture
def three_in_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MAX_ROUND_EVENTS", dict.fromkeys(Kind, 100))
    before = approve(0)
    publishing.publish([before])
    # The envelope is shorter than another event.
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 3 * len(before.events[0].body) + 100)


def before_the_next_post(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], Any]]:
    """Return a list of what is done before posts to members, one for each slice."""
    due: list[Callable[[], Any]] = []

    def post(posts: Sequence[Post], **how: Any) -> Delivery:
        if posts and due:
            due.pop(0)()
        return world.post(posts, **how)

    monkeypatch.setattr(sender, "post", post)
    return due


@pytest.mark.usefixtures("one_shard", "three_in_a_frame")
def test_a_round_takes_one_frame_and_the_next_one_what_was_committed_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two frames that are half full would take twice as long, in this round and all that follow."""
    store_users(5, batch=True, name="batch")
    before_the_next_post(world, monkeypatch).append(lambda: publish(2))
    publish(4)
    world.work()
    assert {tuple(seqs) for seqs in world.got.values()} == {(2, 3, 4, 5, 6, 7)}
    frames_of_each = 2
    assert sum(world.slices) == frames_of_each * len(world.got)


@pytest.mark.usefixtures("one_shard", "three_in_a_frame")
def test_what_a_slow_publisher_owes_does_not_wait_until_a_lane_rests(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is owed while a round with later events is under way, which ends in the next one."""
    store_users(5, batch=True, name="batch")
    slow = approve(1)
    before_the_next_post(world, monkeypatch).append(lambda: publishing.publish([slow]))
    publish(9)
    world.work()
    expected = (3, 4, 5, 2, 3, 4, *range(5, 12))
    assert {tuple(seqs) for seqs in world.got.values()} == {expected}
    assert not has_work()


@pytest.mark.parametrize(("members", "slices"), [(14, [1, 13]), (15, [1, 9, 5])])
def test_the_last_slice_of_a_round_takes_the_few_that_are_left(
    world: World, monkeypatch: pytest.MonkeyPatch, members: int, slices: list[int]
) -> None:
    """A lane knows from the round before how many it has.

    A slice has nine posts, but the first one has one: another worker may begin at that moment.
    """
    deployment.configure(monkeypatch, user_shards=(1,))
    store_users(members)
    publish()
    world.work()
    world.slices.clear()
    publish()
    world.work()
    assert world.slices == [0, *slices]


def test_a_round_fits_into_the_time_of_a_slice_even_if_each_post_takes_fifty_milliseconds() -> None:
    assert rounds.MAX_ROUND_EVENTS[Kind.PLAIN] * 0.05 < rounds.SLICE_BUDGET_SECONDS


def test_a_member_that_does_not_take_its_posts_is_tried_again_with_that_rounds_events(
    world: World,
) -> None:
    store_users(12)
    world.full = {"many3"}
    publish(2)
    while (body := world.take()) and "post_again" not in body:
        assert do(body)
    publish()
    assert body
    world.full = set()
    assert do(body)
    assert world.got["many3"] == [1, 2]
    world.work()
    assert {name: set(seqs) for name, seqs in world.got.items()} == {
        f"many{n}": {1, 2, 3} for n in range(12)
    }


def test_a_partition_that_was_small_for_long_owes_no_more_than_what_is_new(world: World) -> None:
    """What was posted at once meanwhile does not go to everyone again."""
    store_users(12)
    publish()
    world.work()
    for row in aws.dynamodb().scan(TableName="connections")["Items"]:
        key = {"partition": row["partition"], "member": row["member"]}
        aws.dynamodb().delete_item(TableName="connections", Key=key)
    for n in range(2, rounds.MAX_GAP_EVENTS + 3):
        publishing.publish([approve(n)])
    store_users(12, name="new")
    publish()
    world.work()
    assert {tuple(seqs) for name, seqs in world.got.items() if "new" in name} == {
        (rounds.MAX_GAP_EVENTS + 3,)
    }


def test_a_slow_publisher_leaves_no_gap_for_the_clients(world: World) -> None:
    """The sixth event's publisher is quicker than the fifth's: nobody has to resume."""
    store_users(24)
    publish()
    world.work()
    slow, quick = approve(2), approve(3)
    publishing.publish([quick])
    world.work()
    assert all(seqs == [1, 2, 3] for seqs in world.got.values())
    publishing.publish([slow])
    world.work()
    assert all(seqs == [1, 2, 3] for seqs in world.got.values())


def test_a_room_has_lanes_of_its_own(world: World) -> None:
    for n in range(6):
        connect(f"c{n}", ClientType.USER, account_id=n + 1)
        connections.join(stored(f"c{n}"), "sale")
    event = AnnouncementPublished(
        data=Announcement(to="room:sale", title="x", text="x", admin_id=1)
    )
    assert publishing.commit([Change(None, [event])]).queued == 2
    world.work()
    assert world.got == {f"c{n}": [1] for n in range(6)}


# --- Deaths ---


def lived_through(world: World, process: Process, calls: int) -> bool:
    """Let a process die before a call; return whether it had ended by then."""
    if process.run(calls):
        return True
    process.kill()
    return False


@pytest.mark.usefixtures("one_shard")
def test_a_publisher_may_die_before_any_of_its_calls(world: World, at: Clock) -> None:
    store_users(6)
    store_users(6, batch=True, name="batch")
    has_ended = False
    published = 0
    while not has_ended:
        publications = approved(2)
        has_ended = lived_through(
            world, Process(partial(publishing.publish, publications)), published // 2
        )
        published += 2
        world.sweep()
        world.work()
        assert everyone_has(world, published, of_each=6)
        assert not has_work()
    assert published == 16


@pytest.mark.usefixtures("one_shard")
def test_a_worker_may_die_before_any_of_its_calls(world: World) -> None:
    """Its message comes again when it is visible again."""
    store_users(6)
    store_users(6, batch=True, name="batch")
    published = calls = 0
    deaths = 0
    while not published or deaths:
        deaths = 0
        publish(2)
        published += 2
        while body := world.take():
            if not lived_through(world, Process(partial(do, body)), calls):
                world.queue.append((world.now + VISIBILITY_SECONDS, body))
                deaths += 1
                break
        world.work()
        assert everyone_has(world, published, of_each=6)
        assert not has_work()
        calls += 1
    assert calls == 23


@pytest.mark.usefixtures("one_shard")
def test_a_worker_may_die_before_any_of_its_calls_and_its_message_be_lost(world: World) -> None:
    """As a dead letter, for example: the sweep finds the lane, without another event."""
    store_users(6)
    published = calls = 0
    deaths = 1
    while deaths:
        deaths = 0
        publish(2)
        published += 2
        while body := world.take():
            deaths += not lived_through(world, Process(partial(do, body)), calls)
        world.sweep()
        world.sweep()
        world.work()
        assert all(set(seqs) == set(range(1, published + 1)) for seqs in world.got.values())
        assert not has_work()
        calls += 1
    assert calls == 20


@pytest.mark.usefixtures("one_shard")
def test_a_worker_that_outlives_its_lease_changes_nothing_any_more(world: World) -> None:
    """It stands still before any of its calls, another one does its work, and it goes on."""
    store_users(6, batch=True)
    published = calls = 0
    was_late = True
    while was_late:
        publish(2)
        published += 2
        body = world.take()
        assert body
        late = Process(partial(do, body))
        was_late = not late.run(calls)
        world.set(world.now + VISIBILITY_SECONDS)
        assert do(body)
        publish()
        published += 1
        late.run()
        world.work()
        assert all(set(seqs) == set(range(1, published + 1)) for seqs in world.got.values())
        assert not has_work()
        calls += 1
    assert calls == 20


def test_messages_that_find_a_lane_held_leave_nothing_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker stands still before any of its calls, and others take all messages meanwhile."""
    monkeypatch.setattr(rounds, "MAX_WORK_SECONDS", dict.fromkeys(Kind, -1))
    store_users(12, batch=True)
    published = calls = 0
    has_ended = False
    while not has_ended:
        publish()
        body = world.take()
        assert body
        assert Kind.BATCH in body  # the kind of the audience
        held = Process(partial(do, body))
        has_ended = held.run(calls)
        publish()
        world.work()
        held.run()
        world.work()
        published += 2
        assert all(seqs == list(range(1, published + 1)) for seqs in world.got.values())
        assert not has_work()
        calls += 1
    assert calls == 13


def test_a_message_that_comes_twice_or_late_costs_nothing(world: World) -> None:
    store_users(12)
    publish()
    bodies = [body for _, body in world.queue]
    world.work()
    for body in bodies * 2:
        assert do(body)
    assert all(seqs == [1] for seqs in world.got.values())


# --- Rows ---


def acquired(lane: Lane, me: str) -> State:
    state = lanes.acquire(lane, me)
    assert state is not None
    return state


@pytest.mark.usefixtures("world")
def test_one_worker_holds_a_lane_until_its_lease_ends(world: World) -> None:
    here = lane()
    assert lanes.owe(here, [1]) == Waking(0, 0)
    acquired(here, ME)
    assert lanes.acquire(here, OTHER) is None
    world.set(lanes.LEASE_MS / 1000 + 0.1)
    assert acquired(here, OTHER).pending == {1}
    with pytest.raises(lanes.LeaseLost):
        lanes.release(here, ME)


@pytest.mark.usefixtures("world")
def test_a_lane_that_is_held_is_not_woken_and_is_not_released_with_work() -> None:
    here = lane()
    assert lanes.owe(here, [1]) == Waking(0, 0)
    state = acquired(here, ME)
    assert lanes.owe(here, [2]) is None
    state = lanes.begin(here, ME, state.pending, Round(1, 1, 1))
    assert state.pending == {2}
    left = lanes.finish(here, ME, EndedRound((1, 1), 7))
    assert left == State(frozenset({2}), (1, 1), members=7)
    state = lanes.begin(here, ME, left.pending, Round(2, 2, 2))
    assert lanes.finish(here, ME, EndedRound((1, 2), 7)) is None
    assert has_work() == []
    assert lanes.owe(here, [3]) == Waking(0, 7)


@pytest.mark.usefixtures("world")
def test_every_write_of_one_who_has_lost_the_lease_is_refused() -> None:
    here = lane()
    lanes.owe(here, [1])
    state = acquired(here, OTHER)
    begun = Round(1, 1, 1)
    writes: list[Callable[[], Any]] = [
        lambda: lanes.begin(here, ME, state.pending, begun),
        lambda: lanes.drop(here, ME, state),
        lambda: lanes.proceed(here, ME, begun._replace(cursor="7#c")),
        lambda: lanes.finish(here, ME, EndedRound((1, 1), 7)),
        lambda: lanes.release(here, ME),
        lambda: lanes.pause(here, ME),
    ]
    for write in writes:
        with pytest.raises(lanes.LeaseLost):
            write()
    assert lanes.begin(here, OTHER, state.pending, begun).round == begun


@pytest.mark.usefixtures("world")
def test_what_a_restored_table_has_posted_in_another_epoch_is_not_done() -> None:
    here = lane()
    lanes.owe(here, [1])
    lanes.begin(here, ME, acquired(here, ME).pending, Round(1, 9, 9))
    assert lanes.finish(here, ME, EndedRound((1, 9), 7)) is None
    another = here._replace(epoch="another")
    lanes.owe(another, [1])
    assert acquired(another, ME) == State(pending=frozenset({1}))


@pytest.mark.usefixtures("world")
def test_a_lane_of_another_epoch_is_emptied_and_posts_nothing(world: World) -> None:
    store_users(12)
    lane()
    old = lane()._replace(epoch="another")
    lanes.owe(old, [1])
    rounds.work(old)
    assert (has_work(), world.got) == ([], {})


def test_a_lane_is_found_stalled_only_when_nobody_works_on_it(world: World) -> None:
    here, room = lane(), Lane("room:a.b", "e", "room#01", Kind.BATCH)
    lanes.owe(here, [1])
    lanes.owe(room, [1])
    assert list(lanes.stalled(30)) == []
    world.set(31)
    assert sorted(lanes.stalled(30)) == sorted([here, room])
    acquired(here, ME)
    assert list(lanes.stalled(30)) == [room]
    world.set(31 + lanes.LEASE_MS / 1000 + 31)
    assert sorted(lanes.stalled(30)) == sorted([here, room])


# --- The rate ---


def test_the_rate_is_shared_by_the_lanes_that_have_work(world: World) -> None:
    one, two = lane(shard=0), lane(shard=1)
    assert fanout_rate.enter(one, 10_000) == 9500
    assert fanout_rate.enter(one, 10_000) == 9500
    assert fanout_rate.enter(two, 10_000) == 4750
    fanout_rate.leave(one)
    assert fanout_rate.enter(two, 10_000) == 9500
    assert fanout_rate.enter(one, 10_000) == 4750
    world.set(fanout_rate.ACTIVE_TTL_MS / 1000 + 0.1)
    assert fanout_rate.enter(two, 10_000) == 9500


@pytest.mark.usefixtures("world")
def test_a_lane_has_the_rate_that_is_proportional_to_its_members() -> None:
    large, small, tiny = (lane(shard=shard) for shard in range(3))
    fanout_rate.enter(large, 30_000)
    assert fanout_rate.enter(small, 10_000) == 9500 / 4
    assert fanout_rate.enter(large, 30_000) == 9500 * 3 / 4
    all_members = 40_000 + fanout_rate.MIN_MEMBERS
    assert fanout_rate.enter(tiny, 1) == 9500 * fanout_rate.MIN_MEMBERS / all_members


@pytest.fixture
def paces(monkeypatch: pytest.MonkeyPatch, world: World) -> list[float]:
    """Record the pace of each slice."""
    found: list[float] = []

    def post(posts: Sequence[Post], **how: Any) -> Delivery:
        if "per_second" in how:
            found.append(how["per_second"])
        return world.post(posts, **how)

    monkeypatch.setattr(sender, "post", post)
    return found


@pytest.mark.usefixtures("one_shard")
def test_a_worker_begins_a_round_with_no_more_than_an_equal_share(
    world: World, paces: list[float]
) -> None:
    """All lanes may be woken at the same moment, and none of them has entered yet."""
    store_users(24)
    publish()
    world.work()
    publish()
    world.work()
    assert paces == [1900, 9500, 9500, 9500] * 2


@pytest.mark.usefixtures("one_shard")
def test_a_worker_that_goes_on_with_a_round_has_its_share_from_the_first_slice(
    world: World, paces: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    store_users(24)
    monkeypatch.setattr(rounds, "MAX_WORK_SECONDS", dict.fromkeys(Kind, -1))
    publish()
    world.work()
    assert paces[0] == 1900
    assert set(paces[1:]) == {9500}


# --- Lanes without members ---


@pytest.mark.usefixtures("one_shard")
def test_a_lane_without_members_is_read_once_for_the_events_of_three_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_users(12, batch=True, name="batch")
    publish()
    world.work()
    looks = []
    page = subscriptions.page

    def counted(
        partition: partitions.Partition, cursor: str | None, limit: int, kind: Kind | None = None
    ) -> subscriptions.SubscriptionPage:
        if cursor is None:
            looks.append(kind)
        return page(partition, cursor, limit, kind)

    monkeypatch.setattr(subscriptions, "page", counted)
    before = world.now
    for _ in range(3):
        world.set(world.now + 0.5)
        publish()
    world.work()
    assert looks.count(Kind.PLAIN) == 1
    assert world.now - before == pytest.approx(0.5 + lanes.EMPTY_LANE_INTERVAL_SECONDS)
    assert not has_work()


@pytest.mark.usefixtures("one_shard")
def test_the_first_member_of_a_lane_gets_its_event_after_three_seconds_at_most(
    world: World,
) -> None:
    store_users(12, batch=True, name="batch")
    publish()
    world.work()
    store_users(1)
    publish()
    before = world.now
    world.work()
    assert world.got["many0"] == [2]
    assert world.now - before <= lanes.EMPTY_LANE_INTERVAL_SECONDS
    publish()
    assert all(due <= world.now for due, _ in world.queue)


@pytest.mark.usefixtures("one_shard")
def test_a_lane_without_members_whose_message_is_lost_is_found_by_the_sweep(world: World) -> None:
    store_users(12, batch=True, name="batch")
    publish()
    world.work()
    store_users(1)
    publish()
    world.queue = [(due, body) for due, body in world.queue if due <= world.now]
    world.work()
    assert "many0" not in world.got
    world.sweep()
    world.work()
    assert world.got["many0"] == [2]


# --- Beside version 0.1 ---


def test_a_page_that_version_0_1_has_queued_is_posted(world: World) -> None:
    store_users(12)
    approved(2)
    [first, *_] = partitions.partitions_of("user")
    world.queue.append(
        (
            0,
            json.dumps(
                {
                    "type": "post_page",
                    "channel": "user",
                    "seqs": [1, 2],
                    "partition": [first.key, ""],
                    "cursor": "3#many3",
                }
            ),
        )
    )
    world.work()
    there = subscriptions.page(first, None, 100).members.plain
    assert world.got == {each.connection_id: [1, 2] for each in there}


def test_a_post_that_version_0_1_has_queued_again_is_posted(world: World) -> None:
    connect("c1", ClientType.USER)
    approved(3)
    task = {
        "type": "post_again",
        "channel": "user",
        "seqs": [2, 3],
        "attempt": 2,
        "counted": 1,
        "members": [["user#01", "1#c1"]],
    }
    [place] = partitions.partitions_of("user:1")
    task["members"] = [[place.key, "1#c1"]]
    assert do(json.dumps(task))
    assert world.got == {"c1": [2, 3]}


def test_the_mark_of_lanes_is_none_that_version_0_1_looks_for(world: World) -> None:
    store_users(12)
    publishing.publish([approve(1)])
    approve(2)
    rows = aws.dynamodb().scan(TableName="history")["Items"]
    assert {row["unsent"]["S"] for row in rows if "unsent" in row} == {"lane", "publication"}
