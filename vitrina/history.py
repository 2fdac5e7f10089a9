"""Stored events of the last day: numbered per channel, read for recovery, kept in an outbox."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from aws_lambda_powertools import Logger

from vitrina import aws, config, metrics
from vitrina.aws import Patience
from vitrina.channels import is_room
from vitrina.errors import Unavailable
from vitrina.events import Position, Published

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

logger = Logger()

# DynamoDB's limit for one transaction.
MAX_TRANSACTION_ITEMS = 100
# API Gateway's limit for a frame; a longer one closes the connection (1009).
MAX_FRAME_BYTES = 32 * 1024
PARALLEL_WRITES = 16

# Policy. One head numbers the events of a channel, and one writer at a time moves it. Submissions
# can wait, so they pause longer and leave the head to decisions.
DECISION = Patience(40, first_pause_seconds=0.02, max_pause_seconds=0.05)
SUBMISSION = Patience(12, first_pause_seconds=0.4, max_pause_seconds=5.0)
# The HTTP API waits for 29 s.
MAX_SECONDS = 20

OUTBOX_INDEX = "outbox"
# The number of a channel's head, the item that holds its latest number and its epoch.
HEAD = 0

# Clients choose the names of rooms, so the head of a room expires: a day after the room's latest
# event has expired. Rows of two epochs never meet.
HEAD_OUTLIVES_EVENTS_SECONDS = 24 * 60 * 60
# A room's head lasts longer than its members, whose connections end after two hours. So numbers
# never begin again while a member follows them: events do not contain the epoch.
MIN_HEAD_SECONDS = 12 * 60 * 60


class Change(NamedTuple):
    """A write and its event: both are committed, or neither."""

    write: "TransactWriteItemTypeDef | None"
    """None when there is nothing to write but the event."""
    event: Published


class StoredEvent(NamedTuple):
    """An event in one channel."""

    channel: str
    seq: int
    event_id: str
    body: bytes
    created_at_ms: int


class WriteConflict(Exception):
    """The condition of a change's own write no longer holds; nothing was written."""


def now_ms() -> int:
    """Return the present moment in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Pack changes, in their order, into as few transactions as DynamoDB's limit allows."""
    batch: list[Change] = []
    heads: set[str] = set()
    puts = 0
    for change in changes:
        channels = change.event.channels()
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
    changes: Sequence[Change], patience: Patience = DECISION, until: float | None = None
) -> list[StoredEvent]:
    """Write changes and their events in one transaction, each event with the next number.

    The transaction succeeds if the channels' heads are as they were read; otherwise the events get
    new numbers. Raises WriteConflict, or Unavailable `busy` when other writers won every attempt
    or at `until`, a value of `time.monotonic`: by default after `MAX_SECONDS`.
    """
    if until is None:
        until = time.monotonic() + MAX_SECONDS
    writes = [change.write for change in changes if change.write]
    events = [(change.event, change.event.channels()) for change in changes]
    for _ in aws.attempts(patience, until):
        heads = positions({channel for _, channels in events for channel in channels})
        stored = _number(events, heads)
        last = {event.channel: event.seq for event in stored}
        try:
            aws.transact_once(
                [
                    *writes,
                    *(_advance(channel, heads[channel], last[channel]) for channel in heads),
                    *map(_put, stored),
                ]
            )
        except aws.dynamodb().exceptions.TransactionCanceledException as canceled:
            reasons = aws.transient_reasons(canceled)
            if "ConditionalCheckFailed" in reasons[: len(writes)]:
                raise WriteConflict from None
        else:
            _log(changes, stored)
            return stored
    raise Unavailable("busy", "Too many events are published at this moment; try again.")


def _log(changes: Sequence[Change], stored: Sequence[StoredEvent]) -> None:
    """Log what was committed, with the numbers that the queue's tasks name it by."""
    names = Counter(change.event.event for change in changes)
    logger.info(
        "committed",
        events=[*names],
        event_ids=[change.event.id for change in changes],
        positions=[f"{event.channel}/{event.seq}" for event in stored],
    )
    metrics.emit(**names)


def positions(channels: Iterable[str]) -> dict[str, Position]:
    """Return the position of each channel's latest committed event.

    A channel without events gets its epoch here, so that every reader has the same one.
    """
    wanted = dict.fromkeys(channels)
    found = known_positions(wanted)
    new = [channel for channel in wanted if channel not in found]
    with ThreadPoolExecutor(PARALLEL_WRITES) as pool:
        return found | dict(zip(new, pool.map(_open, new), strict=True))


def known_positions(channels: Iterable[str]) -> dict[str, Position]:
    """Return the positions of those channels that have one, strongly consistent."""
    return {
        head["channel"]: Position(epoch=head["epoch"], seq=int(head["last"]))
        for head in _get((channel, HEAD) for channel in channels)
    }


def keep(channel: str) -> Position:
    """Return a room's position, and keep its head for longer than a connection that joins now.

    DynamoDB deletes a head at any moment after its end. Nothing else looks at that end: a head that
    is still stored has the room's epoch and number.
    """
    for head in _get([(channel, HEAD)]):
        is_lasting = head.get("expires_at", 0) >= time.time() + MIN_HEAD_SECONDS
        if is_lasting or _extend(channel, head["epoch"]):
            return Position(epoch=head["epoch"], seq=int(head["last"]))
    return positions([channel])[channel]


def _extend(channel: str, epoch: str) -> bool:
    """Move the end of a head, if it still exists."""
    try:
        aws.dynamodb().update_item(
            TableName=config.current().history_table,
            Key=aws.to_item({"channel": channel, "seq": HEAD}),
            UpdateExpression="SET expires_at = :end",
            ConditionExpression="epoch = :epoch",
            ExpressionAttributeValues=aws.to_item({":end": _head_end(channel), ":epoch": epoch}),
        )
    except aws.dynamodb().exceptions.ConditionalCheckFailedException:
        return False
    return True


def _head(channel: str, epoch: str, last: int) -> dict[str, Any]:
    ends = {"expires_at": _head_end(channel)}
    return {"channel": channel, "seq": HEAD, "last": last, "epoch": epoch, **ends}


def _head_end(channel: str) -> int | None:
    """Return when a head that is written now expires, in seconds since 1970; None for never."""
    if not is_room(channel):
        return None
    kept = config.current().history_retention_seconds + HEAD_OUTLIVES_EVENTS_SECONDS
    return int(time.time()) + kept


def _open(channel: str) -> Position:
    """Write a channel's first head; of concurrent writers, the first one's epoch stays."""
    head = Position(epoch=uuid4().hex[:8], seq=0)
    try:
        aws.dynamodb().put_item(
            TableName=config.current().history_table,
            Item=aws.to_item(_head(channel, head.epoch, head.seq)),
            ConditionExpression="attribute_not_exists(channel)",
        )
    except aws.dynamodb().exceptions.ConditionalCheckFailedException:
        return positions([channel])[channel]
    return head


def read(channel: str, seqs: Iterable[int]) -> list[StoredEvent]:
    """Return those of a channel's events that still exist, in order."""
    return sorted(map(_from_item, _kept((channel, seq) for seq in seqs)))


def missed(channel: str, since: Position, head: Position, limit: int) -> list[StoredEvent] | None:
    """Return all events after a position, up to a head that was read before, in order.

    None when there are more than `limit`, when one has expired, or when the epoch is another.
    """
    count = head.seq - since.seq
    if since.epoch != head.epoch or not 0 <= count <= limit:
        return None
    events = list(_between(channel, since.seq + 1, head.seq)) if count else []
    return events if len(events) == count else None


def mark_sent(events: Iterable[StoredEvent]) -> None:
    """Take events off the outbox; one that has expired in the meantime is not written again."""

    def mark(event: StoredEvent) -> None:
        try:
            aws.dynamodb().update_item(
                TableName=config.current().history_table,
                Key=aws.to_item({"channel": event.channel, "seq": event.seq}),
                UpdateExpression="REMOVE unsent",
                ConditionExpression="attribute_exists(unsent)",
            )
        except aws.dynamodb().exceptions.ConditionalCheckFailedException:
            pass

    with ThreadPoolExecutor(PARALLEL_WRITES) as pool:
        list(pool.map(mark, events))


def unsent(older_than_seconds: float) -> Iterator[list[StoredEvent]]:
    """Yield what a crash left in the outbox, oldest first, at most a hundred events at a time."""
    before = now_ms() - int(older_than_seconds * 1000)
    pages = aws.query(
        {
            "TableName": config.current().history_table,
            "IndexName": OUTBOX_INDEX,
            "KeyConditionExpression": "unsent = :yes AND created_at < :before",
            "ExpressionAttributeValues": aws.to_item({":yes": "1", ":before": before}),
            "Limit": aws.MAX_KEYS_PER_READ,
        }
    )
    for page in pages:
        keys = [aws.from_item(item) for item in page["Items"]]
        # The index lags behind the table: an event may have been sent since.
        items = _kept((key["channel"], int(key["seq"])) for key in keys)
        if events := sorted(_from_item(item) for item in items if "unsent" in item):
            yield events


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
            stored.append(StoredEvent(channel, last[channel], event.id, body, now_ms()))
    return stored


def _advance(channel: str, head: Position, last: int) -> "TransactWriteItemTypeDef":
    """Move a channel's head to its last event, if the head is as it was read."""
    return _write(
        _head(channel, head.epoch, last),
        ConditionExpression="#last = :last AND epoch = :epoch",
        ExpressionAttributeNames={"#last": "last"},
        ExpressionAttributeValues=aws.to_item({":last": head.seq, ":epoch": head.epoch}),
    )


def _put(event: StoredEvent) -> "TransactWriteItemTypeDef":
    return _write(
        {
            "channel": event.channel,
            "seq": event.seq,
            "event_id": event.event_id,
            "body": event.body.decode(),
            "created_at": event.created_at_ms,
            "expires_at": event.created_at_ms // 1000 + config.current().history_retention_seconds,
            "unsent": "1",
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


def _kept(keys: Iterable[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    """Read events, without those that have expired: a room may number from one again by then."""
    return (item for item in _get(keys) if item["expires_at"] > time.time())


def _get(keys: Iterable[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    wanted = ({"channel": channel, "seq": seq} for channel, seq in keys)
    return map(aws.from_item, aws.batch_get(config.current().history_table, wanted))


def _from_item(item: Mapping[str, Any]) -> StoredEvent:
    return StoredEvent(
        channel=item["channel"],
        seq=int(item["seq"]),
        event_id=item["event_id"],
        body=item["body"].encode(),
        created_at_ms=int(item["created_at"]),
    )
