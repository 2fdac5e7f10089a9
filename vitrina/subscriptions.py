"""Stored subscriptions: pages of a channel, those of an identity or account, counts."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from vitrina import aws, config, partitions, sessions
from vitrina.channels import ClientType
from vitrina.partitions import Kind, Partition, Subscription, partitions_of

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef, QueryOutputTypeDef

# Clients may open many rooms, and one read finds a few of them.
MAX_ROOMS_SECONDS = 2
# About 4 KB, which cost as much as one row.
ROWS_PER_READ = 20
# A reserved word in DynamoDB's expressions, as is "partition".
_MEMBER = {"#member": "member"}
_BATCH = {"#batch": "batch"}
_OPEN = "expires_at > :now"
_COUNT: Any = {"Select": "COUNT", "ConsistentRead": False}


class Members(NamedTuple):
    """Subscriptions, by the kind of their connections."""

    plain: list[Subscription]
    batch: list[Subscription]

    def of(self, kind: Kind) -> list[Subscription]:
        return self.batch if kind is Kind.BATCH else self.plain


class SubscriptionPage(NamedTuple):
    """Subscriptions of a partition that have not expired."""

    partition: Partition
    members: Members
    cursor: str | None
    """Where the next page begins; None after the last page."""


def page(
    partition: Partition, cursor: str | None, limit: int, kind: Kind | None = None
) -> SubscriptionPage:
    """Read at most `limit` rows after a cursor, strongly consistent; with `kind` of that only.

    Others and expired rows are read and left out, so a page may be empty and still have a next
    page. Rows of sessions that ended with everyone's are left out too.
    """
    found = aws.dynamodb().query(**_page_query(partition, cursor, limit, kind))
    return _page_of(partition, found)


def _page_query(
    partition: Partition, cursor: str | None, limit: int, kind: Kind | None = None
) -> "QueryInputTypeDef":
    which, values = _OPEN, {}
    if kind:
        which += f" AND attribute{'' if kind is Kind.BATCH else '_not'}_exists(#batch)"
    if everyone := sessions.everyone_era():
        which, values = f"{which} AND everyone >= :era", {"era": everyone}
    request: Any = _query(partition, which, **values)
    request |= {"ProjectionExpression": "#member, #batch", "Limit": limit}
    request["ExpressionAttributeNames"] |= _MEMBER | _BATCH
    if cursor:
        request["ExclusiveStartKey"] = {"partition": {"S": partition.key}, "member": {"S": cursor}}
    found: QueryInputTypeDef = request
    return found


def _page_of(partition: Partition, found: "QueryOutputTypeDef") -> SubscriptionPage:
    members = Members([], [])
    for row in found["Items"]:
        kind = Kind.BATCH if "batch" in row else Kind.PLAIN
        members.of(kind).append(Subscription(partition.key, row["member"]["S"]))
    last = found.get("LastEvaluatedKey")
    return SubscriptionPage(partition, members, last["member"]["S"] if last else None)


def first_pages(channels: Iterable[str], limit: int) -> list[tuple[str, SubscriptionPage]]:
    """Return the first page of every partition of several channels, all read in parallel."""
    wanted = [(channel, partition) for channel in channels for partition in partitions_of(channel)]
    sessions.everyone_era()  # cached before the threads begin
    pages = aws.in_parallel(lambda where: page(where[1], None, limit), wanted)
    return [(channel, found) for (channel, _), found in zip(wanted, pages, strict=True)]


def still_open(members: Sequence[Subscription]) -> Members:
    """Return those that are stored, not expired and not of an ended session: a consistent read."""
    everyone = sessions.everyone_era()
    keys = [member._asdict() for member in dict.fromkeys(members)]
    rows = map(aws.from_item, aws.batch_get(config.current().connections_table, keys))
    now = time.time()
    found = Members([], [])
    for row in rows:
        if row["expires_at"] > now and row.get("everyone", 0) >= everyone:
            kind = Kind.BATCH if "batch" in row else Kind.PLAIN
            found.of(kind).append(Subscription(row["partition"], row["member"]))
    return found


class OpenConnection(NamedTuple):
    """A subscription of an open connection, with its session."""

    connected_at: int
    """In seconds since 1970."""
    subscription: Subscription
    session_id: str | None
    era: int
    """Of the account, when the session began."""
    expires_at: int
    """In seconds since 1970."""


def of_identity(client_type: ClientType, identity: str) -> list[OpenConnection]:
    """Return the open connections of an identity, the oldest first, strongly consistent."""
    places = partitions_of(f"{client_type}:{identity}")
    return sorted(_opened(row) for partition in places for row in _rows(_query(partition)))


def sessions_between(client_type: ClientType, first: str, last: str) -> set[str]:
    """Return the sessions of a type that have open connections, of identities in a range.

    Identities are compared as texts, as DynamoDB sorts the rows. Eventually consistent.
    """
    found = set()
    for partition in partitions_of(client_type):
        request: Any = _query(partition)
        request["KeyConditionExpression"] += " AND #member BETWEEN :first AND :last"
        request["ExpressionAttributeNames"] |= _MEMBER
        # "$" follows "#", so the end is after every subscription of the last one.
        request["ExpressionAttributeValues"] |= aws.to_item(
            {":first": f"{first}#", ":last": f"{last}$"}
        )
        request["ConsistentRead"] = False
        found |= {row["session"]["S"] for row in _rows(request) if "session" in row}
    return found


def count_of_identity(client_type: ClientType, identity: str) -> int:
    """Count the open connections of an identity: one read, eventually consistent."""
    queries = [_query(each) for each in partitions_of(f"{client_type}:{identity}")]
    pages = (page for query in queries for page in aws.query({**query, **_COUNT}))
    return sum(page["Count"] for page in pages)


def of_account(
    client_type: ClientType, account_id: int, shop_id: int | None
) -> list[OpenConnection]:
    """Return the open connections of an account, the oldest first, strongly consistent.

    The connections of a shop are stored under the shop, which may have several accounts; where it
    is not known, those of all shops are read.
    """
    scope = f"{client_type}:{account_id}"
    if client_type is ClientType.SHOP:
        scope = f"{client_type}:{shop_id}" if shop_id else client_type
    own = f"{_OPEN} AND account_id = :account"
    queries = [_query(partition, own, account=account_id) for partition in partitions_of(scope)]
    found = aws.in_parallel(lambda query: list(_rows(query)), queries)
    return sorted(_opened(row) for rows in found for row in rows)


def connected_until(client_type: ClientType, moment: int) -> Iterator[Subscription]:
    """Yield the open connections of a type that connected by a moment, partition by partition."""
    by_then = f"{_OPEN} AND connected_at <= :moment"
    for partition in partitions_of(client_type):
        found = _rows(_query(partition, by_then, moment=moment))
        yield from (_opened(row).subscription for row in found)


def expired(still_open: Counter[ClientType]) -> Iterator[Subscription]:
    """Yield expired connections that are still stored: a read of all rows, partition by partition.

    Those whose session ended with everyone's are among them. The other rows are counted into
    `still_open`, which is complete at the end. Eventually consistent, at half the price: read a
    connection again before acting on it.
    """
    everyone = sessions.everyone_era()
    ended = "expires_at <= :now OR attribute_not_exists(everyone) OR everyone < :era"
    which, values = (ended, {"era": everyone}) if everyone else ("expires_at <= :now", {})
    for client_type in ClientType:
        for partition in partitions_of(client_type):
            request = _query(partition, which, **values) | {"ConsistentRead": False}
            for found in aws.query(request):
                still_open[client_type] += found["ScannedCount"] - found["Count"]
                yield from (_opened(row).subscription for row in found["Items"])


def _opened(row: dict[str, Any]) -> OpenConnection:
    subscription = Subscription(row["partition"]["S"], row["member"]["S"])
    return OpenConnection(
        int(row["connected_at"]["N"]),
        subscription,
        session_id=row["session"]["S"] if "session" in row else None,
        era=int(row["era"]["N"]) if "era" in row else 0,
        expires_at=int(row["expires_at"]["N"]),
    )


class Counts(NamedTuple):
    by_type: dict[ClientType, int]
    rooms: int
    """At least so many: they are counted for two seconds."""
    read_units: float
    """What the count has consumed."""


def count() -> Counts:
    """Count open connections by type, and distinct rooms, strongly consistent: a read of all."""
    sessions.everyone_era()  # cached before the threads begin
    wanted = [(each, partition) for each in ClientType for partition in partitions_of(each)]
    calls: list[Callable[[], Any]] = [
        partial(aws.in_parallel, lambda each: _count_in(each[1]), wanted),
        partial(aws.in_parallel, _rooms_in, partitions_of("room")),
    ]
    counted, rooms = aws.in_parallel(lambda call: call(), calls)
    by_type = dict.fromkeys(ClientType, 0)
    for (client_type, _), (number, _) in zip(wanted, counted, strict=True):
        by_type[client_type] += number
    return Counts(
        by_type,
        # While the number of shards changes, one room has subscriptions in several partitions.
        rooms=len(set().union(*(names for names, _ in rooms))),
        read_units=sum(units for _, units in (*counted, *rooms)),
    )


def _count_in(partition: Partition) -> tuple[int, float]:
    """Return the number of open connections of a partition, and the read units."""
    pages = list(aws.query({**aws.measured(_query(partition)), "Select": "COUNT"}))
    return sum(page["Count"] for page in pages), sum(map(aws.read_units, pages))


def _rooms_in(partition: Partition) -> tuple[set[str], float]:
    """Return the rooms of a partition, and the read units: a large room is one read."""
    rooms: set[str] = set()
    units = 0.0
    cursor: str | None = None
    deadline = time.monotonic() + MAX_ROOMS_SECONDS
    while True:
        answer = aws.dynamodb().query(**aws.measured(_page_query(partition, cursor, ROWS_PER_READ)))
        units += aws.read_units(answer)
        found = _page_of(partition, answer)
        names = sorted(
            each.member.partition("#")[0] for kind in Kind for each in found.members.of(kind)
        )
        rooms.update(names)
        if found.cursor is None or time.monotonic() > deadline:
            return rooms, units
        # "$" follows "#", so this cursor is after every subscription to the last room.
        cursor = f"{names[-1]}$" if names else found.cursor


def _rows(request: "QueryInputTypeDef") -> Iterator[dict[str, Any]]:
    for found in aws.query(request):
        yield from found["Items"]


def _query(partition: Partition, which: str = _OPEN, **values: Any) -> "QueryInputTypeDef":
    """Query a partition, filtered by time: DynamoDB may delete expired rows days later."""
    table = config.current().connections_table
    request: QueryInputTypeDef = partitions.query(
        table, partition, which, now=int(time.time()), **values
    )
    return request
