"""Lanes: events that wait for the connections of a partition too large to post to at once.

A lane is a channel, one of its partitions and a kind of connections. Its row, in the history table,
has the events to be posted (`pending`), the current round of posts, and the lease of its worker.
Every other write is conditional on the holder of the lease. Messages only wake workers: a message
that is lost, repeated or late delays events and loses none.

An event leaves a place only after the next one is written: from its publication's mark to
`pending`, from there into a round, and from a round to the posts that were sent or queued again.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from vitrina import aws, clock, config, history
from vitrina.partitions import Kind, Partition, prefix_of

# After a crash, another worker takes the lane after this time. Every write extends the lease; two
# writes are at most `rounds.SLICE_BUDGET_SECONDS` and a read apart.
LEASE_MS = 10_000

# A lane without members in its last round is read again after this, for all events until then.
# Otherwise a partition of one kind of connections would be read for the other with every event.
EMPTY_LANE_INTERVAL_SECONDS = 3

# The first part of a row's key; `lane@rate` is the row of `fanout_rate`.
PREFIX = "lane"
_UNSENT = "lane"
_MINE = "holder = :me"


class Lane(NamedTuple):
    channel: str
    epoch: str
    """Of the channel: after a table is restored, numbers begin again in rows of their own."""
    partition_key: str
    kind: Kind

    @property
    def partition(self) -> Partition:
        return Partition(self.partition_key, prefix_of(self.channel))


class Round(NamedTuple):
    """Posts of the events `first` to `upto` to every connection of a lane."""

    first: int
    upto: int
    """The last event of the round. Later ones are for the next round, as connections before the
    cursor would miss them."""
    to: int
    """The last event that the lane is known to owe: those behind `upto` did not fit."""
    members: int = 0
    """Connections that are done."""
    cursor: str | None = None
    """The last of them."""


class EndedRound(NamedTuple):
    """What is known when a round has ended."""

    done: tuple[int, int]
    """Events in a row, from the first to the last, that everyone in the lane was posted."""
    members: int
    """Connections in the round."""


class State(NamedTuple):
    """A lane's row."""

    pending: frozenset[int] = frozenset()
    """The first numbers of the publications that the lane owes."""
    done: tuple[int, int] | None = None
    """Events in a row, from the first to the last, that everyone in the lane was posted."""
    members: int | None = None
    """Connections in the last round; None before the first one."""
    round: Round | None = None


class Waking(NamedTuple):
    """When to wake a worker for a lane."""

    after_seconds: int
    members: int
    """Connections in its last round; 0 before the first one."""


class LeaseLost(Exception):
    """Another worker holds the lane now; nothing was written."""


def owe(lane: Lane, firsts: Collection[int]) -> Waking | None:
    """Add publications, by their first numbers; return when to wake a worker.

    None if no worker must be woken: the holder of the lane reads them after its round, or a worker
    has already been woken. With a message for each event, lanes would wait behind the messages of
    other lanes.
    """
    now = clock.now_ms()
    row = _update(
        lane,
        "ADD pending :firsts SET unsent = :lane, created_at = if_not_exists(created_at, :now),"
        " expires_at = :end",
        {"firsts": frozenset(firsts), "lane": _UNSENT, "now": now},
    )
    members = int(row.get("members", 0))
    if "holder" in row:
        return None if row["held_until"] >= now else Waking(0, members)
    if row["created_at"] != now:
        return None
    return Waking(EMPTY_LANE_INTERVAL_SECONDS if row.get("members") == 0 else 0, members)


def acquire(lane: Lane, me: str) -> State | None:
    """Take the lease of a lane; return its state, or None while another worker holds it."""
    now = clock.now_ms()
    try:
        return _hold(
            lane,
            me,
            "SET holder = :me",
            {"now": now},
            condition="attribute_not_exists(holder) OR held_until < :now",
        )
    except LeaseLost:
        return None


def begin(
    lane: Lane, me: str, seen: Collection[int], begun: Round, ended: EndedRound | None = None
) -> State:
    """Begin a round that covers publications, by their first numbers; end the one before.

    Raises LeaseLost.
    """
    update, values = f"SET {_ROUND}", {name: getattr(begun, name) for name in _NUMBERS}
    if ended:
        update, values = f"{update}, {_ENDED}", {**values, **_to_values(ended)}
    update = f"{update} REMOVE round_cursor"
    if seen:
        update, values = f"{update} DELETE pending :seen", {**values, "seen": frozenset(seen)}
    return _hold(lane, me, update, values)


def drop(lane: Lane, me: str, state: State) -> State:
    """Take what the state owes off the lane: it was posted before. Raises LeaseLost."""
    return _hold(lane, me, "SET holder = :me DELETE pending :seen", {"seen": state.pending})


def proceed(lane: Lane, me: str, reached: Round) -> State:
    """Write how far a round is. Raises LeaseLost."""
    update = "SET round_upto = :upto, round_members = :members, round_cursor = :cursor"
    names = ("upto", "members", "cursor")
    return _hold(lane, me, update, {name: getattr(reached, name) for name in names})


_NUMBERS = ("first", "upto", "to", "members")
_ROUND = ", ".join(f"round_{name} = :{name}" for name in _NUMBERS)
_END_ROUND = ", ".join(f"round_{name}" for name in (*_NUMBERS, "cursor"))
_ENDED = "done_first = :done_first, done_last = :done_last, members = :in_round"
_RELEASE = "holder, held_until, unsent, created_at"


def finish(lane: Lane, me: str, ended: EndedRound) -> State | None:
    """End a round, and release the lane if it owes nothing more: then there is no state left.

    Raises LeaseLost.
    """
    update, values = f"SET {_ENDED}", _to_values(ended)
    if _is_released(lane, me, f"{update}, expires_at = :end REMOVE {_END_ROUND}, ", values):
        return None
    return _hold(lane, me, f"{update} REMOVE {_END_ROUND}", values)


def release(lane: Lane, me: str) -> State | None:
    """Release a lane that owes nothing; return its state if it owes something by now.

    Raises LeaseLost.
    """
    if _is_released(lane, me, "SET expires_at = :end REMOVE ", {}):
        return None
    return _hold(lane, me, "SET holder = :me", {})


def pause(lane: Lane, me: str) -> None:
    """Release a lane whose round is under way, for the worker that is woken next.

    Raises LeaseLost.
    """
    values = {"now": clock.now_ms(), "me": me}
    _update(lane, "SET held_until = :now, expires_at = :end REMOVE holder", values, _MINE)


def stalled(older_than_seconds: float) -> Iterator[Lane]:
    """Yield lanes that have had work, and no holder, for at least this time."""
    before = clock.now_ms() - int(older_than_seconds * 1000)
    for keys in history.outbox(_UNSENT, before):
        for row in history.get(keys):
            if "unsent" in row and row.get("held_until", 0) < before:
                yield _lane_of(row["channel"])


def _to_values(ended: EndedRound) -> dict[str, int]:
    done_first, done_last = ended.done
    return {"done_first": done_first, "done_last": done_last, "in_round": ended.members}


def _is_released(lane: Lane, me: str, update: str, values: Mapping[str, Any]) -> bool:
    try:
        _update(
            lane,
            f"{update}{_RELEASE}",
            {**values, "me": me},
            f"{_MINE} AND attribute_not_exists(pending)",
        )
    except LeaseLost:
        return False  # the lease is lost, or events are pending: the next write shows which
    return True


def _hold(
    lane: Lane, me: str, update: str, values: Mapping[str, Any], condition: str = _MINE
) -> State:
    """Write as the holder, and keep the lease for another while."""
    until = clock.now_ms() + LEASE_MS
    update = update.replace("SET ", "SET held_until = :until, expires_at = :end, ", 1)
    return _state_of(_update(lane, update, {**values, "me": me, "until": until}, condition))


def _update(
    lane: Lane, update: str, values: Mapping[str, Any], condition: str = ""
) -> dict[str, Any]:
    """Write a lane's row; return the row. Raises LeaseLost when the condition does not hold."""
    end = clock.now_ms() // 1000 + config.current().history_retention_seconds
    written = aws.update(
        config.current().history_table,
        {"channel": _name(lane), "seq": 0},
        update,
        {f":{name}": value for name, value in {**values, "end": end}.items()},
        condition,
        returns_row=True,
    )
    if not written.is_done:
        raise LeaseLost
    return written.row


def _name(lane: Lane) -> str:
    return f"{PREFIX}@{lane.epoch}@{lane.kind}@{lane.partition_key}@{lane.channel}"


def _lane_of(name: str) -> Lane:
    _, epoch, kind, partition_key, channel = name.split("@", 4)
    return Lane(channel, epoch, partition_key, Kind(kind))


def _state_of(row: Mapping[str, Any]) -> State:
    done = (int(row["done_first"]), int(row["done_last"])) if "done_last" in row else None
    under_way = None
    if "round_to" in row:
        numbers = {name: int(row[f"round_{name}"]) for name in _NUMBERS}
        under_way = Round(**numbers, cursor=row.get("round_cursor"))
    pending = frozenset(map(int, row.get("pending", ())))
    members = int(row["members"]) if "members" in row else None
    return State(pending, done, members, under_way)
