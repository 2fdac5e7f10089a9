"""What a client remembers, against a server that repeats, reorders and forgets."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from local.inbox import MAX_EARLY_EVENTS, Event, Inbox
from vitrina import frames


def connected(seq: int, epoch: str = "e", *, recovering: Sequence[str] = ()) -> Event:
    positions = {"user": {"epoch": epoch, "seq": seq}}
    return {"event": "connected", "data": {"positions": positions, "recovering": [*recovering]}}


def event(seq: int) -> Event:
    return {"event": "product.approved", "channel": "user", "seq": seq}


def recovered(seq: int, epoch: str = "e", *, is_recovered: bool = True) -> Event:
    at = {"recovered": is_recovered, "epoch": epoch, "seq": seq}
    return {"event": "recovered", "data": {"recovered": is_recovered, "channels": {"user": at}}}


def resume(seq: int, epoch: str = "e") -> list[Event]:
    return [{"type": "resume", "positions": {"user": {"epoch": epoch, "seq": seq}}}]


def applied(inbox: Inbox) -> list[Any]:
    return [event["seq"] for event in inbox.events]


def test_a_new_client_begins_where_the_channel_stands() -> None:
    inbox = Inbox()
    assert inbox.take(connected(57)) == []
    assert inbox.take(event(58)) == []
    assert applied(inbox) == [58]


def test_a_client_that_comes_back_asks_for_what_it_missed() -> None:
    inbox = Inbox()
    inbox.take(connected(57))
    inbox.open()
    assert inbox.take(connected(57)) == []
    inbox.open()
    assert inbox.take(connected(60)) == resume(57)


def test_the_handshake_says_how_far_the_channels_are_read_but_not_the_rooms() -> None:
    inbox = Inbox()
    assert inbox.open() == ""
    inbox.take(connected(57))
    inbox.take(joined(5))
    inbox.take(event(58))
    assert inbox.open() == "user:e:58"


def test_what_is_recovered_without_a_request_is_not_requested() -> None:
    inbox = Inbox()
    inbox.take(connected(57))
    inbox.open()
    assert inbox.take(event(61)) == []  # a live one, before `connected`
    assert inbox.take(connected(60, recovering=["user"])) == []
    assert inbox.take(event(62)) == []
    for seq in (58, 59, 60):
        assert inbox.take(event(seq)) == []
    assert inbox.take(recovered(60)) == []
    assert applied(inbox) == [58, 59, 60, 61, 62]
    assert inbox.take(event(64)) == resume(62)


def test_a_greeting_that_comes_again_changes_nothing() -> None:
    inbox = Inbox()
    inbox.take(connected(57))
    inbox.open()
    greeting = [connected(58, recovering=["user"]), event(58), recovered(58)]
    lost = [connected(60, recovering=["user"]), recovered(60, is_recovered=False)]
    for frame in (*greeting, event(59), *greeting, *lost, event(61), *greeting, *lost):
        assert inbox.take(frame) == []
    assert applied(inbox) == [58, 59, 61]
    assert inbox.refetches == ["user"]


def test_a_gap_is_asked_for_once_and_what_came_early_is_kept() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    assert inbox.take(event(2)) == resume(0)
    assert inbox.take(event(3)) == []
    assert applied(inbox) == []
    assert inbox.take(event(1)) == []
    assert applied(inbox) == [1, 2, 3]
    assert inbox.take(recovered(3)) == []
    assert inbox.take(event(5)) == resume(3)


def test_events_before_connected_wait_for_it() -> None:
    inbox = Inbox()
    assert inbox.take(event(58)) == []
    assert inbox.take(event(57)) == []
    assert inbox.take(connected(57)) == []
    assert applied(inbox) == [58]


def test_a_channel_behind_what_was_read_of_it_is_another_one_and_is_refetched() -> None:
    inbox = Inbox()
    inbox.take(connected(57))
    inbox.open()
    assert inbox.take(connected(4)) == resume(57)
    inbox.take(event(5))
    assert applied(inbox) == []
    assert inbox.take(recovered(4, is_recovered=False)) == []
    assert inbox.refetches == ["user"]
    assert applied(inbox) == [5]


def test_events_that_wait_are_bounded_and_those_beyond_the_bound_are_requested_again() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    assert inbox.take(event(2)) == resume(0)
    for seq in range(3, MAX_EARLY_EVENTS + 10):
        assert inbox.take(event(seq)) == []
    inbox.take(event(1))
    assert applied(inbox) == [*range(1, MAX_EARLY_EVENTS + 2)]
    assert inbox.take(recovered(MAX_EARLY_EVENTS + 9)) == resume(MAX_EARLY_EVENTS + 1)


def test_another_epoch_is_reported_and_what_cannot_be_recovered_is_refetched() -> None:
    inbox = Inbox()
    inbox.take(connected(57))
    inbox.open()
    assert inbox.take(connected(3, "other")) == resume(57)
    assert inbox.take(recovered(3, "other", is_recovered=False)) == []
    assert inbox.refetches == ["user"]
    inbox.take(event(4))
    assert applied(inbox) == [4]


def test_a_recovery_that_broke_off_is_asked_for_again() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    inbox.take(event(3))
    inbox.take(event(1))
    interrupted = {"event": "error", "data": {"code": "recovery_interrupted"}}
    assert inbox.take(interrupted) == resume(1)


def test_what_was_refused_as_too_many_requests_is_requested_again_after_a_wait() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    inbox.take(joined(5))
    inbox.take(event(3))
    inbox.open()
    assert inbox.take(connected(3)) == [JOIN, *resume(0)]
    refusal = {"code": "too_many_requests", "retry_after": 12}
    assert inbox.take({"event": "error", "data": refusal}) == []
    assert inbox.unanswered() == [JOIN, *resume(0)]
    for frame in (joined(5), event(1), event(2), event(3), recovered(3)):
        inbox.take(frame)
    assert inbox.unanswered() == []


def test_pongs_and_other_errors_mean_nothing_to_it() -> None:
    inbox = Inbox()
    assert inbox.take({"event": "pong"}) == []
    assert inbox.take({"event": "error", "data": {"code": "message_invalid"}}) == []


@given(st.lists(st.integers(1, 12)), st.integers(0, 12))
def test_whatever_arrives_is_applied_once_and_in_order_and_recovery_fills_every_gap(
    arriving: list[int], began: int
) -> None:
    inbox = Inbox()
    inbox.take(connected(began))
    for seq in arriving:
        for asked in inbox.take(event(seq)):
            since = asked["positions"]["user"]["seq"]
            for missed in range(since + 1, 13):
                inbox.take(event(missed))
            assert inbox.take(recovered(12)) == []
    last = max([began, *applied(inbox)])
    assert applied(inbox) == list(range(began + 1, last + 1))
    assert last >= max([began, *arriving])


def joined(seq: int) -> Event:
    position = {"epoch": "e", "seq": seq}
    return {
        "event": "joined",
        "data": {"room": "sale", "channel": "room:sale", "position": position},
    }


def in_the_room(seq: int) -> Event:
    return event(seq) | {"channel": "room:sale"}


JOIN = {"type": "join", "room": "sale"}
RESUME_ROOM = {"type": "resume", "positions": {"room:sale": {"epoch": "e", "seq": 6}}}


def test_a_room_is_joined_again_on_every_connection_and_what_was_missed_in_it_asked_for() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    assert inbox.take(joined(5)) == []
    inbox.take(in_the_room(6))
    inbox.open()
    assert inbox.take(connected(0)) == [JOIN]
    assert inbox.take(joined(8)) == [RESUME_ROOM]


def test_a_gap_in_a_room_is_asked_for_only_once_it_is_joined_again() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    inbox.take(joined(6))
    assert inbox.take(in_the_room(8)) == [RESUME_ROOM]
    inbox.open()
    assert inbox.take(connected(0)) == [JOIN]
    assert inbox.take(event(1)) == []
    assert inbox.take(joined(8)) == [RESUME_ROOM]


def test_what_was_read_of_a_room_is_forgotten_when_it_is_left() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    inbox.take(joined(5))
    assert inbox.take({"event": "left", "data": {"room": "sale"}}) == []
    inbox.open()
    assert inbox.take(connected(0)) == []
    assert inbox.take(joined(90)) == []
    assert inbox.positions["room:sale"]["seq"] == 90


def test_numbers_of_another_epoch_wait_until_it_is_known_where_it_stands() -> None:
    inbox = Inbox()
    inbox.take(connected(57))
    inbox.open()
    inbox.take(connected(57, "other"))
    assert inbox.take(event(58)) == []
    assert applied(inbox) == []
    inbox.take(recovered(57, "other", is_recovered=False))
    assert applied(inbox) == [58]
    inbox.take(event(58))
    assert applied(inbox) == [58]


# --- Batches ---


def batch(*events: Event) -> Event:
    return {"event": "batch", "events": [*events]}


def test_the_events_of_a_batch_are_applied_in_order() -> None:
    inbox = Inbox()
    inbox.take(connected(57))
    assert inbox.take(batch(event(58), event(59), event(59), event(60))) == []
    assert applied(inbox) == [58, 59, 60]


def test_all_gaps_in_a_batch_are_asked_for_at_once_and_once() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    inbox.take(joined(6))
    gaps = batch(event(3), in_the_room(8), event(5), in_the_room(10))
    asked = resume(0)[0]["positions"] | RESUME_ROOM["positions"]
    assert inbox.take(gaps) == [{"type": "resume", "positions": asked}]
    assert inbox.take(batch(event(7), in_the_room(12))) == []


def test_a_gap_that_the_same_batch_fills_is_not_asked_for() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    assert inbox.take(batch(event(2), event(1))) == []
    assert applied(inbox) == [1, 2]


def test_what_was_missed_and_recovered_may_be_one_frame() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    inbox.open()
    assert inbox.take(connected(2)) == resume(0)
    assert inbox.take(batch(event(1), event(2), recovered(2))) == []
    assert applied(inbox) == [1, 2]
    assert inbox.unanswered() == []
    assert inbox.take(batch(event(4), recovered(2))) == resume(2)


def test_a_connection_may_begin_with_a_batch_that_says_all() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    inbox.take(joined(5))
    inbox.open()
    assert inbox.take(batch(connected(2), event(1), event(2), recovered(2))) == [JOIN]
    assert applied(inbox) == [1, 2]


def in_frames(events: Sequence[Event], cuts: set[int]) -> list[Event]:
    """Return events as frames that begin at the given places."""
    bounds = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
    groups = [events[first:last] for first, last in pairwise(bounds)]
    return [batch(*group) if len(group) > 1 else group[0] for group in groups]


what_arrives = st.one_of(
    st.integers(1, 12).map(event),
    st.integers(1, 12).map(in_the_room),
    st.builds(connected, st.integers(0, 12), st.sampled_from(["e", "e", "other"])),
    st.builds(
        recovered,
        st.integers(0, 12),
        st.sampled_from(["e", "e", "other"]),
        is_recovered=st.booleans(),
    ),
    st.integers(0, 12).map(joined),
    st.just({"event": "left", "data": {"room": "sale"}}),
    st.just({"event": "error", "data": {"code": "recovery_interrupted"}}),
    st.just({"event": "pong"}),
)


@given(st.lists(what_arrives, max_size=30), st.sets(st.integers(1, 30)))
def test_a_client_is_the_same_after_frames_as_after_single_events(
    events: list[Event], cuts: set[int]
) -> None:
    singly, packed = Inbox(), Inbox()
    for each in events:
        singly.take(each)
    for frame in in_frames(events, cuts):
        assert sum(message["type"] == "resume" for message in packed.take(frame)) <= 1
    assert packed.events == singly.events
    assert packed.positions == singly.positions
    assert packed.rooms == singly.rooms
    assert packed.refetches == singly.refetches


@given(st.lists(st.integers(1, 12)), st.integers(0, 12), st.sets(st.integers(1, 30)))
def test_recovery_in_batches_fills_every_gap(
    arriving: list[int], began: int, cuts: set[int]
) -> None:
    inbox = Inbox()
    inbox.take(connected(began))
    for frame in in_frames([*map(event, arriving)], cuts):
        for asked in inbox.take(frame):
            since = asked["positions"]["user"]["seq"]
            answers = [*map(event, range(since + 1, 13)), recovered(12)]
            for answer in frames.pack(json.dumps(answer).encode() for answer in answers):
                assert inbox.take(json.loads(answer)) == []
    last = max([began, *applied(inbox)])
    assert applied(inbox) == list(range(began + 1, last + 1))
    assert last >= max([began, *arriving])
