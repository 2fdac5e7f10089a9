"""Token buckets over moto's conditional writes."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aws.conftest import Clock
from vitrina import aws, buckets, config
from vitrina.buckets import Rate

THREE = Rate(tries=3, seconds=10)
CONNECTION = {"partition": "connection#A=", "member": "connection"}


def row(name: str = "tries#1") -> dict[str, Any]:
    found = aws.dynamodb().get_item(
        TableName=config.current().platform_table, Key={"name": {"S": name}}
    )
    return aws.from_item(found.get("Item", {}))


def test_a_bucket_gives_its_tries_at_once_then_one_per_interval(cloud: None, at: Clock) -> None:
    assert [buckets.take("tries#1", THREE) for _ in range(5)] == [0, 0, 0, 10, 10]
    at(9)
    assert buckets.take("tries#1", THREE) == pytest.approx(1)
    at(10)
    assert [buckets.take("tries#1", THREE) for _ in range(2)] == [0, 10]
    at(1000)
    assert [buckets.take("tries#1", THREE) for _ in range(4)] == [0, 0, 0, 10]


def test_buckets_of_other_names_are_others(cloud: None, at: Clock) -> None:
    assert [buckets.take(f"tries#{n}", THREE) for n in range(5)] == [0] * 5


def test_a_try_that_is_given_back_can_be_taken_again(cloud: None, at: Clock) -> None:
    assert [buckets.take("tries#1", THREE) for _ in range(3)] == [0, 0, 0]
    buckets.give_back("tries#1", THREE)
    assert [buckets.take("tries#1", THREE) for _ in range(2)] == [0, 10]


def test_a_bucket_is_kept_until_it_is_full_again(cloud: None, at: Clock) -> None:
    buckets.take("tries#1", THREE)
    buckets.take("tries#1", THREE)
    kept = row()
    assert kept["expires_at"] * 1000 > kept["tat"]


def test_who_does_not_wait_costs_a_process_no_call(
    cloud: None, at: Clock, calls: list[str]
) -> None:
    assert [buckets.spend("tries#1", THREE) for _ in range(4)] == [0, 0, 0, 10]
    calls.clear()
    at(4)
    assert [buckets.spend("tries#1", THREE) for _ in range(50)] == [pytest.approx(6)] * 50
    assert calls == []
    assert buckets.spend("tries#2", THREE) == 0
    at(10)
    assert [buckets.spend("tries#1", THREE) for _ in range(2)] == [0, 10]


def test_another_process_has_to_ask(cloud: None, at: Clock) -> None:
    for _ in range(4):
        buckets.spend("tries#1", THREE)
    buckets.forget()
    assert buckets.spend("tries#1", THREE) == 10


def test_of_too_many_empty_buckets_the_first_is_forgotten(
    cloud: None, at: Clock, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "MAX_REMEMBERED_NAMES", 2)
    for name in ("tries#1", "tries#2", "tries#3"):
        for _ in range(4):
            buckets.spend(name, THREE)
    calls.clear()
    assert [buckets.spend(name, THREE) for name in ("tries#2", "tries#3", "tries#1")] == [10] * 3
    assert calls == ["UpdateItem"] * 2


def test_concurrent_tries_are_all_counted(cloud: None) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = [*pool.map(lambda _: buckets.take("tries#1", Rate(20, 3600)), range(40))]
    assert Counter(wait == 0 for wait in waits) == {True: 20, False: 20}


@given(st.lists(st.floats(0, 40), max_size=30), st.integers(1, 5))
def test_no_window_has_more_tries_than_the_burst_and_its_rate(
    steps: list[float], tries: int
) -> None:
    """The rule itself, without a table: `wait_seconds` of the row that the tries leave."""
    rate, now, taken = Rate(tries, 10), 1_000_000.0, []
    tat = 0.0
    for step in steps:
        now += step
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "time", lambda now=now: now)
            if rate.wait_seconds({"tat": tat}) == 0:
                tat = max(tat, now * 1000) + 10_000
                taken.append(now)
    for first, begin in enumerate(taken):
        for last, end in enumerate(taken[first:], start=1):
            assert last <= tries + (end - begin) / 10 + 1e-6


def test_a_count_never_refuses_and_says_how_far_it_is_over(cloud: None, at: Clock) -> None:
    table = config.current().connections_table
    aws.dynamodb().put_item(TableName=table, Item=aws.to_item({**CONNECTION, "connected_at": 1}))
    over = []
    for _ in range(5):
        counted = buckets.count(table, CONNECTION, THREE, having="connected_at")
        assert counted
        found, seconds = counted
        assert found["connected_at"] == 1
        over.append(seconds)
    assert over == [-20, -10, 0, 10, 20]


def test_several_tries_are_counted_at_once_also_in_a_bucket_that_has_become_full(
    cloud: None, at: Clock
) -> None:
    table = config.current().connections_table
    aws.dynamodb().put_item(TableName=table, Item=aws.to_item({**CONNECTION, "connected_at": 1}))
    over = []
    for moment, tries in ((0, 4), (0, 3), (100, 4)):
        at(moment)
        counted = buckets.count(table, CONNECTION, THREE, having="connected_at", tries=tries)
        assert counted
        over.append(counted[1])
    assert over == [10, 40, 10]


def test_a_count_needs_its_row(cloud: None) -> None:
    table = config.current().connections_table
    key = CONNECTION
    for tries in (1, 2):
        assert buckets.count(table, key, THREE, having="connected_at", tries=tries) is None
    assert not aws.get(table, key)
