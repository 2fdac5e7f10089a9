"""Positions in a handshake, which a stranger may send too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina import positions
from vitrina.events import Position
from vitrina.types import MAX_SAFE_INTEGER

CHANNELS = st.sampled_from(["user", "shop", "admin", "user:42", "shop:10", "admin:1"])
EPOCHS = st.text("0123456789abcdefxyz_-", min_size=1, max_size=12)


@given(st.dictionaries(CHANNELS, st.tuples(EPOCHS, st.integers(0, 10**15 - 1)), min_size=1))
def test_what_a_client_writes_is_read_as_it_was(written: dict[str, tuple[str, int]]) -> None:
    text = ",".join(f"{channel}:{epoch}:{seq}" for channel, (epoch, seq) in written.items())
    assert positions.valid(text) == (
        text if len(text) <= positions.MAX_POSITIONS_CHARACTERS else None
    )
    assert positions.read(text) == {
        channel: Position(epoch=epoch, seq=seq) for channel, (epoch, seq) in written.items()
    }


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        ",",
        "user",
        "user:e",
        "user::1",
        "user:e:",
        "user:e:01",
        "user:e:-1",
        "user:e:1.0",
        f"user:e:{MAX_SAFE_INTEGER}",
        "user:e:1,",
        "user:e:1, user:42:e:1",
        "user:e:1\n",
        "user:ë:1",
        "user:e:١",
        "user:0:e:1",
        "room:sale:e:1",
        "user%3Ae%3A1",
        '{"user":{"epoch":"e","seq":1}}',
        ",".join(["user:e:1"] * 40),
    ],
)
def test_every_other_text_counts_as_none(text: str | None) -> None:
    assert positions.valid(text) is None
