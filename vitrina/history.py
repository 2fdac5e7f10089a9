"""Stored events of the last day: numbered per channel, read for recovery, kept in an outbox."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import uuid4

from aws_lambda_powertools import Logger

from vitrina import aws, clock, config, metrics
from vitrina.aws import Backoff
from vitrina.channels import is_room
from vitrina.errors import Unavailable
from vitrina.events import Position, Published
from vitrina.frames import MAX_FRAME_BYTES

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

logger = Logger()

# DynamoDB's limit for one transaction is 100. One item is left for a receipt.
MAX_TRANSACTION_ITEMS = 99

# Policy. One head numbers the events of a channel, and one writer at a time moves it. Submissions
# can wait, so they pause longer and leave the head to decisions.
DECISION_BACKOFF = Backoff(40, first_pause_seconds=0.02, max_pause_seconds=0.05)
SUBMISSION_BACKOFF = Backoff(12, first_pause_seconds=0.4, max_pause_seconds=5.0)
# The HTTP API waits for 29 s.
MAX_COMMIT_SECONDS = 20

OUTBOX_INDEX = "outbox"
# Marks of unsent rows: the first event of a publication, and each event of version 0.1.
_UNSENT = "publication"
_UNSENT_EVENT = "1"
# The number of a channel's head, the item that holds its latest number and its epoch.
HEAD = 0

# Clients choose the names of rooms, so the head of a room expires: a day after the room's latest
# event. Rows of two epochs never exist at the same time.
ROOM_HEAD_TTL_SECONDS = 24 * 60 * 60
# Connections end after two hours, and a room's head lasts longer. So numbers never restart while a
# connection receives events of the room; events do not contain the epoch.
MIN_ROOM_HEAD_TTL_SECONDS = 12 * 60 * 60


Key = tuple[str, int]
"""Of a row: a channel and a number."""


class Change(NamedTuple):
    """A write and its events, which are committed together or not at all."""

    write: "TransactWriteItemTypeDef | None"
    """None when there is nothing to write but the events."""
    events: Sequence[Published]


R = TypeVar("R")
Receipt = Callable[[R], list[Change]]
"""Returns the changes that store a result, for the transaction that produces the result."""


def no_receipt(_result: object) -> list[Change]:
    return []


def event_ids(changes: Iterable[Change]) -> list[str]:
    return [event.id for change in changes for event in change.events]


class StoredEvent(NamedTuple):
    """An event in one channel."""

    channel: str
    seq: int
    event_id: str
    body: bytes
    created_at_ms: int


class Span(NamedTuple):
    """Events of one channel, from the first number to the last."""

    channel: str
    first: int
    last: int


class Publication(NamedTuple):
    """The events of one transaction: in each of their channels, in a row."""

    events: list[StoredEvent]
    epochs: dict[str, str]
    """The epoch of each channel."""

    @property
    def mark(self) -> StoredEvent:
        """The event whose row marks the publication as unsent."""
        return self.events[0]

    @property
    def heads(self) -> dict[str, Position]:
        """The positions of its channels after it."""
        return {
            span.channel: Position(epoch=self.epochs[span.channel], seq=span.last)
            for span in self.spans
        }

    @property
    def spans(self) -> list[Span]:
        seqs: dict[str, list[int]] = {}
        for event in self.events:
            seqs.setdefault(event.channel, []).append(event.seq)
        return [Span(channel, min(found), max(found)) for channel, found in seqs.items()]


class WriteConflict(Exception):
    """The condition of a change's own write no longer holds; nothing was written."""


def batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Pack changes, in their order, into as few transactions as DynamoDB's limit allows."""
    batch: list[Change] = []
    heads: set[str] = set()
    puts = 0
    for change in changes:
        channels = [channel for event in change.events for channel in event.channels()]
        # One item for each head, one for each change's write, one for each event in a channel.
        if len(heads.union(channels)) + puts + 1 + len(channels) > MAX_TRANSACTION_ITEMS:
            yield batch
            batch, heads, puts = [], set(), 0
        batch.append(change)
        heads.update(channels)
        puts += 1 + len(channels)
    if batch:
        yield batch


def commit(
    changes: Sequence[Change],
    backoff: Backoff = DECISION_BACKOFF,
    until: float | None = None,
    heads: Mapping[str, Position] | None = None,
) -> Publication:
    """Write changes and their events in one transaction, each event with the next number.

    The transaction succeeds if the channels' heads are unchanged; otherwise the events get new
    numbers. The first attempt uses `heads` if the caller has read them. Raises WriteConflict, or
    Unavailable `busy` when every attempt has conflicted, or at `until`, a value of
    `time.monotonic`: by default after `MAX_COMMIT_SECONDS`.
    """
    if until is None:
        until = time.monotonic() + MAX_COMMIT_SECONDS
    writes = [change.write for change in changes if change.write]
    events = [(event, event.channels()) for change in changes for event in change.events]
    for _ in aws.attempts(backoff, until):
        heads = _those_of(events, heads)
        stored = _number(events, heads)
        publication = Publication(stored, {channel: heads[channel].epoch for channel in heads})
        last = {span.channel: span.last for span in publication.spans}
        try:
            aws.transact_once(
                [
                    *writes,
                    *(_advance(channel, heads[channel], last[channel]) for channel in heads),
                    *_puts(publication),
                ]
            )
        except aws.dynamodb().exceptions.TransactionCanceledException as canceled:
            reasons = aws.transient_reasons(canceled)
            if "ConditionalCheckFailed" in reasons[: len(writes)]:
                raise WriteConflict from None
            heads = None
        else:
            _log([event for event, _ in events], stored)
            return publication
    raise Unavailable("busy", "Too many events are published at this moment; try again.")


def _those_of(
    events: Iterable[tuple[Published, Sequence[str]]], known: Mapping[str, Position] | None
) -> dict[str, Position]:
    """Return the heads of the channels of events: the known ones, or as they are now."""
    channels = {channel for _, channels in events for channel in channels}
    if known is None or not channels <= known.keys():
        return positions(channels)
    return {channel: known[channel] for channel in channels}


def _log(events: Sequence[Published], stored: Sequence[StoredEvent]) -> None:
    """Log the committed events, with the numbers that tasks of the queues contain."""
    names = Counter(event.event for event in events)
    logger.info(
        "committed",
        events=[*names],
        event_ids=[event.id for event in events],
        positions=[f"{event.channel}/{event.seq}" for event in stored],
    )
    metrics.emit(**names)


def positions(channels: Iterable[str]) -> dict[str, Position]:
    """Return the position of each channel's latest committed event.

    A channel without events gets its epoch here, so that all readers see the same epoch.
    """
    wanted = dict.fromkeys(channels)
    found = known_positions(wanted)
    new = [channel for channel in wanted if channel not in found]
    return found | dict(zip(new, aws.in_parallel(_open, new), strict=True))


def known_positions(channels: Iterable[str]) -> dict[str, Position]:
    """Return the positions of those channels that have one, strongly consistent."""
    return positions_in(aws.batch_get(config.current().history_table, map(head_key, channels)))


def head_key(channel: str) -> dict[str, Any]:
    return _key((channel, HEAD))


def _key(key: Key) -> dict[str, Any]:
    return dict(zip(("channel", "seq"), key, strict=True))


def positions_in(rows: Iterable[Mapping[str, Any]]) -> dict[str, Position]:
    """Read heads in DynamoDB's format; return the positions of their channels."""
    heads = map(aws.from_item, rows)
    return {head["channel"]: Position(epoch=head["epoch"], seq=int(head["last"])) for head in heads}


def keep(channel: str) -> Position:
    """Return a room's position, and keep its head for longer than a connection that joins now.

    DynamoDB deletes a head at any moment after its expiry. No other code reads the expiry: a head
    that is still stored has the room's epoch and number.
    """
    for head in get([(channel, HEAD)]):
        is_lasting = head.get("expires_at", 0) >= time.time() + MIN_ROOM_HEAD_TTL_SECONDS
        if is_lasting or _extend(channel, head["epoch"]):
            return Position(epoch=head["epoch"], seq=int(head["last"]))
    return positions([channel])[channel]


def _extend(channel: str, epoch: str) -> bool:
    """Move the end of a head, if it still exists."""
    return aws.update(
        config.current().history_table,
        head_key(channel),
        "SET expires_at = :end",
        {":end": _head_end(channel), ":epoch": epoch},
        "epoch = :epoch",
    ).is_done


def _head(channel: str, epoch: str, last: int) -> dict[str, Any]:
    ends = {"expires_at": _head_end(channel)}
    return {"channel": channel, "seq": HEAD, "last": last, "epoch": epoch, **ends}


def _head_end(channel: str) -> int | None:
    """Return when a head that is written now expires, in seconds since 1970; None for never."""
    if not is_room(channel):
        return None
    kept = config.current().history_retention_seconds + ROOM_HEAD_TTL_SECONDS
    return int(time.time()) + kept


def _open(channel: str) -> Position:
    """Write a channel's first head; of concurrent writers, the first one's epoch stays."""
    head = Position(epoch=uuid4().hex[:8], seq=0)
    is_first = aws.is_written(
        aws.dynamodb().put_item,
        TableName=config.current().history_table,
        Item=aws.to_item(_head(channel, head.epoch, head.seq)),
        ConditionExpression="attribute_not_exists(channel)",
    )
    return head if is_first else positions([channel])[channel]


def read(span: Span) -> list[StoredEvent]:
    """Return those events of a span that still exist, in order, strongly consistent."""
    return list(_between(*span))


def missed(channel: str, since: Position, head: Position, limit: int) -> list[StoredEvent] | None:
    """Return all events after a position, up to a head that was read before, in order.

    None when there are more than `limit`, when one has expired, or when the epoch is another.
    """
    count = head.seq - since.seq
    if since.epoch != head.epoch or not 0 <= count <= limit:
        return None
    events = list(_between(channel, since.seq + 1, head.seq)) if count else []
    return events if len(events) == count else None


def mark_sent(publications: Iterable[Publication]) -> None:
    """Take publications off the outbox; an expired one is not written again."""

    def mark(publication: Publication) -> None:
        key = _key((publication.mark.channel, publication.mark.seq))
        remove, condition = "REMOVE unsent, publication", "attribute_exists(unsent)"
        aws.update(config.current().history_table, key, remove, {}, condition)

    aws.in_parallel(mark, publications)


def unsent(older_than_seconds: float) -> Iterator[Publication]:
    """Yield publications that a crash left in the outbox, oldest first."""
    before = clock.now_ms() - int(older_than_seconds * 1000)
    for value in (_UNSENT, _UNSENT_EVENT):
        for keys in outbox(value, before):
            # The index lags behind the table: a publication may have been sent since.
            marks = [item for item in _kept(keys) if "unsent" in item]
            for item in sorted(marks, key=lambda item: item["created_at"]):
                yield _publication(item)


def outbox(value: str, before_ms: int) -> Iterator[list[Key]]:
    """Yield the keys of rows that are marked with a value since before a moment, oldest first."""
    pages = aws.query(
        {
            "TableName": config.current().history_table,
            "IndexName": OUTBOX_INDEX,
            "KeyConditionExpression": "unsent = :value AND created_at < :before",
            "ExpressionAttributeValues": aws.to_item({":value": value, ":before": before_ms}),
            "Limit": aws.MAX_KEYS_PER_READ,
        }
    )
    for page in pages:
        keys = [aws.from_item(item) for item in page["Items"]]
        yield [(key["channel"], int(key["seq"])) for key in keys]


def _publication(mark: Mapping[str, Any]) -> Publication:
    """Read the events of a publication that a row marks, or of version 0.1 the row's own."""
    if "publication" not in mark:
        epochs = {name: at.epoch for name, at in known_positions([mark["channel"]]).items()}
        return Publication([_from_item(mark)], epochs)
    spans = json.loads(mark["publication"])
    events = [event for _, *span in spans for event in read(Span(*span))]
    return Publication(events, {channel: epoch for epoch, channel, *_ in spans})


def _number(
    events: Iterable[tuple[Published, Sequence[str]]], heads: Mapping[str, Position]
) -> list[StoredEvent]:
    """Give each event its next number in each of its channels."""
    last = {channel: head.seq for channel, head in heads.items()}
    stored = []
    for event, channels in events:
        for channel in channels:
            last[channel] += 1
            body = event.body_for(channel, last[channel])
            if len(body) > MAX_FRAME_BYTES:
                raise ValueError(f"{event.event} is longer than a frame: {len(body)} bytes")
            stored.append(StoredEvent(channel, last[channel], event.id, body, clock.now_ms()))
    return stored


def _advance(channel: str, head: Position, last: int) -> "TransactWriteItemTypeDef":
    """Move a channel's head to its last event, if the head is as it was read."""
    return _write(
        _head(channel, head.epoch, last),
        ConditionExpression="#last = :last AND epoch = :epoch",
        ExpressionAttributeNames={"#last": "last"},
        ExpressionAttributeValues=aws.to_item({":last": head.seq, ":epoch": head.epoch}),
    )


def _puts(publication: Publication) -> "Iterator[TransactWriteItemTypeDef]":
    """Yield the writes of events; the first one's row marks all of them as unsent."""
    spans = [(publication.epochs[span.channel], *span) for span in publication.spans]
    mark = {"unsent": _UNSENT, "publication": json.dumps(spans, separators=(",", ":"))}
    for event in publication.events:
        yield _write(
            {
                "channel": event.channel,
                "seq": event.seq,
                "event_id": event.event_id,
                "body": event.body.decode(),
                "created_at": event.created_at_ms,
                "expires_at": event.created_at_ms // 1000
                + config.current().history_retention_seconds,
                **(mark if event is publication.mark else {}),
            }
        )


def _write(item: Mapping[str, Any], **condition: Any) -> "TransactWriteItemTypeDef":
    put: Any = {"TableName": config.current().history_table, "Item": aws.to_item(item)}
    return {"Put": put | condition}


def _between(channel: str, first: int, last: int) -> Iterator[StoredEvent]:
    pages = aws.query(
        {
            "TableName": config.current().history_table,
            "ConsistentRead": True,
            "KeyConditionExpression": "channel = :channel AND seq BETWEEN :first AND :last",
            "FilterExpression": "expires_at > :now",
            "ExpressionAttributeValues": aws.to_item(
                {":channel": channel, ":first": first, ":last": last, ":now": int(time.time())}
            ),
        }
    )
    for page in pages:
        yield from (_from_item(aws.from_item(item)) for item in page["Items"])


def _kept(keys: Iterable[Key]) -> Iterator[dict[str, Any]]:
    """Read events, without expired ones: the room's numbers may have restarted since."""
    return (item for item in get(keys) if item["expires_at"] > time.time())


def get(keys: Iterable[Key]) -> Iterator[dict[str, Any]]:
    """Yield the rows that exist, strongly consistent and in no order."""
    return map(aws.from_item, aws.batch_get(config.current().history_table, map(_key, keys)))


def _from_item(item: Mapping[str, Any]) -> StoredEvent:
    return StoredEvent(
        channel=item["channel"],
        seq=int(item["seq"]),
        event_id=item["event_id"],
        body=item["body"].encode(),
        created_at_ms=int(item["created_at"]),
    )
