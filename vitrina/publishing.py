"""Publishing: from committed events to every connection of their channels."""

import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger
from pydantic import BaseModel

from vitrina import (
    config,
    connections,
    fanout_queue,
    history,
    metrics,
    partitions,
    sender,
    slow_readers,
    subscriptions,
)
from vitrina.aws import Patience
from vitrina.fanout_queue import PostAgain, PostPage
from vitrina.history import DECISION, Change, StoredEvent
from vitrina.partitions import Subscription
from vitrina.sender import Post
from vitrina.subscriptions import Page

logger = Logger()

# The HTTP request waits for the first page of each partition, and not for later attempts: workers
# may take longer.
FIRST_PAGE_POSTS = 64
FIRST_PAGES_SECONDS = 2
FIRST_PAGES_ATTEMPTS = 2
# A worker posts a page in half a second at its share of the rate; reading a page takes a fraction.
PAGE_SECONDS = 0.5
WORKER_SECONDS = 10
WORKER_ATTEMPTS = 4
# Of posts that come from the queue again. Their backoff is the queue's: a few clients that do not
# read would otherwise keep all workers waiting.
WORKER_ATTEMPTS_AGAIN = 2


class Broadcast(BaseModel):
    """The result of a publication, in connections; the events themselves are listed by id."""

    event_ids: list[str]
    delivered: int = 0
    gone: int = 0
    """Connections that had already closed."""
    queued: int = 0
    """Tasks left to workers: further pages of connections, and connections to be tried again."""


class _ChannelEvents(NamedTuple):
    """The events of a publication in one channel, posted to each connection in this order."""

    channel: str
    events: Sequence[StoredEvent]
    bodies: tuple[bytes, ...]

    @property
    def seqs(self) -> list[int]:
        return [event.seq for event in self.events]

    def page_size(self, posts: int) -> int:
        """Return the number of connections that take so many posts."""
        return max(1, posts // len(self.events))

    def posts_to(self, receivers: Iterable[Subscription]) -> list[Post]:
        return [Post(subscription, self.bodies) for subscription in receivers]

    def next_page(self, page: Page) -> list[PostPage]:
        """Return the task of posting to the page after this one, if there may be one."""
        if page.cursor is None:
            return []
        where = {"partition": page.partition, "cursor": page.cursor}
        return [PostPage(channel=self.channel, seqs=self.seqs, **where)]


def commit(changes: Sequence[Change], patience: Patience = DECISION) -> Broadcast:
    """Commit changes with their events, then publish the events.

    Raises history.WriteConflict or Unavailable `busy`; nothing is written or posted then.
    """
    return publish(history.commit(changes, patience))


def publish(events: Sequence[StoredEvent]) -> Broadcast:
    """Post committed events to the first connections of their channels, and queue the others.

    Never raises, as the change is committed. After a failure the events stay in the outbox, where
    `publish_unsent` finds them.
    """
    result = Broadcast(event_ids=_event_ids(events))
    if not events:
        return result
    try:
        result = _publish(events)
    except Exception:
        logger.exception("broadcast failed", event_ids=result.event_ids)
    else:
        logger.info("broadcast", **result.model_dump())
    return result


def _publish(events: Sequence[StoredEvent]) -> Broadcast:
    publication = _by_channel(events)
    posts: list[Post] = []
    next_pages: list[PostPage] = []
    limits = {name: series.page_size(FIRST_PAGE_POSTS) for name, series in publication.items()}
    for channel, page in subscriptions.first_pages(limits):
        posts += publication[channel].posts_to(page.subscriptions)
        next_pages += publication[channel].next_page(page)
    # Before the first post: workers start in parallel, and a crash loses no page.
    queued = fanout_queue.put(next_pages)
    result = _post(
        publication.values(),
        posts,
        attempt=0,
        budget_seconds=FIRST_PAGES_SECONDS,
        attempts=FIRST_PAGES_ATTEMPTS,
    )
    history.mark_sent(events)
    return result.model_copy(update={"queued": queued + result.queued})


def publish_unsent(older_than_seconds: float, until: float) -> int:
    """Publish what a crash has left in the outbox, oldest first; return the number of events.

    Stops at `until`, a value of `time.monotonic`; the next sweep continues.
    """
    count = 0
    for events in history.unsent(older_than_seconds):
        if time.monotonic() >= until:
            break
        metrics.emit(LeftBehind=len(publish(events).event_ids))
        count += len(events)
    return count


def work(task: PostPage | PostAgain) -> None:
    """Do one task of the queue.

    Connections that are not reached are queued again, and closed after a quarter of an hour, or
    after half a minute if they do not read.
    """
    events = history.read(task.channel, task.seqs)
    if not events:
        logger.warning("expired", channel=task.channel, seqs=task.seqs)
        metrics.emit(ExpiredTasks=1)
        return
    [series] = _by_channel(events).values()
    here = config.current()
    share = here.posts_per_second / here.fanout_workers
    if isinstance(task, PostPage):
        _post_page(series, task, share)
    else:
        _post_again(series, task, share)


def _post_page(series: _ChannelEvents, task: PostPage, share: float) -> None:
    size = series.page_size(int(share * PAGE_SECONDS))
    page = subscriptions.page(task.partition, task.cursor, size)
    # Before the first post, so that the pages of a partition are posted in parallel.
    fanout_queue.put(series.next_page(page))
    _post(
        [series],
        series.posts_to(page.subscriptions),
        attempt=0,
        budget_seconds=WORKER_SECONDS,
        attempts=WORKER_ATTEMPTS,
        per_second=share,
    )


def _post_again(series: _ChannelEvents, task: PostAgain, share: float) -> None:
    # Read again: some may have ended since they were queued, and get nothing more.
    members = subscriptions.still_open(task.members)
    _post(
        [series],
        series.posts_to(members),
        attempt=task.attempt,
        counted=task.counted,
        budget_seconds=WORKER_SECONDS,
        attempts=WORKER_ATTEMPTS_AGAIN,
        per_second=share,
    )


def _event_ids(events: Iterable[StoredEvent]) -> list[str]:
    return list(dict.fromkeys(event.event_id for event in events))


def _by_channel(events: Iterable[StoredEvent]) -> dict[str, _ChannelEvents]:
    found: dict[str, list[StoredEvent]] = {}
    for event in sorted(events):
        found.setdefault(event.channel, []).append(event)
    return {
        channel: _ChannelEvents(channel, series, tuple(event.body for event in series))
        for channel, series in found.items()
    }


def _post(
    publication: Collection[_ChannelEvents],
    posts: Sequence[Post],
    *,
    attempt: int,
    counted: int = 0,
    **pace: Any,
) -> Broadcast:
    """Post, forget connections that are gone, and queue those that were not reached."""
    delivery = sender.post(posts, **pace)
    events = [event for series in publication for event in series.events]
    event_ids = _event_ids(events)
    if delivery.sent:
        oldest = min(event.created_at_ms for event in events)
        metrics.emit(CommitToLastPost=history.now_ms() - oldest)
    opening = set(connections.forget_gone({post.subscription for post in delivery.gone}))
    still_opening = [post for post in delivery.gone if post.subscription in opening]
    forgotten = [post.subscription for post in delivery.gone if post.subscription not in opening]
    failed = [*delivery.failed, *still_opening]
    again = [*delivery.throttled, *failed]
    # Before anything is queued, as that may fail.
    logger.info(
        "posted",
        event_ids=event_ids,
        channels=[series.channel for series in publication],
        attempt=attempt,
        delivered=delivery.sent,
        gone=len(forgotten),
        gone_connection_ids=partitions.ids_to_log(forgotten),
        again=len(again),
        again_connection_ids=partitions.ids_to_log(post.subscription for post in again),
        unsent=len(delivery.unsent),
    )
    queued = _queue(publication, delivery.unsent, attempt, counted)
    if attempt and delivery.throttles:
        asked = [post.subscription for post in posts]
        is_counted = slow_readers.lets_posts_through(asked, pace["per_second"])
        queued += _try_again(publication, failed, attempt, counted)
        queued += _try_again(publication, delivery.throttled, attempt, counted + is_counted)
    else:
        queued += _try_again(publication, again, attempt, counted)
    return Broadcast(
        event_ids=event_ids, delivered=delivery.sent, gone=len(forgotten), queued=queued
    )


def _try_again(
    publication: Collection[_ChannelEvents], posts: Sequence[Post], attempt: int, counted: int
) -> int:
    """Queue what failed, or close those that are given up; return the number of tasks."""
    if slow_readers.is_given_up(attempt, counted):
        slow_readers.close({post.subscription for post in posts})
        return 0
    return _queue(publication, posts, attempt + 1, counted)


def _queue(
    publication: Collection[_ChannelEvents], posts: Sequence[Post], attempt: int, counted: int
) -> int:
    receivers: dict[tuple[bytes, ...], list[Subscription]] = {}
    for post in posts:
        receivers.setdefault(post.bodies, []).append(post.subscription)
    tasks = (
        task
        for series in publication
        for task in fanout_queue.post_again(
            series.channel, series.seqs, receivers.get(series.bodies, []), attempt, counted
        )
    )
    return fanout_queue.put_again(tasks, attempt)
