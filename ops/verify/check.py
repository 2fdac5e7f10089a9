"""A check: one expectation of a deployment."""

from collections.abc import Callable
from typing import NamedTuple

from ops.verify.site import Door, Site

TIMEOUT_SECONDS = 60


class Need(NamedTuple):
    """What a deployment must have for a check."""

    is_met: Callable[[Site], bool]
    otherwise: str
    """The reason for skipping the check."""


class Check(NamedTuple):
    """One line of the table. `run` returns what came, or raises Unexpected with it."""

    run: Callable[[Site], str]
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
