"""What a client remembers, against a server that repeats, reorders and forgets."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from local.inbox import Event, Inbox


def connected(seq: int, epoch: str = "e") -> Event:
    return {"event": "connected", "data": {"positions": {"user": {"epoch": epoch, "seq": seq}}}}


def event(seq: int) -> Event:
    return {"event": "product.approved", "channel": "user", "seq": seq}


def recovered(seq: int, epoch: str = "e", *, is_recovered: bool = True) -> Event:
    at = {"recovered": is_recovered, "epoch": epoch, "seq": seq}
    return {"event": "recovered", "data": {"recovered": is_recovered, "channels": {"user": at}}}


def resume(seq: int, epoch: str = "e") -> Event:
    return {"type": "resume", "positions": {"user": {"epoch": epoch, "seq": seq}}}


def applied(inbox: Inbox) -> list[Any]:
    return [event["seq"] for event in inbox.events]


def test_a_new_client_begins_where_the_channel_stands() -> None:
    inbox = Inbox()
    assert inbox.take(connected(57)) is None
    assert inbox.take(event(58)) is None
    assert applied(inbox) == [58]


def test_a_client_that_comes_back_asks_for_what_it_missed() -> None:
    inbox = Inbox()
    inbox.take(connected(57))
    assert inbox.take(connected(57)) is None
    assert inbox.take(connected(60)) == resume(57)


def test_a_gap_is_asked_for_once_and_what_came_early_is_kept() -> None:
    inbox = Inbox()
    inbox.take(connected(0))
    assert inbox.take(event(2)) == resume(0)
    assert inbox.take(event(3)) is None
    assert applied(inbox) == []
    assert inbox.take(event(1)) is None
    assert applied(inbox) == [1, 2, 3]
    assert inbox.take(recovered(3)) is None
    assert inbox.take(event(5)) == resume(3)


def test_events_before_connected_wait_for_it() -> None:
    inbox = Inbox()
    assert inbox.take(event(58)) is None
    assert inbox.take(event(57)) is None
    assert inbox.take(connected(57)) is None
    assert applied(inbox) == [58]


def test_another_epoch_is_told_and_what_cannot_be_recovered_is_to_be_refetched() -> None:
    inbox = Inbox()
    inbox.take(connected(57))
    assert inbox.take(connected(3, "other")) == resume(57)
    assert inbox.take(recovered(3, "other", is_recovered=False)) is None
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


def test_pongs_and_other_errors_mean_nothing_to_it() -> None:
    inbox = Inbox()
    assert inbox.take({"event": "pong"}) is None
    assert inbox.take({"event": "error", "data": {"code": "message_invalid"}}) is None


@given(st.lists(st.integers(1, 12)), st.integers(0, 12))
def test_whatever_arrives_is_applied_once_and_in_order_and_recovery_fills_every_gap(
    arriving: list[int], began: int
) -> None:
    inbox = Inbox()
    inbox.take(connected(began))
    for seq in arriving:
        asked = inbox.take(event(seq))
        if asked:
            since = asked["positions"]["user"]["seq"]
            for missed in range(since + 1, 13):
                inbox.take(event(missed))
            assert inbox.take(recovered(12)) is None
    last = max([began, *applied(inbox)])
    assert applied(inbox) == list(range(began + 1, last + 1))
    assert last >= max([began, *arriving])
