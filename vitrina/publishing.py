"""Publishing: from committed events to every connection of their channels."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from pydantic import BaseModel

from vitrina import aws, config, history, lanes, metrics, posting, subscriptions, tasks
from vitrina.aws import Backoff
from vitrina.history import DECISION_BACKOFF, Change, Publication, Receipt, Span, StoredEvent
from vitrina.lanes import Lane
from vitrina.partitions import Kind
from vitrina.posting import ChannelEvents, PostResult
from vitrina.sender import Post
from vitrina.tasks import PostPage

logger = Logger()

# The HTTP request posts to partitions that are not larger than this. Larger partitions are lanes,
# to which workers post.
FIRST_PAGE_ROWS = 64
MAX_POSTS_PER_PARTITION = 64
POSTING_SECONDS = 2
POSTING_ATTEMPTS = 2


class Broadcast(BaseModel):
    """The result of a publication, in connections; the events themselves are listed by id."""

    event_ids: list[str]
    delivered: int = 0
    gone: int = 0
    """Connections that had already closed."""
    queued: int = 0
    """Tasks left to workers: lanes, and connections to be tried again."""


def commit(
    changes: Sequence[Change],
    backoff: Backoff = DECISION_BACKOFF,
    receipt: Receipt[Broadcast] = history.no_receipt,
) -> Broadcast:
    """Commit changes with their events, then publish the events.

    Raises history.WriteConflict or Unavailable `busy`; nothing is written or posted then.
    """
    expected = Broadcast(event_ids=history.event_ids(changes))
    return publish([history.commit([*changes, *receipt(expected)], backoff)])


def publish(publications: Sequence[Publication], *, wakes_all: bool = False) -> Broadcast:
    """Post committed events to small partitions, and leave large ones to their lanes.

    Never raises, as the changes are committed. After a failure the publications stay in the
    outbox, where `publish_unsent` finds them. It passes `wakes_all`, to wake also lanes that have a
    holder.
    """
    events = sorted(event for publication in publications for event in publication.events)
    result = Broadcast(event_ids=posting.event_ids(events))
    if not events:
        return result
    try:
        result = _publish(publications, events, wakes_all)
    except Exception:
        logger.exception("broadcast failed", event_ids=result.event_ids)
    else:
        logger.info("broadcast", **result.model_dump())
    return result


def _publish(
    publications: Sequence[Publication], events: Sequence[StoredEvent], wakes_all: bool
) -> Broadcast:
    series = _by_channel(events)
    posts: list[Post] = []
    # Lanes without members in the first page may be empty, so they are woken last.
    likely: list[Lane] = []
    unlikely: list[Lane] = []
    epochs = {name: epoch for each in publications for name, epoch in each.epochs.items()}
    for channel, page in subscriptions.first_pages(series, FIRST_PAGE_ROWS):
        is_small = page.cursor is None
        if is_small and series[channel].count_posts(page.members) <= MAX_POSTS_PER_PARTITION:
            posts += series[channel].posts_to(page.members)
        else:
            key = page.partition.key
            for kind in Kind:
                lanes_of = likely if page.members.of(kind) else unlikely
                lanes_of.append(Lane(channel, epochs[channel], key, kind))
    large = [*likely, *unlikely]
    calls: list[Callable[[], Any]] = [
        # Begins first, so that workers start during the posts.
        partial(_owe, large, publications, wakes_all),
        partial(
            posting.post,
            series.values(),
            posts,
            budget_seconds=POSTING_SECONDS,
            attempts=POSTING_ATTEMPTS,
        ),
    ]
    result: PostResult
    _, result = aws.in_parallel(lambda call: call(), calls)
    if config.current().push_apps:
        # Imported here: without push, functions that publish start faster.
        from vitrina import push_tasks

        push_tasks.hand_over(publications)
    history.mark_sent(publications)
    return Broadcast(
        event_ids=posting.event_ids(events),
        delivered=result.delivered,
        gone=result.gone,
        queued=len(large) + result.queued,
    )


def _owe(large: Sequence[Lane], publications: Sequence[Publication], wakes_all: bool) -> None:
    """Add the publications to each lane, and wake lanes without a holder."""
    firsts: dict[str, list[int]] = {}
    for publication in publications:
        for span in publication.spans:
            firsts.setdefault(span.channel, []).append(span.first)
    found = aws.in_parallel(lambda lane: lanes.owe(lane, firsts[lane.channel]), large)
    if wakes_all:
        tasks.wake(large)
        return
    wakings = {lane: waking for lane, waking in zip(large, found, strict=True) if waking}
    # The largest first: with fewer workers than lanes, a large lane that begins last ends last.
    woken = sorted(wakings, key=lambda lane: -wakings[lane].members)
    tasks.wake(woken, [wakings[lane].after_seconds for lane in woken])


def publish_unsent(older_than_seconds: float, until: float) -> int:
    """Publish what a crash has left in the outbox, oldest first; return the number of events.

    Stops at `until`, a value of `time.monotonic`; the next sweep continues.
    """
    count = 0
    for publication in history.unsent(older_than_seconds):
        if time.monotonic() >= until:
            break
        metrics.emit(LeftBehind=len(publish([publication], wakes_all=True).event_ids))
        count += len(publication.events)
    return count


def wake_stalled(older_than_seconds: float) -> int:
    """Wake lanes that have work and no worker; return their number."""
    found = list(lanes.stalled(older_than_seconds))
    tasks.wake(found)
    return len(found)


def post_page(task: PostPage) -> None:
    """Do a task of version 0.1: its partition owes the events, to all its connections."""
    positions = history.known_positions([task.channel])
    found = [
        Lane(task.channel, position.epoch, task.partition.key, kind)
        for position in positions.values()
        for kind in Kind
    ]
    aws.in_parallel(lambda lane: lanes.owe(lane, [min(task.seqs)]), found)
    tasks.wake(found)


def _by_channel(events: Sequence[StoredEvent]) -> dict[str, ChannelEvents]:
    found: dict[str, list[StoredEvent]] = {}
    for event in events:
        found.setdefault(event.channel, []).append(event)
    return {
        channel: ChannelEvents(Span(channel, some[0].seq, some[-1].seq), some)
        for channel, some in found.items()
    }
