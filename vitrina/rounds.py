"""Rounds: the worker that holds a lane posts the lane's events, in slices."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger

from vitrina import aws, fanout_rate, frames, history, lanes, metrics, posting, subscriptions, tasks
from vitrina.history import Span
from vitrina.lanes import EndedRound, Lane, Round, State
from vitrina.partitions import Kind
from vitrina.posting import ChannelEvents
from vitrina.subscriptions import Members

logger = Logger()

# After this a worker stops, so that other lanes get a worker, and continues when it is woken again.
# Plain connections need a post for each event, and would otherwise take most of the workers' time.
MAX_WORK_SECONDS = {Kind.BATCH: 2.0, Kind.PLAIN: 0.5}
# The posts of a slice, at the worker's share of the rate.
SLICE_SECONDS = {Kind.BATCH: 1.0, Kind.PLAIN: 0.5}
# The last slice of a round may be larger, so that a few members need no further slice.
LAST_SLICE_FACTOR = 1.5
# How long they may take. The function's timeout is longer than a piece and a slice together.
SLICE_BUDGET_SECONDS = 4
SLICE_ATTEMPTS = 4
MIN_PAGE_ROWS, MAX_PAGE_ROWS = 100, 1_000
# Of a lane that has not had a round yet. Small ones need no share of the rate.
DEFAULT_MEMBERS = 10_000
# A member that does not take its post delays the others by at most this.
LINGER_SECONDS = 0.1
# Events that are read for a round; a batch takes as many of them as fit into its frame. Plain
# connections get them one after another, at 20 ms each.
MAX_ROUND_EVENTS = {Kind.BATCH: 256, Kind.PLAIN: 50}
# A publication that is slower than a later one leaves a gap. To close it, at most this many events
# are posted again.
MAX_GAP_EVENTS = 70


def work(lane: Lane) -> None:
    """Post the events of a lane for `MAX_WORK_SECONDS`, unless another worker holds the lane.

    Raises lanes.LeaseLost when another worker has taken over, and what posting raises; the lane's
    row then still has the remaining events.
    """
    worker = _Worker(lane)
    state = lanes.acquire(lane, worker.me)
    if state is not None:
        worker.work(state)


class _Worker:
    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self.me = uuid4().hex
        self._until = time.monotonic() + MAX_WORK_SECONDS[lane.kind]
        self._share = fanout_rate.first_share()
        self._is_entered = False
        self._series: ChannelEvents | None = None

    def work(self, state: State) -> None:
        self._begin(state)
        left: State | None = state
        while left and (left := self._begin_round(left)) and left.round:
            left = self._slice(left, left.round)
            if left and time.monotonic() > self._until:
                # In this order: a worker that is woken first would find the lane held.
                lanes.pause(self._lane, self.me)
                tasks.wake([self._lane])
                break
        if self._is_entered:
            fanout_rate.leave(self._lane)

    def _begin(self, state: State) -> None:
        """Read the share of the rate, except for a lane that probably needs one slice."""
        if state.round:
            self._share = self._enter(_members(state, state.round))
        elif (state.members or 0) > self._share * SLICE_SECONDS[self._lane.kind]:
            # Other lanes may be woken at this moment, and not have entered yet.
            self._share = min(self._share, self._enter(_members(state)))

    def _begin_round(self, state: State) -> State | None:
        """Begin a round if none is under way; return None if nothing is owed: the lane is free."""
        lane = self._lane
        while state.round is None:
            if not state.pending:
                released = lanes.release(lane, self.me)
                if released is None:
                    return None
                state = released
                continue
            # The head is read after the row: it is not before any event that the row has.
            last = self._last_event()
            owed = [seq for seq in state.pending if not _covers(state.done, seq)]
            if last is None or not owed:
                state = lanes.drop(lane, self.me, state)
                continue
            begun = self._round(_first(state, min(owed)), last)
            state = lanes.begin(lane, self.me, state.pending, begun)
        return state

    def _slice(self, state: State, now: Round) -> State | None:
        """Post to the next members; return None if this ends the round and frees the lane."""
        lane = self._lane
        members, series, cursor = self._next_members(state, now)
        if series:
            now = now._replace(upto=series.span.last)
            self._post(series, members)
        now = now._replace(members=now.members + len(members.of(lane.kind)), cursor=cursor)
        if cursor is not None:
            return self._write(partial(lanes.proceed, lane, self.me, now), _members(state, now))
        ended = EndedRound(_merged(state.done, (now.first, now.upto)), now.members)
        if now.upto < now.to:
            return self._next_round(state, now, ended)
        next_state = lanes.finish(lane, self.me, ended)
        if next_state:
            self._share = self._enter(now.members)
        return next_state

    def _next_round(self, state: State, now: Round, ended: EndedRound) -> State:
        """End a round and begin the next, with the events that did not fit and later ones.

        So all frames except the last one are full: a half-full frame takes as long to post.
        """
        # A slow publisher may add events before those that are done.
        owed = [seq for seq in state.pending if not _covers(ended.done, seq)]
        begun = self._round(min([now.upto + 1, *owed]), max(now.to, self._last_event() or 0))
        begin = partial(lanes.begin, self._lane, self.me, state.pending, begun, ended)
        return self._write(begin, now.members)

    def _round(self, first: int, to: int) -> Round:
        return Round(first, min(to, first + MAX_ROUND_EVENTS[self._lane.kind] - 1), to)

    def _last_event(self) -> int | None:
        """Return the channel's last number; None if its epoch has changed since the lane began."""
        channel = self._lane.channel
        head = history.known_positions([channel]).get(channel)
        return head.seq if head and head.epoch == self._lane.epoch else None

    def _write(self, write: Callable[[], State], members: int) -> State:
        """Write how far the lane is, and read the share of the rate at the same time."""
        calls: list[Callable[[], Any]] = [write, partial(self._enter, members)]
        left: State
        left, self._share = aws.in_parallel(lambda call: call(), calls)
        return left

    def _enter(self, members: int) -> float:
        self._is_entered = True
        return fanout_rate.enter(self._lane, members)

    def _post(self, series: ChannelEvents, members: Members) -> None:
        posting.post(
            [series],
            series.posts_to(members),
            budget_seconds=SLICE_BUDGET_SECONDS,
            attempts=SLICE_ATTEMPTS,
            per_second=self._share,
            linger_seconds=LINGER_SECONDS,
        )

    def _next_members(
        self, state: State, now: Round
    ) -> tuple[Members, ChannelEvents | None, str | None]:
        """Return members for a slice, their events, and the last one that is among them or read.

        The events are read only for a lane that has members.
        """
        lane = self._lane
        found = Members([], [])
        some = found.of(lane.kind)
        series, cursor = None, now.cursor
        left = _members(state) - now.members
        fitting = MAX_PAGE_ROWS
        while True:
            limit = min(MAX_PAGE_ROWS, max(MIN_PAGE_ROWS, fitting - len(some)))
            page = subscriptions.page(lane.partition, cursor, limit, lane.kind)
            some += page.members.of(lane.kind)
            cursor = page.cursor
            if some:
                series = self._read(Span(lane.channel, now.first, now.upto))
                if not series.events:
                    return Members([], []), None, None
                fitting = self._fitting(len(series.frames[lane.kind]))
                if fitting < left <= fitting * LAST_SLICE_FACTOR:
                    fitting = left
            if len(some) > fitting:
                cursor = some[fitting - 1].member
                del some[fitting:]
            if cursor is None or len(some) == fitting:
                return found, series, cursor

    def _fitting(self, frames: int) -> int:
        """Return how many members take so many frames each in a slice."""
        return max(1, int(self._share * SLICE_SECONDS[self._lane.kind]) // frames)

    def _read(self, span: Span) -> ChannelEvents:
        """Read the events of a round: of those that are posted in frames, as many as fit into one.

        Some may have expired: clients that miss them fetch the lists again.
        """
        if self._series and self._series.span.first == span.first:
            return self._series
        events = history.read(span)
        if len(events) <= span.last - span.first:
            logger.warning("expired", **span._asdict())
            metrics.emit(ExpiredTasks=1)
        if self._lane.kind is Kind.BATCH:
            fitting = frames.count_in_first(event.body for event in events)
            if fitting < len(events):
                events = events[:fitting]
                span = span._replace(last=events[-1].seq)
        self._series = ChannelEvents(span, events)
        return self._series


def _members(state: State, now: Round | None = None) -> int:
    """Return how many connections a lane has, as far as its rounds have shown."""
    before = DEFAULT_MEMBERS if state.members is None else state.members
    return max(before, now.members if now else 0)


def _covers(done: tuple[int, int] | None, seq: int) -> bool:
    return done is not None and done[0] <= seq <= done[1]


def _first(state: State, owed: int) -> int:
    """Return where a round begins that owes a number: after what is done, if that is near."""
    if state.done and state.done[1] + 1 < owed <= state.done[1] + MAX_GAP_EVENTS:
        return state.done[1] + 1
    return owed


def _merged(done: tuple[int, int] | None, more: tuple[int, int]) -> tuple[int, int]:
    """Return both as one run of numbers, or the later one when they do not touch."""
    if done is None or more[0] > done[1] + 1 or more[1] < done[0] - 1:
        return more
    return min(done[0], more[0]), max(done[1], more[1])
