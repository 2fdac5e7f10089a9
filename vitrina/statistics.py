"""Statistics: the numbers of open connections."""

from collections.abc import Mapping
from typing import NamedTuple

from vitrina import counts, subscriptions
from vitrina.channels import ClientType
from vitrina.counts import Count

ROW = "stats"


class Statistics(NamedTuple):
    by_type: Mapping[ClientType, int]
    rooms: int
    fresh_seconds: int
    """How long they may still be shared."""

    @property
    def total(self) -> int:
        return sum(self.by_type.values())


def read() -> Statistics:
    """Return the numbers, as old as those of `counts.read`; raises Unavailable `busy`."""
    found = counts.read(ROW, _count)
    by_type = {client_type: found.numbers[client_type] for client_type in ClientType}
    return Statistics(by_type, found.numbers["rooms"], found.fresh_seconds)


def _count() -> Count:
    found = subscriptions.count()
    by_type = {str(client_type): number for client_type, number in found.by_type.items()}
    return Count(by_type | {"rooms": found.rooms}, found.read_units)
