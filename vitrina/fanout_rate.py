"""The rate of posts, shared by the workers that are active.

One row lists them, each with an expiry. A fixed share, by the maximum number of workers, would
leave most of the account's rate unused when one lane has work.
"""

from typing import NamedTuple, Self
from zlib import crc32

from vitrina import aws, clock, config, lanes
from vitrina.lanes import Lane

# The rest is for posts of requests, greetings and recoveries, and for the retry queue.
LANES_SHARE = 0.95
RETRY_SHARE = 0.02
"""Of each worker of the retry queue."""

# The share of a lane is proportional to its members, so that all rounds take equally long. A small
# lane counts as one of this size: its few posts need not take as long as the others'.
MIN_MEMBERS = 1_000

# A worker enters the row for each slice. The entry of a crashed worker expires.
ACTIVE_TTL_MS = 3_000
_ROW = {"channel": f"{lanes.PREFIX}@rate", "seq": 0}


class _ActiveWorker(NamedTuple):
    members: int
    until: int
    """In milliseconds since 1970."""

    @classmethod
    def parse(cls, text: str) -> Self:
        members, until = text.split("/")
        return cls(int(members), int(until))


def enter(lane: Lane, members: int) -> float:
    """Enter the worker of a lane with so many members; return its share, in posts a second."""
    now = clock.now_ms()
    mine = max(MIN_MEMBERS, members)
    row = aws.update(
        config.current().history_table,
        _ROW,
        "SET #me = :me",
        {":me": f"{mine}/{now + ACTIVE_TTL_MS}"},
        names={"#me": _attribute(lane)},
        returns_row=True,
    ).row
    entries = {name: _ActiveWorker.parse(text) for name, text in row.items() if name not in _ROW}
    lapsed = [name for name, entry in entries.items() if entry.until < now]
    if lapsed:
        _remove(lapsed)
    active = sum(entry.members for name, entry in entries.items() if name not in lapsed)
    return LANES_SHARE * config.current().posts_per_second * mine / active


def leave(lane: Lane) -> None:
    """Remove the worker of a lane, so that the others share its rate."""
    _remove([_attribute(lane)])


def first_share() -> float:
    """Return the share of a worker that does not know yet who else is active.

    When many begin at once, they do not exceed the rate together.
    """
    here = config.current()
    return LANES_SHARE * here.posts_per_second / here.fanout_workers


def retry_share() -> float:
    return RETRY_SHARE * config.current().posts_per_second


def _attribute(lane: Lane) -> str:
    """Return a lane's name in the row, a hash."""
    return f"lane_{crc32('@'.join(lane).encode()):08x}"


def _remove(names: list[str]) -> None:
    aws.update(config.current().history_table, _ROW, f"REMOVE {', '.join(names)}", {})
