"""The stored events of the last day: their numbers, what a client missed, what is unsent."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from aws_lambda_powertools import Logger

from vitrina import aws, metrics, settings
from vitrina.errors import Unavailable
from vitrina.events import Position, Published

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef, TransactWriteItemTypeDef

logger = Logger()

# DynamoDB's limit for one transaction.
ITEMS_PER_TRANSACTION = 100
COMMIT_ATTEMPTS = 12
# A frame of API Gateway; a longer one closes the connection (1009).
LARGEST_BODY_BYTES = 32 * 1024
PARALLEL_WRITES = 16

OUTBOX_INDEX = "outbox"
# The channel's head: its latest number and its epoch.
HEAD = 0


class Change(NamedTuple):
    """A write, and the event that tells of it: both happen or neither."""

    write: "TransactWriteItemTypeDef | None"
    """None when the event is all that happens."""
    event: Published


class Row(NamedTuple):
    """An event as one channel has it."""

    channel: str
    seq: int
    event_id: str
    body: bytes
    created_at_ms: int


class Outrun(Exception):
    """The condition of a change's own write does not hold any more; nothing was written."""


def now_ms() -> int:
    """Return the present moment in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Pack changes, in their order, into as few transactions as DynamoDB's limit allows."""
    batch: list[Change] = []
    for change in changes:
        if _items_of([*batch, change]) > ITEMS_PER_TRANSACTION:
            yield batch
            batch = []
        batch.append(change)
    if batch:
        yield batch


def _items_of(changes: Sequence[Change]) -> int:
    heads = {channel for change in changes for channel in change.event.channels()}
    return len(heads) + sum(1 + len(change.event.channels()) for change in changes)


def commit(changes: Sequence[Change]) -> list[Row]:
    """Write changes and their events in one transaction, each event with the next number.

    Optimistic: the numbers are good if the channels' heads are still as they were read, and are
    taken anew if not. Raises Outrun, or Unavailable `busy` when others were faster every time.
    """
    writes = [change.write for change in changes if change.write]
    for attempt in range(1, COMMIT_ATTEMPTS + 1):
        heads = positions({channel for change in changes for channel in change.event.channels()})
        rows = _number(changes, heads)
        try:
            aws.dynamodb().transact_write_items(
                TransactItems=[
                    *writes,
                    *(_advance(head, rows, channel) for channel, head in heads.items()),
                    *(_put(row) for row in rows),
                ]
            )
        except aws.dynamodb().exceptions.TransactionCanceledException as canceled:
            reasons = aws.passing_reasons(canceled)
            if "ConditionalCheckFailed" in reasons[: len(writes)]:
                raise Outrun from None
            aws.pause_before_another_try(attempt)
        else:
            _tell(changes, rows)
            return rows
    raise Unavailable("busy", "Too many are publishing at this moment; try again.")


def _tell(changes: Sequence[Change], rows: Sequence[Row]) -> None:
    """Log what was committed, with the numbers by which the queue's tasks call it."""
    names = Counter(change.event.event for change in changes)
    logger.info(
        "committed",
        events=[*names],
        event_ids=[change.event.id for change in changes],
        positions=[f"{row.channel}/{row.seq}" for row in rows],
    )
    metrics.emit(**names)


def positions(channels: Iterable[str]) -> dict[str, Position]:
    """Return where each channel stands: the number of its latest committed event.

    A channel that nothing was published to yet begins with this, so that its epoch is known to
    all who read it.
    """
    wanted = dict.fromkeys(channels)
    found = {
        head["channel"]: Position(epoch=head["epoch"], seq=int(head["last"]))
        for head in _get((channel, HEAD) for channel in wanted)
    }
    unheard_of = [channel for channel in wanted if channel not in found]
    with ThreadPoolExecutor(PARALLEL_WRITES) as pool:
        return found | dict(zip(unheard_of, pool.map(_open, unheard_of), strict=True))


def _open(channel: str) -> Position:
    """Begin to count; whoever comes second takes the first one's epoch."""
    head = Position(epoch=uuid4().hex[:8], seq=0)
    item = {"channel": channel, "seq": HEAD, "last": head.seq, "epoch": head.epoch}
    try:
        aws.dynamodb().put_item(
            TableName=settings.current().history_table,
            Item=aws.to_item(item),
            ConditionExpression="attribute_not_exists(channel)",
        )
    except aws.dynamodb().exceptions.ConditionalCheckFailedException:
        return positions([channel])[channel]
    return head


def read(channel: str, seqs: Iterable[int]) -> list[Row]:
    """Return those of a channel's events that still exist, in order."""
    return sorted(_to_row(item) for item in _get((channel, seq) for seq in seqs))


def missed(channel: str, since: Position, head: Position, at_most: int) -> list[Row] | None:
    """Return the events after a position, up to a head read before, in order: all, or None.

    None when they are too many, have expired, or were counted in another epoch.
    """
    count = head.seq - since.seq
    if since.epoch != head.epoch or not 0 <= count <= at_most:
        return None
    rows = list(_between(channel, since.seq + 1, head.seq)) if count else []
    return rows if len(rows) == count else None


def mark_sent(rows: Iterable[Row]) -> None:
    """Take events off the outbox; one that has expired meanwhile stays away."""

    def mark(row: Row) -> None:
        try:
            aws.dynamodb().update_item(
                TableName=settings.current().history_table,
                Key=_key(row.channel, row.seq),
                UpdateExpression="REMOVE unsent",
                ConditionExpression="attribute_exists(unsent)",
            )
        except aws.dynamodb().exceptions.ConditionalCheckFailedException:
            pass

    with ThreadPoolExecutor(PARALLEL_WRITES) as pool:
        list(pool.map(mark, rows))


def unsent(older_than_seconds: float) -> Iterator[list[Row]]:
    """Yield what a crash left in the outbox, oldest first, at most a hundred at a time."""
    query: QueryInputTypeDef = {
        "TableName": settings.current().history_table,
        "IndexName": OUTBOX_INDEX,
        "KeyConditionExpression": "unsent = :yes AND created_at < :before",
        "ExpressionAttributeValues": aws.to_item(
            {":yes": "1", ":before": now_ms() - int(older_than_seconds * 1000)}
        ),
        "Limit": aws.KEYS_AT_ONCE,
    }
    while True:
        page = aws.dynamodb().query(**query)
        keys = [aws.from_item(item) for item in page["Items"]]
        # The index lags behind the table: what was sent meanwhile is not unsent any more.
        items = _get((key["channel"], int(key["seq"])) for key in keys)
        if rows := sorted(_to_row(item) for item in items if "unsent" in item):
            yield rows
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _number(changes: Sequence[Change], heads: Mapping[str, Position]) -> list[Row]:
    """Give each event its next number in each of its channels."""
    last = {channel: head.seq for channel, head in heads.items()}
    rows = []
    for change in changes:
        for channel in change.event.channels():
            last[channel] += 1
            body = change.event.body_for(channel, last[channel])
            if len(body) > LARGEST_BODY_BYTES:
                raise ValueError(f"{change.event.event} is longer than a frame: {len(body)} bytes")
            rows.append(Row(channel, last[channel], change.event.id, body, now_ms()))
    return rows


def _advance(head: Position, rows: Iterable[Row], channel: str) -> "TransactWriteItemTypeDef":
    """Move a channel's head to its last row, if the head is still where it was read."""
    last = max(row.seq for row in rows if row.channel == channel)
    return _write(
        {"channel": channel, "seq": HEAD, "last": last, "epoch": head.epoch},
        ConditionExpression="#last = :last AND epoch = :epoch",
        ExpressionAttributeNames={"#last": "last"},
        ExpressionAttributeValues=aws.to_item({":last": head.seq, ":epoch": head.epoch}),
    )


def _put(row: Row) -> "TransactWriteItemTypeDef":
    item = {
        "channel": row.channel,
        "seq": row.seq,
        "event_id": row.event_id,
        "body": row.body.decode(),
        "created_at": row.created_at_ms,
        "expires_at": row.created_at_ms // 1000 + settings.current().history_retention_seconds,
        "unsent": "1",
    }
    return _write(item)


def _write(item: Mapping[str, Any], **condition: Any) -> "TransactWriteItemTypeDef":
    put: Any = {"TableName": settings.current().history_table, "Item": aws.to_item(item)}
    return {"Put": put | condition}


def _between(channel: str, first: int, last: int) -> Iterator[Row]:
    query: QueryInputTypeDef = {
        "TableName": settings.current().history_table,
        "ConsistentRead": True,
        "KeyConditionExpression": "channel = :channel AND seq BETWEEN :first AND :last",
        "FilterExpression": "expires_at > :now",
        "ExpressionAttributeValues": aws.to_item(
            {":channel": channel, ":first": first, ":last": last, ":now": int(time.time())}
        ),
    }
    while True:
        page = aws.dynamodb().query(**query)
        yield from (_to_row(aws.from_item(item)) for item in page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _get(keys: Iterable[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    wanted = ({"channel": channel, "seq": seq} for channel, seq in keys)
    return map(aws.from_item, aws.batch_get(settings.current().history_table, wanted))


def _key(channel: str, seq: int) -> dict[str, Any]:
    return aws.to_item({"channel": channel, "seq": seq})


def _to_row(item: Mapping[str, Any]) -> Row:
    return Row(
        channel=item["channel"],
        seq=int(item["seq"]),
        event_id=item["event_id"],
        body=item["body"].encode(),
        created_at_ms=int(item["created_at"]),
    )
