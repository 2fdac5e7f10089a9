"""A check: one expectation of a deployment."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ops.verify.site import Site

TIMEOUT_SECONDS = 60


class Door(StrEnum):
    """The two ways to the APIs."""

    EDGE = "edge"
    DIRECT = "direct"


class Unexpected(Exception):
    """Something else came than was expected; the text says what."""


class Unavailable(Exception):
    """The deployment cannot answer a check; the text says why."""


class Need(NamedTuple):
    """What a deployment must have for a check."""

    is_met: Callable[["Site"], bool]
    otherwise: str
    """The reason for skipping the check."""


class Check(NamedTuple):
    """One line of the table. `run` returns what came, or raises Unexpected with it."""

    run: Callable[["Site"], str]
    what: str
    expected: str
    door: Door | None = None
    """None for checks that do not depend on it: they use the edge, if there is one."""
    not_local: str = ""
    """Why the local cloud cannot answer it; empty if it can."""
    needs: tuple[Need, ...] = ()
    timeout_seconds: float = TIMEOUT_SECONDS

    @property
    def name(self) -> str:
        """Return `handshakes.without_a_token edge`."""
        subject = self.run.__module__.rpartition(".")[2]
        return f"{subject}.{self.run.__name__} {self.door or ''}".rstrip()

    @property
    def title(self) -> str:
        return f"{self.what} ({self.door})" if self.door else self.what


def expect(came: object, *wanted: object) -> str:
    """Return what came, as text; raises Unexpected if it is none of the wanted values."""
    if came not in wanted:
        raise Unexpected(str(came))
    return str(came)
