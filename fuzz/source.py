"""A source of choices: an engine makes the choices, from which all events are built."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Source(Protocol):
    """Smaller choices give simpler events: 0, the first option, nothing."""

    def number(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both included."""

    def text(self) -> str:
        """Return any text, with NUL and lone surrogates in it."""

    def data(self) -> bytes:
        """Return any bytes."""


def pick(source: Source, options: Sequence[T]) -> T:
    return options[source.number(0, len(options) - 1)]


def is_chosen(source: Source, one_in: int) -> bool:
    return source.number(0, one_in - 1) == one_in - 1
