"""Positions in a handshake, as text: `user:3f0c9a1e:57,user:42:b71d0c55:0`."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitrina.events import Position

# A connection has two channels when it opens; its row stays below one write unit.
MAX_POSITIONS_CHARACTERS = 256

_CHANNEL = r"(user|shop|admin)(:[1-9][0-9]{0,15})?"
# Numbers of 15 digits are below `MAX_SAFE_INTEGER`.
_POSITION = rf"{_CHANNEL}:[A-Za-z0-9_-]{{1,64}}:(0|[1-9][0-9]{{0,14}})"
_POSITIONS = re.compile(rf"{_POSITION}(,{_POSITION})*")


def valid(text: str | None) -> str | None:
    """Return the text if it can be read, as `CHANNEL:EPOCH:SEQ` separated by commas.

    Rooms are not among the channels: they are joined after the handshake.
    """
    is_valid = text and len(text) <= MAX_POSITIONS_CHARACTERS and _POSITIONS.fullmatch(text)
    return text if is_valid else None


def read(text: str) -> "dict[str, Position]":
    """Return the positions in a valid text by channel; the last one counts."""
    # Imported here: `connect` does not need the models of events, which are slow to import.
    from vitrina.events import Position

    parts = (each.rsplit(":", 2) for each in text.split(","))
    return {channel: Position(epoch=epoch, seq=int(seq)) for channel, epoch, seq in parts}
