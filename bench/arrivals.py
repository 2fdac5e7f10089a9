"""Which events each connection has received, and when, from the log of the stub."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.cloud import stack

Numbers: TypeAlias = NDArray[np.int64]
Seconds: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

BIN_SECONDS = 0.01
MAX_SECONDS = 1000


@dataclass(frozen=True)
class Arrivals:
    """Posts that were answered with 200: when, to which connection, and the events in the frame."""

    at: Seconds
    """Since 1970."""
    connection: Numbers
    first: Numbers
    last: Numbers
    answers: int
    """All, with other statuses too."""
    throttled: int

    def of(self, connections: range) -> "Arrivals":
        """Return the arrivals at connections with these numbers."""
        return self._where(
            (self.connection >= connections.start) & (self.connection < connections.stop)
        )

    def to(self, chosen: Mask) -> "Arrivals":
        """Return the arrivals at the chosen connections, by number."""
        return self._where(chosen[self.connection])

    def since(self, first: int) -> "Arrivals":
        """Return those of frames that begin with an event or a later one."""
        return self._where(self.first >= first)

    def _where(self, kept: Mask) -> "Arrivals":
        columns = (self.at, self.connection, self.first, self.last)
        at, connection, first, last = (column[kept] for column in columns)
        return Arrivals(at, connection, first, last, self.answers, self.throttled)

    def delays(self, committed: Seconds) -> "Delays":
        """Return the delay of each event to each connection; `committed` is by number."""
        counts = np.zeros(round(MAX_SECONDS / BIN_SECONDS), np.int64)
        for rows, first, last in self._frames():
            for seq in range(first, last + 1):
                bins = ((self.at[rows] - committed[seq]) / BIN_SECONDS).astype(np.int64)
                counts += np.bincount(np.clip(bins, 0, len(counts) - 1), minlength=len(counts))
        return Delays(counts)

    def missing(self, chosen: Mask, first: int, last: int) -> int:
        """Count events, `first` to `last`, that the chosen connections have not received."""
        got = np.zeros((len(chosen), last + 1), np.bool_)
        for rows, begin, end in self._frames():
            got[self.connection[rows], begin : end + 1] = True
        return int((~got[chosen, first:]).sum())

    def _frames(self) -> Iterator[tuple[Numbers, int, int]]:
        """Yield the rows of each span of events."""
        order = np.lexsort((self.last, self.first))
        first, last = self.first[order], self.last[order]
        ends = np.flatnonzero((np.diff(first) != 0) | (np.diff(last) != 0)) + 1
        for rows in np.split(order, ends):
            if len(rows):
                yield rows, int(self.first[rows[0]]), int(self.last[rows[0]])


@dataclass(frozen=True)
class Delays:
    counts: Numbers
    """Of deliveries, by delay in steps of `BIN_SECONDS`."""

    def percentile(self, percent: float) -> float:
        """Return a percentile of the delays, in seconds."""
        reached = np.cumsum(self.counts)
        return float(np.searchsorted(reached, reached[-1] * percent / 100) + 1) * BIN_SECONDS


def read(lines: Iterable[str]) -> Arrivals:
    """Read `Stack.lines`, but for posts to connections that hang."""
    numbers: dict[str, int] = {}
    rows: list[tuple[float, int, int, int]] = []
    answers = throttled = 0
    for line in lines:
        at, status, connection_id, first, last = stack.read(line)
        answers += 1
        throttled += status == HTTPStatus.TOO_MANY_REQUESTS
        if status == HTTPStatus.OK:
            number = numbers.get(connection_id)
            if number is None:
                number = numbers[connection_id] = stack.number_of(connection_id)
            rows.append((at, number, first, last))
    at_, connection, first_, last_ = (np.array(column) for column in zip(*rows, strict=True))
    return Arrivals(at_, connection, first_, last_, answers, throttled)
