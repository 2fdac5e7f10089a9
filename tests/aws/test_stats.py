"""Who is connected, and whether the service is well."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from functions.stats.handler import handler
from harness import deployment
from tests.aws.conftest import Clock, HttpCall, connect
from vitrina import aws, connections, counts, statistics, subscriptions
from vitrina.channels import ClientType
from vitrina.subscriptions import Counts

pytestmark = pytest.mark.usefixtures("cloud")

call = HttpCall(handler)
# What a count of 100,000 connections consumes.
UNITS_OF_MANY = 2000


def total() -> int:
    number: int = call("GET", "/ws/stats").body["total"]
    return number


class Counting:
    """Counts instead of a read of all connections, which may be held up or fail."""

    def __init__(self) -> None:
        self.numbers = [0]
        self.units = 0.0
        self.meanwhile: Callable[[], None] = lambda: None
        self.made = 0

    def __call__(self) -> Counts:
        self.made += 1
        number = self.numbers.pop(0) if len(self.numbers) > 1 else self.numbers[0]
        self.meanwhile()
        return Counts(
            {ClientType.USER: number, ClientType.SHOP: 0, ClientType.ADMIN: 0}, 0, self.units
        )


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    double = Counting()
    monkeypatch.setattr(subscriptions, "count", double)
    return double


@pytest.fixture
def operations() -> Iterator[Counter[str]]:
    """Count the operations of DynamoDB since."""
    seen: Counter[str] = Counter()

    def see(event_name: str, **_: Any) -> None:
        seen[event_name.rpartition(".")[2]] += 1

    events = aws.dynamodb().meta.events
    events.register("before-call.dynamodb", see)
    yield seen
    events.unregister("before-call.dynamodb", see)


@pytest.fixture
def backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let who waits for a count wait as long as a slow machine may take."""
    monkeypatch.setattr(counts, "PAUSES_SECONDS", (0.05,) * 400)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Skip the pauses, and return those that were asked for."""
    asked: list[float] = []
    monkeypatch.setattr("vitrina.counts.time.sleep", asked.append)
    return asked


def test_open_connections_are_counted_by_type() -> None:
    for n in range(3):
        connect(f"u{n}", ClientType.USER, account_id=n + 1)
    connect("s", ClientType.SHOP)
    connect("a", ClientType.ADMIN)
    answer = call("GET", "/ws/stats")
    assert answer.status == 200
    assert answer.body == {
        "total": 5,
        "by_type": {"user": 3, "shop": 1, "admin": 1},
        "rooms": 0,
    }


def test_who_has_come_or_gone_is_counted_within_two_seconds(at: Clock) -> None:
    assert total() == 0
    connect("c1", ClientType.USER)
    at(2)
    assert total() == 1
    connections.forget("c1")
    at(4)
    assert total() == 0


@pytest.mark.usefixtures("backoff")
def test_an_old_count_is_made_again_only_once_for_all_who_ask(
    counting: Counting, at: Clock
) -> None:
    total()
    counting.made = 0
    counting.numbers = [7]
    at(60)
    with ThreadPoolExecutor(100) as pool:
        found = list(pool.map(lambda _: statistics.read().total, range(100)))
    assert (set(found), counting.made) == ({7}, 1)


def test_who_has_read_the_row_before_a_count_does_not_count_after_it(
    counting: Counting, at: Clock, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    counting.numbers = [1, 2]
    total()
    at(60)
    rows = [counts._find(statistics.ROW)]
    assert total() == 2
    find = counts._find
    monkeypatch.setattr(counts, "_find", lambda name: rows.pop() if rows else find(name))
    assert (total(), counting.made, pauses) == (2, 2, [0, 0, 0, 0.5])


def test_a_young_count_is_one_read_for_each_who_asks(
    counting: Counting, operations: Counter[str]
) -> None:
    counting.units = UNITS_OF_MANY
    total()
    operations.clear()
    with ThreadPoolExecutor(100) as pool:
        list(pool.map(lambda _: statistics.read(), range(100)))
    call("GET", "/ws/stats")
    call("GET", "/health")
    assert (operations, counting.made) == ({"GetItem": 102}, 1)


def test_who_asks_while_many_are_counted_waits_instead_of_hearing_of_an_hour_ago(
    counting: Counting, at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting.units, counting.numbers = UNITS_OF_MANY, [1, 2]
    total()
    at(3600)
    began = counts._begin(statistics.ROW, counts._find(statistics.ROW))
    assert began
    waited = 0.0

    def wait(seconds: float) -> None:
        nonlocal waited
        waited += seconds
        at(3600 + waited)
        if waited >= 1.5 and counting.made == 1:
            counts._count(statistics.ROW, statistics._count, began)

    monkeypatch.setattr("vitrina.counts.time.sleep", wait)
    assert (total(), counting.made) == (2, 2)


def test_while_one_counts_the_others_answer_with_what_is_not_yet_old(
    counting: Counting, at: Clock, operations: Counter[str]
) -> None:
    counting.numbers = [1, 2]
    total()
    at(1.5)
    found: list[int] = []

    def ask_too() -> None:
        operations.clear()
        found.append(total())

    counting.meanwhile = ask_too
    assert (total(), found, counting.made) == (2, [1], 2)
    assert operations["GetItem"] == 1


@pytest.mark.usefixtures("backoff")
def test_who_finds_an_old_count_waits_for_the_one_that_is_under_way(
    counting: Counting, at: Clock
) -> None:
    counting.numbers = [1, 2]
    total()
    at(2)
    is_counting, go_on = Event(), Event()

    def hold() -> None:
        is_counting.set()
        assert go_on.wait(10)

    counting.meanwhile = hold
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(statistics.read)
        assert is_counting.wait(10)
        second = pool.submit(statistics.read)
        go_on.set()
        assert (first.result().total, second.result().total, counting.made) == (2, 2, 2)


def test_a_counter_that_was_killed_is_followed_by_another_after_five_seconds(
    counting: Counting, at: Clock, pauses: list[float]
) -> None:
    counting.numbers = [1, 2]
    total()
    at(60)
    row = counts._find(statistics.ROW)
    assert counts._begin(statistics.ROW, row)  # and no more
    at(64.9)
    assert (total(), pauses) == (1, [0, 0, *counts.PAUSES_SECONDS])
    at(65.1)
    assert total() == 2


def test_a_count_that_fails_is_tried_again_at_once(counting: Counting) -> None:
    def fail() -> None:
        raise OSError("The network is down.")

    counting.meanwhile = fail
    assert call("GET", "/ws/stats").status == 500
    counting.meanwhile = lambda: None
    counting.numbers = [3]
    assert total() == 3


def test_a_count_that_comes_late_does_not_replace_a_younger_one(
    counting: Counting, at: Clock
) -> None:
    counting.numbers = [1, 2]

    def be_overtaken() -> None:
        counting.meanwhile = lambda: None
        at(6)
        assert total() == 2

    counting.meanwhile = be_overtaken
    assert total() == 2
    assert total() == 2
    assert counting.made == 2


def test_who_asks_during_the_first_count_of_all_is_told_to_come_again(
    counting: Counting, pauses: list[float]
) -> None:
    refused: list[Any] = []
    counting.meanwhile = lambda: refused.append(call("GET", "/health"))
    assert total() == 0
    assert [(answer.status, answer.body["code"]) for answer in refused] == [(503, "busy")]


def test_many_connections_are_counted_as_often_as_their_reads_allow(
    counting: Counting, at: Clock, operations: Counter[str]
) -> None:
    counting.units = UNITS_OF_MANY
    seconds = 200
    for second in range(seconds):
        at(second)
        statistics.read()
    consumed = UNITS_OF_MANY * counting.made
    assert consumed <= counts.MAX_READ_UNITS_PER_SECOND * seconds
    assert operations == {"GetItem": seconds, "UpdateItem": 2 * counting.made}


@pytest.mark.parametrize(
    ("units", "age", "left"), [(0, 0, 2), (0, 0.9, 1), (2000, 15, 10), (2000, 19, 10)]
)
def test_an_answer_may_be_shared_until_the_next_count(
    counting: Counting, at: Clock, units: float, age: float, left: int
) -> None:
    counting.units = units
    for path in ("/ws/stats", "/health"):
        at(0)
        call("GET", path)
        at(age)
        assert call("GET", path).headers["Cache-Control"] == f"public, max-age={left}"


def test_reads_are_summed_over_partitions_and_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    query = aws.dynamodb().query
    made: list[Any] = []

    def priced(**request: Any) -> Any:
        made.append(request)
        return {**query(**request), "ConsumedCapacity": {"CapacityUnits": 0.5}}

    monkeypatch.setattr(aws.dynamodb(), "query", priced)
    connect("u", ClientType.USER)
    counts = subscriptions.count()
    assert {request["ReturnConsumedCapacity"] for request in made} == {"TOTAL"}
    assert counts.read_units == 0.5 * len(made)


def put_members(room: str, count: int) -> None:
    for n in range(count):
        row = {
            "partition": "room#00",
            "member": f"{room}#c{n}",
            "expires_at": int(time.time()) + 3600,
        }
        aws.dynamodb().put_item(TableName="connections", Item=aws.to_item(row))


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let all rooms be in one partition; return how many rows each read of rooms has found."""
    deployment.configure(monkeypatch, room_shards=(1,))
    query = aws.dynamodb().query
    found: list[int] = []

    def watched(**request: Any) -> Any:
        answer = query(**request)
        if "Limit" in request:
            found.append(answer["ScannedCount"])
        return answer

    monkeypatch.setattr(aws.dynamodb(), "query", watched)
    return found


def test_rooms_are_counted_without_reading_all_their_members(rows_read: list[int]) -> None:
    for n in range(30):
        put_members(f"room-{n:02}", 1)
    put_members("sale", 70)
    put_members("sale-2", 2)
    assert subscriptions.count().rooms == 32
    assert rows_read == [20, 20, 2]


def test_health_has_read_the_table_to_say_so() -> None:
    assert call("GET", "/health").body == {"status": "ok", "connections": 0}


@pytest.mark.parametrize("table", ["platform", "connections"])
def test_health_is_not_ok_without_a_table(table: str) -> None:
    aws.dynamodb().delete_table(TableName=table)
    answer = call("GET", "/health")
    assert (answer.status, answer.body["code"]) == (503, "unhealthy")
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert call("GET", "/ws/stats").status == 500
