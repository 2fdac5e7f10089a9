"""Events of the stream, the queue and the schedule, made from rows and tasks of the service."""

import json
from typing import Any

from fuzz.backend import CONNECTION_IDS, EPOCH, MAX_CONNECTIONS, Case, Item
from fuzz.source import Source, is_chosen, pick
from fuzz.websocket_events import positions
from fuzz.words import document, value, word
from vitrina import aws, partitions
from vitrina.channels import ClientType
from vitrina.positions import valid

_ROOMS = ("sale", "lost", "a.b_c-d", "A", "0", "a" * 64, "shop:10.orders", "admin.alerts")
_IDENTITIES = ("1", "2", "10", "11", "66", "9007199254740991")
_CHANNELS = ("user", "shop", "admin", "shop:10", "room:sale", "user:1")
_PARTITIONS = ("user#00", "user#01", "shop#00", "admin#00", "room#00", "user#99")


def inserted(_name: str, source: Source) -> Case:
    """Return a batch of the connections stream; its rows may no longer be stored."""
    own, rows = [], []
    for _ in range(source.number(1, 6)):
        stored = _connection(source)
        own.append(stored[0])
        rows += [] if is_chosen(source, 4) else stored
    if is_chosen(source, 4):
        own += own
    records = [
        {
            "eventID": str(n),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-central-1",
            "dynamodb": {
                "Keys": {name: row.item[name] for name in ("partition", "member")},
                "NewImage": row.item,
                "SequenceNumber": str(n),
                "StreamViewType": "NEW_IMAGE",
            },
        }
        for n, row in enumerate(own)
    ]
    return Case({"Records": records}, rows)


def queued(_name: str, source: Source) -> Case:
    """Return a batch of the fan-out queue: tasks of the service, and arbitrary bodies."""
    records = [
        {
            "messageId": str(n),
            "receiptHandle": "handle",
            "body": document(source, _task(source)),
            "attributes": {"ApproximateReceiveCount": str(source.number(1, 10))},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "awsRegion": "eu-central-1",
        }
        for n in range(source.number(1, 4))
    ]
    return Case({"Records": records})


def pushes(_name: str, source: Source) -> Case:
    """Return a batch of the push queue: tasks of the service, and arbitrary bodies."""
    records = [
        {"messageId": str(n), "body": document(source, _push_task(source))}
        for n in range(source.number(1, 4))
    ]
    return Case({"Records": records})


def scheduled(_name: str, source: Source) -> Case:
    """Return the event of the schedule; the tables have rows to sweep."""
    rows: list[Item] = []
    for _ in range(source.number(0, 6)):
        own, *members = _connection(source)
        rows += members if is_chosen(source, 3) else [own, *members]
    rows += [_unsent(source, seq) for seq in range(101, 101 + source.number(0, 5))]
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    return Case(json.loads(json.dumps(value(source))) if is_chosen(source, 8) else event, rows)


def _connection(source: Source) -> list[Item]:
    """Return all rows of a connection, its own first."""
    client_type = pick(source, tuple(ClientType))
    identity = pick(source, _IDENTITIES)
    connection_id = pick(source, CONNECTION_IDS)
    if is_chosen(source, 3):
        connection_id += str(source.number(0, 2 * MAX_CONNECTIONS))
    rooms = {pick(source, _ROOMS) for _ in range(source.number(0, 3))}
    at = valid(positions(source)) if is_chosen(source, 2) else None
    common: dict[str, Any] = {
        "account_id": {"N": identity},
        "connected_at": {"N": pick(source, ("{{now}}", "{{an hour ago}}"))},
        "expires_at": {"N": pick(source, ("{{in an hour}}", "{{an hour ago}}", "{{now}}"))},
        **({"batch": {"BOOL": True}} if is_chosen(source, 2) else {}),
    }
    own: dict[str, Any] = {
        **common,
        "partition": {"S": f"connection#{connection_id}"},
        "member": {"S": "connection"},
        "client_type": {"S": client_type},
        "identity": {"S": identity},
        **({"shop_id": {"N": identity}} if client_type is ClientType.SHOP else {}),
        **({"rooms": {"SS": sorted(rooms)}} if rooms else {}),
        **({"positions": {"S": at}} if at else {}),
    }
    names = [f"{client_type}:{identity}", *(f"room:{room}" for room in sorted(rooms))]
    places = [place for name in names for place in partitions.partitions_of(name)]
    members = [
        {**common, "partition": {"S": key}, "member": {"S": prefix + connection_id}}
        for key, prefix in places
    ]
    return [Item("connections", item) for item in (own, *members)]


def _unsent(source: Source, seq: int) -> Item:
    channel = pick(source, _CHANNELS)
    body = {"event": "announcement.published", "data": word(source, "x"), "seq": seq}
    item = {
        "channel": channel,
        "seq": seq,
        "event_id": str(seq),
        "body": json.dumps(body),
        "created_at": 1767225600000,
        "unsent": "1",
    }
    expiry = {"expires_at": {"N": pick(source, ("{{in an hour}}", "{{an hour ago}}"))}}
    return Item("history", aws.to_item(item) | expiry)


def _task(source: Source) -> dict[str, Any]:
    if is_chosen(source, 4):
        count = source.number(0, 4)
        return {
            "type": "greet",
            "connection_ids": [pick(source, CONNECTION_IDS) for _ in range(count)],
            "attempt": source.number(0, 61),
        }
    if is_chosen(source, 4):
        epoch, kind = word(source, EPOCH), pick(source, ("batch", "plain"))
        return {
            "type": "wake",
            "lane": [pick(source, _CHANNELS), epoch, pick(source, _PARTITIONS), kind],
        }
    first = source.number(1, 12)
    seqs = list(range(first, first + source.number(1, 3)))
    task: dict[str, Any] = {
        "channel": pick(source, _CHANNELS),
        "seqs": seqs if not is_chosen(source, 12) else [1] * source.number(0, 101),
    }
    if is_chosen(source, 2):
        count = source.number(0, 4)
        return task | {
            "type": "post_again",
            "members": [[pick(source, _PARTITIONS), _member(source)] for _ in range(count)],
            "attempt": source.number(0, 61),
            "counted": source.number(0, 5),
        }
    # JSON has a named tuple as a list.
    partition = [pick(source, _PARTITIONS), pick(source, ("", "1#", "sale#", "10#"))]
    return task | {"type": "post_page", "partition": partition, "cursor": _member(source)}


def _push_task(source: Source) -> dict[str, Any]:
    events = ("product.approved", "product.rejected", "announcement.published")
    entries = [
        [pick(source, events), pick(source, _CHANNELS), EPOCH, source.number(1, 12)]
        for _ in range(source.number(1, 3))
    ]
    key = [pick(source, _PARTITIONS), pick(source, ("1#1#phone", "10#2#phone", "digest", "owner"))]
    notice = ["id", entries, {}, pick(source, ("push", "digest"))]
    return pick(
        source,
        (
            {"type": "push", "audience": pick(source, _CHANNELS), "entries": entries},
            {"type": "walk", "notice": notice, "partition": [key[0], ""], "cursor": None},
            {"type": "push_again", "notice": notice, "keys": [key], "attempt": 1},
            {"type": "due", "keys": [key, ["digest#user", "digest"]]},
        ),
    )


def _member(source: Source) -> str:
    return f"{pick(source, ('1', 'sale', '10'))}#{pick(source, CONNECTION_IDS)}"
