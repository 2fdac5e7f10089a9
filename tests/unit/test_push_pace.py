"""The rate of pushes of one process, with a clock that only waiting and calls move."""

import time

import pytest

from vitrina.pushing import MAX_CATCH_UP_SECONDS, Pace

PER_SECOND = 250
STEP = 25


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    return now


def push(pace: Pace, pushes: int) -> None:
    for _ in range(pushes // STEP):
        pace.wait(STEP / PER_SECOND)


@pytest.mark.parametrize("pause", [0.0, 0.2, MAX_CATCH_UP_SECONDS])
def test_pauses_between_pages_take_nothing_from_the_rate(clock: list[float], pause: float) -> None:
    pace = Pace()
    push(pace, 500)
    began = clock[0]
    for _ in range(10):
        clock[0] += pause
        push(pace, 500)
    assert clock[0] - began == pytest.approx(5_000 / PER_SECOND)


def test_a_longer_pause_is_not_made_up_for_by_more_than_half_a_second(clock: list[float]) -> None:
    pace = Pace()
    push(pace, 500)
    clock[0] += 60
    began = clock[0]
    push(pace, 500)
    assert clock[0] - began == pytest.approx(500 / PER_SECOND - MAX_CATCH_UP_SECONDS)
