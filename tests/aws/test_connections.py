"""Open connections in DynamoDB."""

import time
from typing import Any

import pytest

from harness import deployment
from harness.tokens import token_of
from tests.aws.conftest import Clock, connect, stored, stored_connections
from vitrina import (
    auth,
    aws,
    config,
    connections,
    message_budget,
    partitions,
    rooms,
    subscriptions,
)
from vitrina.channels import ClientType
from vitrina.partitions import Subscription

pytestmark = pytest.mark.usefixtures("cloud")


def ids(channel: str) -> list[str]:
    return sorted(member.connection_id for page in pages(channel) for member in page)


def pages(channel: str, limit: int = 1000) -> list[list[Subscription]]:
    """Read a channel to its end."""
    found = []
    for _, page in subscriptions.first_pages([channel], limit):
        found.append(page.members.plain)
        while page.cursor:
            page = subscriptions.page(page.partition, page.cursor, limit)  # noqa: PLW2901
            found.append(page.members.plain)
    return found


def put_member(scope: str, name: str, connection_id: str, expires_in: int = 60) -> Subscription:
    """Store a membership alone, as a row left behind or a room's."""
    [place] = partitions.partitions_of(f"{scope}:{name}")
    member = Subscription(place.key, place.prefix + connection_id)
    row = {**member._asdict(), "expires_at": int(time.time()) + expires_in}
    aws.dynamodb().put_item(TableName="connections", Item=aws.to_item(row))
    return member


def test_a_connection_is_two_rows(at: Clock) -> None:
    connect("c1", ClientType.SHOP, account_id=3, shop_id=10)
    session = auth.read(token_of(ClientType.SHOP, account_id=3)).session_id
    rows = aws.dynamodb().scan(TableName="connections")["Items"]
    plain = sorted((aws.from_item(row) for row in rows), key=lambda row: str(row["partition"]))
    connected_at, expires_at = plain[0].pop("connected_at"), plain[0].pop("expires_at")
    # The token's hour is shorter than API Gateway's two.
    assert expires_at - connected_at == 3600
    assert plain == [
        {
            "partition": "connection#c1",
            "member": "connection",
            "client_type": "shop",
            "identity": "10",
            "account_id": 3,
            "shards": 1,
            "room_shards": 4,
            "session": session,
            "era": 0,
            "everyone": 0,
        },
        {
            "partition": "shop#00",
            "member": "10#c1",
            "account_id": 3,
            "connected_at": connected_at,
            "expires_at": expires_at,
            "session": session,
            "era": 0,
            "everyone": 0,
        },
    ]


def batch_of_rows() -> list[Any]:
    """Return the attribute `batch` of each stored row that belongs to a connection."""
    rows = map(aws.from_item, aws.dynamodb().scan(TableName="connections")["Items"])
    return [row.get("batch") for row in rows if "connected_at" in row]


def test_a_connection_that_takes_batches_says_so_in_each_row_whatever_is_written_later(
    at: Clock,
) -> None:
    connect("c1", ClientType.USER, account_id=42, takes_batches=True)
    assert batch_of_rows() == [True] * 2
    rooms.join(stored("c1"), "sale")
    connections.join(stored("c1"), "spring")
    assert batch_of_rows() == [True] * 4
    at(60)
    connections.extend(stored("c1"), auth.read(token_of(ClientType.USER, 42)))
    assert batch_of_rows() == [True] * 4
    connections.leave(stored("c1"), "spring")
    connections.join(stored("c1"), "autumn")
    assert stored("c1").takes_batches
    message_budget.take("c1")
    connections.expire("c1")
    assert batch_of_rows() == [True] * 4
    row = connections.find("c1")
    assert row is not None
    assert row.takes_batches
    connections.forget("c1")
    assert batch_of_rows() == []


def test_a_connection_that_takes_none_has_no_attribute_for_it(at: Clock) -> None:
    connect("c1", ClientType.USER)
    connections.join(stored("c1"), "sale")
    at(60)
    connections.extend(stored("c1"), auth.read(token_of(ClientType.USER)))
    assert not stored("c1").takes_batches
    connections.expire("c1")
    assert batch_of_rows() == [None] * 3


def test_no_connection_outlives_api_gateways_two_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.configure(monkeypatch, token_lifetime_seconds=86_400)
    connect("c1", ClientType.USER)
    row = connections.find("c1")
    assert row is not None
    assert row.expires_at - row.connected_at == 7200


def test_a_channel_of_a_type_and_a_channel_of_one_identity_find_their_own() -> None:
    for account_id in (1, 4, 42):
        connect(f"c{account_id}", ClientType.USER, account_id)
    connect("phone", ClientType.USER, 42)
    connect("shop", ClientType.SHOP, 42, shop_id=42)
    assert ids("user") == ["c1", "c4", "c42", "phone"]
    assert ids("user:42") == ["c42", "phone"]
    assert ids("user:4") == ["c4"]
    assert ids("shop") == ids("shop:42") == ["shop"]
    assert ids("admin") == ids("user:5") == []


def test_many_connections_come_page_by_page() -> None:
    for n in range(95):
        connect(f"c{n}", ClientType.ADMIN)
    found = pages("admin", limit=10)
    assert [len(page) for page in found] == [10] * 9 + [5]
    assert len({member for page in found for member in page}) == 95


def test_forgetting_removes_every_row_and_once_is_enough() -> None:
    connect("c1", ClientType.USER)
    connect("c2", ClientType.USER)
    connections.forget("c1")
    connections.forget("c1")
    connections.forget("never-seen")
    assert stored_connections() == {"c2"}


def test_an_expired_connection_is_in_no_channel_and_in_no_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect("open", ClientType.USER)
    put_member("user", "1", "expired", expires_in=0)
    put_member("room", "sale", "expired", expires_in=-60)
    assert ids("user") == ["open"]
    assert subscriptions.count()[:2] == ({"user": 1, "shop": 0, "admin": 0}, 0)


def test_counts_are_by_type_and_rooms_are_counted_once_each() -> None:
    for n in range(7):
        connect(f"u{n}", ClientType.USER, account_id=n + 1)
    connect("s", ClientType.SHOP)
    for n in range(5):
        put_member("room", "sale", f"u{n}")
    for n in range(12):
        put_member("room", f"room {n}", f"u{n % 7}")
    put_member("room", "sale2", "u1")
    assert subscriptions.count()[:2] == ({"user": 7, "shop": 1, "admin": 0}, 14)


def test_rooms_are_counted_for_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MAX_ROOMS_SECONDS", -1)
    for n in range(100):
        put_member("room", f"room {n}", "u1")
    reads = config.current().room_shards[0]
    assert 0 < subscriptions.count().rooms <= reads * subscriptions.ROWS_PER_READ < 100


def test_counting_goes_on_past_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB ends a page at 1 MB; a client that is given one row at a time counts the same."""
    for n in range(5):
        connect(f"c{n}", ClientType.ADMIN)
    query = aws.dynamodb().query

    def one_at_a_time(**arguments: Any) -> Any:
        return query(**{**arguments, "Limit": 1})

    monkeypatch.setattr(aws.dynamodb(), "query", one_at_a_time)
    assert subscriptions.count().by_type[ClientType.ADMIN] == 5


def test_a_gone_connection_is_forgotten_but_not_while_its_handshake_may_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect("young", ClientType.USER)
    row = connections.find("young")
    assert row is not None
    assert connections.forget_gone([row.subscription], time.time()) == [row.subscription]
    assert stored_connections() == {"young"}
    before, in_ten_seconds = time.time(), time.time() + connections.MAX_HANDSHAKE_SECONDS
    monkeypatch.setattr(time, "time", lambda: in_ten_seconds)
    # One that stands still after the answer learns nothing from its age now.
    assert connections.forget_gone([row.subscription], before) == [row.subscription]
    assert connections.forget_gone([row.subscription], time.time()) == []
    assert stored_connections() == set()


def test_a_subscription_whose_connection_may_still_be_written_is_kept(
    monkeypatch: pytest.MonkeyPatch, at: Clock
) -> None:
    """`connect` writes the subscription first; it may be slow, or have died."""
    put_item = aws.dynamodb().put_item
    written: list[str] = []

    def post_between(**request: Any) -> Any:
        if written:
            [subscription] = subscriptions.of_identity(ClientType.USER, "42")
            half = subscription.subscription
            assert connections.find("c1") is None
            assert connections.forget_gone([half], time.time()) == [half]
        written.append(request["Item"]["partition"]["S"])
        return put_item(**request)

    monkeypatch.setattr(aws.dynamodb(), "put_item", post_between)
    connect("c1", ClientType.USER, 42)
    assert written[1] == "connection#c1"
    assert ids("user:42") == ["c1"]
    aws.dynamodb().delete_item(TableName="connections", Key=aws.to_item(connections.key("c1")))
    [left_behind] = subscriptions.of_identity(ClientType.USER, "42")
    at(connections.MAX_HANDSHAKE_SECONDS + 1)
    assert connections.forget_gone([left_behind.subscription], time.time()) == []
    assert ids("user:42") == []


def test_a_membership_left_behind_is_removed_when_it_is_found_gone() -> None:
    left_behind = put_member("user", "42", "c9")
    connections.forget_gone([left_behind], time.time())
    assert ids("user") == []
