"""DynamoDB's item format, as boto3 has it, and clients that are made once."""

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from enum import StrEnum
from threading import Barrier, Event
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from vitrina import aws
from vitrina.aws import Backoff
from vitrina.errors import Unavailable

NUMBERS = st.integers(-(2**53), 2**53) | st.decimals(
    min_value=0, max_value=10**10, places=2, allow_nan=False
)
TEXTS = st.text(max_size=20)
VALUES = TEXTS | NUMBERS | st.sets(TEXTS, min_size=1, max_size=5) | st.booleans()


class Colour(StrEnum):
    RED = "red"


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_items_are_as_boto3_writes_and_reads_them(plain: dict[str, Any]) -> None:
    item = aws.to_item(plain)
    theirs = {name: TypeSerializer().serialize(value) for name, value in plain.items()}
    assert _sorted(item) == _sorted(theirs)
    read = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
    assert aws.from_item(item) == read == plain


def _sorted(item: Any) -> Any:
    return {
        name: {kind: sorted(of) if kind == "SS" else of for kind, of in value.items()}
        for name, value in item.items()
    }


def test_a_member_of_an_enumeration_is_written_as_its_text() -> None:
    assert aws.to_item({"colour": Colour.RED}) == {"colour": {"S": "red"}}


def test_numbers_are_read_as_decimals() -> None:
    assert aws.from_item({"fee": {"N": "5.0"}}) == {"fee": Decimal("5.0")}


def test_bytes_lists_and_maps_come_back_as_they_were() -> None:
    plain = {"session": {"current": [b"\0", b"1"], "issued_at": Decimal(1), "parent": b"\xff"}}
    assert aws.from_item(aws.to_item(plain)) == plain


def test_what_is_none_is_left_out() -> None:
    assert aws.to_item({"a": None, "b": ""}) == {"b": {"S": ""}}


@pytest.mark.parametrize("value", [1.5, ("a tuple",), object()])
def test_what_no_table_has_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        aws.to_item({"value": value})


def test_pauses_double_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(aws, "jitter", lambda longest: longest)
    monkeypatch.setattr(time, "sleep", slept.append)
    assert list(aws.attempts(Backoff(5, 0.5, 3))) == [1, 2, 3, 4, 5]
    assert slept == [0.5, 1, 2, 3]


def test_no_pause_ends_after_the_last_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(aws, "jitter", lambda longest: longest)
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(slept))
    assert list(aws.attempts(Backoff(40, 0.5, 4), until=7)) == [1, 2, 3, 4]
    assert slept == [0.5, 1, 2]


class _Throttled:
    """DynamoDB, which processes the last of the requested keys, or none."""

    def __init__(self, *, processes: int) -> None:
        self._processes = processes

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803
        keys = RequestItems["heads"]["Keys"]
        left, done = keys[: len(keys) - self._processes], keys[len(keys) - self._processes :]
        return {
            "Responses": {"heads": done},
            "UnprocessedKeys": {"heads": {"Keys": left}} if left else {},
        }


def test_a_read_of_which_nothing_is_processed_ends_as_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(aws, "dynamodb", lambda: _Throttled(processes=0))
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(slept))
    with pytest.raises(Unavailable) as refused:
        list(aws.batch_get("heads", [{"seq": 0}]))
    assert refused.value.code == "busy"
    assert aws.MAX_READ_SECONDS - 1 < sum(slept) <= aws.MAX_READ_SECONDS


def test_a_read_that_goes_on_slowly_has_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(aws, "dynamodb", lambda: _Throttled(processes=1))
    monkeypatch.setattr(aws, "jitter", lambda _: 1.0)
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(slept))
    assert len(list(aws.batch_get("heads", [{"seq": seq} for seq in range(50)]))) == 50
    assert sum(slept) > aws.MAX_READ_SECONDS


def test_threads_that_come_at_once_share_a_client() -> None:
    aws.forget_clients()
    together = Barrier(8)

    def make(_: int) -> object:
        together.wait()
        return aws.dynamodb()

    with ThreadPoolExecutor(8) as pool:
        assert len({id(client) for client in pool.map(make, range(8))}) == 1


def test_calls_in_parallel_return_what_they_do_in_order() -> None:
    together = Barrier(5, timeout=5)

    def double(n: int) -> int:
        together.wait()
        return 2 * n

    assert aws.in_parallel(double, range(5)) == [0, 2, 4, 6, 8]
    assert aws.in_parallel(double, []) == []


def test_calls_in_parallel_may_call_others_though_all_threads_are_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def double_twice(n: int) -> list[int]:
        return aws.in_parallel(lambda each: 2 * each, [n, n])

    few = ThreadPoolExecutor(1)
    monkeypatch.setattr(aws, "_threads", few)
    with ThreadPoolExecutor(1) as caller:
        found = caller.submit(aws.in_parallel, double_twice, range(3))
        try:
            assert found.result(timeout=5) == [[0, 0], [2, 2], [4, 4]]
        finally:
            few.shutdown(cancel_futures=True)


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_call_that_fails_is_raised_when_none_is_under_way(failing: int) -> None:
    begun, over = Barrier(3, timeout=5), Event()
    done = []

    def call(n: int) -> None:
        begun.wait()
        if n == failing:
            over.set()
            raise LookupError
        over.wait(5)
        time.sleep(0.01)
        done.append(n)

    with pytest.raises(LookupError):
        aws.in_parallel(call, range(3))
    assert len(done) == 2
