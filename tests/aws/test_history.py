"""Events in DynamoDB: numbered without gaps, committed with what they tell of, kept for a day."""

import time
from typing import Any

import pytest

from tests.aws.timeline import Timeline
from vitrina import aws, config, history
from vitrina.aws import Backoff
from vitrina.errors import Unavailable
from vitrina.events import (
    Position,
    ProductSubmission,
    ProductSubmitted,
    Published,
    SettingsUpdate,
    SettingsUpdated,
)
from vitrina.history import Change, Span, WriteConflict

pytestmark = pytest.mark.usefixtures("cloud")


def event(number: int = 1, notes: str = "") -> Published:
    return ProductSubmitted(
        data=ProductSubmission(product_id=number, product_name=notes, shop_id=10, shop_name="Shop")
    )


def change(number: int = 1, **condition: Any) -> Change:
    """Return a write of a counter, which stands for the product, and an event to the admins."""
    item = {"name": f"counter {number}", "value": number}
    put: Any = {"TableName": "platform", "Item": aws.to_item(item), **condition}
    return Change({"Put": put}, [event(number)])


def counters() -> int:
    return int(aws.dynamodb().scan(TableName="platform")["Count"])


def position(channel: str = "admin") -> Position:
    return history.positions([channel])[channel]


def missed(since: Position, at_most: int = 500) -> list[int] | None:
    rows = history.missed("admin", since, position(), at_most)
    return None if rows is None else [row.seq for row in rows]


def test_events_of_a_channel_are_numbered_from_one_without_gaps() -> None:
    rows = [*history.commit([change(1)]).events, *history.commit([change(2), change(3)]).events]
    assert [row.seq for row in rows] == [1, 2, 3]
    assert position().seq == 3
    assert [row.seq for row in history.read(Span("admin", 1, 3))] == [1, 2, 3]


def test_the_body_is_stored_as_it_is_sent() -> None:
    [row] = history.commit([Change(change().write, [event(7, "Красное платье")])]).events
    assert history.read(Span("admin", 1, 1)) == [row]
    assert "Красное платье".encode() in row.body
    assert row.body.endswith(b'"channel":"admin","seq":1}')


def test_a_refused_change_leaves_no_event_and_an_uncommitted_event_no_change() -> None:
    never = {"ConditionExpression": "attribute_exists(nothing)"}
    with pytest.raises(WriteConflict):
        history.commit([change(1), change(2, **never)])
    assert counters() == 0
    assert position().seq == 0
    assert history.read(Span("admin", 1, 1)) == []


def test_who_loses_the_race_for_a_head_takes_the_next_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another publisher commits between this one's reading of the head and its writing."""
    read, others = history.positions, iter([change(2), change(3)])

    def outrun(channels: set[str]) -> dict[str, Position]:
        heads = read(channels)
        if other := next(others, None):
            monkeypatch.setattr(history, "positions", read)
            history.commit([other])
            monkeypatch.setattr(history, "positions", outrun)
        return heads

    monkeypatch.setattr(history, "positions", outrun)
    [row] = history.commit([change(1)]).events
    assert row.seq == 3
    assert [b'"product_id":%d' % n in r.body for n, r in zip((2, 3, 1), stored(), strict=True)]


def stored() -> list[history.StoredEvent]:
    return history.read(Span("admin", 1, position().seq))


def test_heads_that_were_read_before_are_taken_once_and_read_anew_when_they_are_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = history.positions(["admin"])
    read = history.positions
    reads: list[set[str]] = []

    def count(channels: set[str]) -> dict[str, Position]:
        reads.append({*channels})
        return read(channels)

    monkeypatch.setattr(history, "positions", count)
    first = history.commit([change(1)], heads=before)
    second = history.commit([change(2)], heads=first.heads)
    assert reads == []
    third = history.commit([change(3)], heads=before)
    assert reads == [{"admin"}]
    published = [first, second, third]
    assert [event.seq for each in published for event in each.events] == [1, 2, 3]


def test_who_loses_every_race_gives_up_with_a_clear_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aws, "jitter", lambda _: 0.0)
    stale = {"admin": Position(epoch="another", seq=5)}
    monkeypatch.setattr(history, "positions", lambda _: stale)
    with pytest.raises(Unavailable, match="try again"):
        history.commit([change()])
    assert counters() == 0


@pytest.mark.parametrize(
    ("backoff", "seconds"),
    [(history.DECISION_BACKOFF, 2), (history.SUBMISSION_BACKOFF, history.MAX_COMMIT_SECONDS)],
)
def test_a_decision_tries_often_and_a_submission_waits_and_both_end_in_time(
    monkeypatch: pytest.MonkeyPatch, backoff: Backoff, seconds: float
) -> None:
    stale = {"admin": Position(epoch="another", seq=5)}
    monkeypatch.setattr(history, "positions", lambda _: stale)
    monkeypatch.setattr(aws, "jitter", lambda longest: longest)
    with Timeline.running() as timeline:
        begun = timeline.now
        with pytest.raises(Unavailable, match="try again"):
            history.commit([change()], backoff)
        assert seconds / 2 < timeline.now - begun <= seconds


def test_a_transaction_that_can_never_succeed_is_not_tried_again() -> None:
    too_many = [change(n) for n in range(60)]
    with pytest.raises(aws.dynamodb().exceptions.ClientError):
        history.commit(too_many)


def test_changes_are_packed_into_as_few_transactions_as_the_limit_allows() -> None:
    """Of an event to one channel: a write and a row each, and one head; 49 make 99 items."""
    packed = list(history.batches(change(n) for n in range(100)))
    assert [len(batch) for batch in packed] == [49, 49, 2]
    assert [c.events[0].data.product_id for batch in packed for c in batch] == list(range(100))
    for batch in packed:
        history.commit(batch)
    assert position().seq == 100


def test_an_event_longer_than_a_frame_is_a_defect() -> None:
    with pytest.raises(ValueError, match="longer than a frame"):
        history.commit([Change(change().write, [event(1, "x" * 32_768)])])
    assert counters() == 0


def test_a_position_is_the_same_for_all_who_read_it_before_the_first_event() -> None:
    first, second = position("user:42"), position("user:42")
    assert first == second
    assert first.seq == 0
    assert position("user:43").epoch != first.epoch


def test_what_was_missed_comes_whole_and_in_order() -> None:
    start = position()
    for n in range(5):
        history.commit([change(n)])
    assert missed(start) == [1, 2, 3, 4, 5]
    assert missed(start.model_copy(update={"seq": 3})) == [4, 5]
    assert missed(position()) == []


def test_what_does_not_reach_back_is_not_recovered_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    start = position()
    for n in range(5):
        history.commit([change(n)])
    assert missed(start, at_most=4) is None
    assert missed(start, at_most=5) is not None
    assert missed(Position(epoch="another", seq=3)) is None
    assert missed(Position(epoch=start.epoch, seq=6)) is None
    key = aws.to_item({"channel": "admin", "seq": 3})
    aws.dynamodb().delete_item(TableName="history", Key=key)
    assert missed(start) is None
    assert missed(start.model_copy(update={"seq": 3})) == [4, 5]


def test_what_is_older_than_the_retention_is_gone_even_if_dynamodb_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = position()
    history.commit([change()])
    in_a_day = time.time() + config.current().history_retention_seconds + 1
    monkeypatch.setattr(time, "time", lambda: in_a_day)
    assert missed(start) is None


def test_recovery_goes_on_past_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB ends a page at 1 MB; a client that is given one row at a time reads the same."""
    start = position()
    for n in range(5):
        history.commit([change(n)])
    query = aws.dynamodb().query
    monkeypatch.setattr(aws.dynamodb(), "query", lambda **more: query(**{**more, "Limit": 1}))
    assert missed(start) == [1, 2, 3, 4, 5]


def test_the_outbox_holds_publications_that_are_unsent_and_nothing_else() -> None:
    first = history.commit([change(n) for n in range(3)])
    second = history.commit([change(n) for n in range(3, 5)])
    assert list(history.unsent(60)) == []
    assert list(history.unsent(-1)) == [first, second]
    history.mark_sent([first])
    assert list(history.unsent(-1)) == [second]
    history.mark_sent([first, second])
    assert list(history.unsent(-1)) == []
    assert stored() == first.events + second.events


def test_one_row_marks_all_events_of_a_publication_in_all_their_channels() -> None:
    update = SettingsUpdate(version=1, changed={"approval_fee": 5.0})
    published = history.commit([Change(None, [SettingsUpdated(data=update)])] * 2)
    marked = [row for row in aws.dynamodb().scan(TableName="history")["Items"] if "unsent" in row]
    assert [(row["channel"]["S"], row["seq"]["N"]) for row in marked] == [("user", "1")]
    [found] = history.unsent(-1)
    assert sorted(found.events) == sorted(published.events)
    assert found.epochs == published.epochs
    assert found.spans == [Span(name, 1, 2) for name in ("user", "shop", "admin")]


def test_events_that_version_0_1_left_in_the_outbox_are_publications_of_their_own() -> None:
    """It marked each event's row, and knows no other mark."""
    published = history.commit([change(1), change(2)])
    history.mark_sent([published])
    for event in published.events:
        aws.dynamodb().update_item(
            TableName="history",
            Key=aws.to_item({"channel": event.channel, "seq": event.seq}),
            UpdateExpression="SET unsent = :yes",
            ExpressionAttributeValues={":yes": {"S": "1"}},
        )
    found = list(history.unsent(-1))
    assert found == [history.Publication([event], published.epochs) for event in published.events]
    history.mark_sent(found)
    assert list(history.unsent(-1)) == []


def test_an_event_that_has_expired_is_not_brought_back_by_marking_it_sent() -> None:
    published = history.commit([change()])
    aws.dynamodb().delete_item(TableName="history", Key=aws.to_item({"channel": "admin", "seq": 1}))
    history.mark_sent([published])
    assert stored() == []


def test_more_than_a_hundred_rows_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for batch in history.batches(change(n) for n in range(130)):
        history.commit(batch)
    assert len(stored()) == 130
    assert sum(len(each.events) for each in history.unsent(-1)) == 130


def test_what_dynamodb_leaves_over_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit([change(n) for n in range(10)])
    whole = aws.dynamodb().batch_get_item

    def half(**request: Any) -> Any:
        keys = request["RequestItems"]["history"]["Keys"]
        request["RequestItems"]["history"]["Keys"] = keys[: len(keys) // 2 + 1]
        left = {"history": {"Keys": keys[len(keys) // 2 + 1 :]}}
        return whole(**request) | {"UnprocessedKeys": left if left["history"]["Keys"] else {}}

    monkeypatch.setattr(aws.dynamodb(), "batch_get_item", half)
    assert len(list(history.get(("admin", n) for n in range(1, 11)))) == 10
