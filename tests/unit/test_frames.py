"""Packing events into frames."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina.events import Batch
from vitrina.frames import MAX_FRAME_BYTES, pack

ENVELOPE = len('{"event":"batch","events":[]}')
SMALLEST = len('{"event":""}')


def body(size: int, name: str = "x") -> bytes:
    """Return an event of so many bytes."""
    return f'{{"event":"{name * (size - SMALLEST)}"}}'.encode()


def events_in(frame: bytes) -> list[bytes]:
    """Return the bodies in a frame, whose texts have no line ends."""
    if not frame.startswith(b'{"event":"batch"'):
        return [frame]
    inside = frame.removeprefix(b'{"event":"batch","events":[').removesuffix(b"]}")
    return inside.replace(b"},{", b"}\n{").split(b"\n")


def min_frames(sizes: Sequence[int]) -> int:
    """Return the fewest frames for events of these sizes, by trying every place to cut."""
    fewest = [0]
    for end in range(1, len(sizes) + 1):
        fewest.append(
            min(
                fewest[begin] + 1
                for begin in range(end)
                if end - begin == 1
                or ENVELOPE + sum(sizes[begin:end]) + end - begin - 1 <= MAX_FRAME_BYTES
            )
        )
    return fewest[-1]


sizes = st.one_of(
    st.integers(SMALLEST, MAX_FRAME_BYTES),
    st.integers(MAX_FRAME_BYTES - ENVELOPE - SMALLEST - 2, MAX_FRAME_BYTES),
    st.sampled_from([SMALLEST, 450, MAX_FRAME_BYTES // 2 - ENVELOPE // 2]),
)


@given(st.lists(sizes, max_size=30))
def test_frames_have_all_events_in_order_and_are_as_few_as_fit(sizes: list[int]) -> None:
    bodies = [body(size, name="abcdefgh"[n % 8]) for n, size in enumerate(sizes)]
    frames = pack(bodies)
    assert [found for frame in frames for found in events_in(frame)] == bodies
    assert all(len(frame) <= MAX_FRAME_BYTES for frame in frames)
    assert len(frames) == min_frames(sizes)


@given(st.lists(st.dictionaries(st.text(), st.text()).map(lambda data: {"event": "x"} | data)))
def test_a_client_reads_the_same_events_from_frames(events: list[dict[str, str]]) -> None:
    bodies = [json.dumps(event, ensure_ascii=False).encode(errors="replace") for event in events]
    parsed = [json.loads(frame) for frame in pack(bodies)]
    found = [event for frame in parsed for event in frame.get("events", [frame])]
    assert found == [json.loads(body) for body in bodies]


def test_nothing_is_no_frame() -> None:
    assert pack([]) == ()


def test_one_event_is_a_frame_without_the_envelope() -> None:
    assert pack([b'{"event":"pong"}']) == (b'{"event":"pong"}',)


def test_several_events_are_in_the_envelope_as_they_are() -> None:
    bodies = ['{"event":"a", "data":"Платье"}'.encode(), b'{"event":"b"}']
    [frame] = pack(bodies)
    text = '{"event":"batch","events":[{"event":"a", "data":"Платье"},{"event":"b"}]}'
    assert frame == text.encode()
    assert Batch.model_validate_json(frame).events == [json.loads(body) for body in bodies]


def test_an_event_as_long_as_a_frame_is_one() -> None:
    longest = body(MAX_FRAME_BYTES)
    assert pack([b"{}", longest, b"{}"]) == (b"{}", longest, b"{}")


@pytest.mark.parametrize(("more", "frames"), [(0, 1), (1, 2)])
def test_a_frame_may_be_filled_to_its_last_byte(more: int, frames: int) -> None:
    first = body(20)
    second = body(MAX_FRAME_BYTES - ENVELOPE - 1 - len(first) + more)
    packed = pack([first, second])
    assert len(packed) == frames
    assert max(map(len, packed)) == (MAX_FRAME_BYTES if frames == 1 else len(second))


def test_seventy_ordinary_events_are_one_frame() -> None:
    assert len(pack([body(450)] * 70)) == 1
    assert len(pack([body(450)] * 140)) == 2
