"""From committed events to every connection of their channels."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger
from pydantic import BaseModel

from vitrina import connections, fanout_queue, history, members, metrics, sender, settings
from vitrina.connections import Member
from vitrina.fanout_queue import PostPage, Task
from vitrina.history import Row
from vitrina.members import Page
from vitrina.sender import Post

logger = Logger()

# Who asks over HTTP waits for the first page of each partition, and not for what has to be tried
# again: workers have more patience.
FIRST_PAGE_POSTS = 64
FIRST_PAGES_SECONDS = 2
FIRST_PAGES_ATTEMPTS = 2
# What a worker posts of one page, at its share of the rate; reading the page takes a fraction.
PAGE_SECONDS = 0.5
WORKER_SECONDS = 10
WORKER_ATTEMPTS = 4
# With waits of 1, 2, 4 … 32 s before them, a minute in all: a throttle passes in it, and a
# handshake ends or has failed.
LAST_ATTEMPT = 6


class Broadcast(BaseModel):
    """What became of a publication, in connections; the events themselves are listed by id."""

    event_ids: list[str]
    delivered: int = 0
    gone: int = 0
    """These had left without a word, and are forgotten now."""
    queued: int = 0
    """Tasks left to workers: further pages of connections, and connections to be tried again."""


class Unreachable(Exception):
    """Some connections of a task did not take its events at the last attempt."""


class _Series(NamedTuple):
    """Events of one channel, which a connection gets one after another."""

    channel: str
    rows: Sequence[Row]

    @property
    def seqs(self) -> list[int]:
        return [row.seq for row in self.rows]

    def page_size(self, posts: int) -> int:
        """Return how many connections take so many posts."""
        return max(1, posts // len(self.rows))

    def posts_to(self, to: Iterable[Member]) -> list[Post]:
        bodies = [row.body for row in self.rows]
        return [Post(member, bodies, self.channel) for member in to]

    def page_after(self, page: Page) -> list[Task]:
        """Return the task of posting to the next page, if there may be one."""
        if page.cursor is None:
            return []
        where = {"partition": page.partition, "cursor": page.cursor}
        return [PostPage(channel=self.channel, seqs=self.seqs, **where)]


_Publication = dict[str, _Series]
"""The events of a publication by channel."""


class _Outcome(NamedTuple):
    delivered: int
    gone: int
    queued: int


def publish(rows: Sequence[Row]) -> Broadcast:
    """Post committed events to the first connections of their channels, and queue the others.

    Never raises: what the events tell of has happened. What fails here stays in the outbox, and
    `publish_unsent` takes it from there.
    """
    result = Broadcast(event_ids=_event_ids(rows))
    if not rows:
        return result
    try:
        _publish(rows, result)
    except Exception:
        logger.exception("broadcast failed", event_ids=result.event_ids)
    else:
        logger.info("broadcast", **result.model_dump())
    return result


def _publish(rows: Sequence[Row], result: Broadcast) -> None:
    publication = _by_channel(rows)
    posts: list[Post] = []
    following: list[Task] = []
    limits = {name: series.page_size(FIRST_PAGE_POSTS) for name, series in publication.items()}
    for channel, page in members.first_pages(limits):
        posts += publication[channel].posts_to(page.members)
        following += publication[channel].page_after(page)
    # Before the first post, so that workers start meanwhile and no crash loses a page.
    result.queued = fanout_queue.put(following)
    outcome = _post(
        publication,
        posts,
        attempt=0,
        budget_seconds=FIRST_PAGES_SECONDS,
        attempts=FIRST_PAGES_ATTEMPTS,
    )
    result.delivered = outcome.delivered
    result.gone = outcome.gone
    result.queued += outcome.queued
    history.mark_sent(rows)


def publish_unsent(older_than_seconds: float, until: float) -> int:
    """Publish what a crash has left in the outbox, oldest first; return how many events.

    `until` is when to stop, in `time.monotonic`'s seconds; the rest is for the next time.
    """
    count = 0
    for rows in history.unsent(older_than_seconds):
        if time.monotonic() >= until:
            break
        metrics.emit(LeftBehind=len(publish(rows).event_ids))
        count += len(rows)
    return count


def work(task: Task) -> None:
    """Do one task of the queue.

    Raises Unreachable when connections do not answer at the last attempt.
    """
    rows = history.read(task.channel, task.seqs)
    if not rows:
        logger.warning("expired", channel=task.channel, seqs=task.seqs)
        metrics.emit(ExpiredTasks=1)
        return
    series = _Series(task.channel, rows)
    here = settings.current()
    share = here.posts_per_second / here.fanout_workers
    if isinstance(task, PostPage):
        size = series.page_size(int(share * PAGE_SECONDS))
        page = members.page(task.partition, task.cursor, size)
        # First of all, so that the pages of a partition are posted side by side.
        fanout_queue.put(series.page_after(page))
        left, attempt = page.members, 0
    else:
        left, attempt = task.members, task.attempt
    _post(
        {task.channel: series},
        series.posts_to(left),
        attempt=attempt,
        budget_seconds=WORKER_SECONDS,
        attempts=WORKER_ATTEMPTS,
        per_second=share,
    )


def _event_ids(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row.event_id for row in rows))


def _by_channel(rows: Iterable[Row]) -> _Publication:
    by_channel: dict[str, list[Row]] = {}
    for row in rows:
        by_channel.setdefault(row.channel, []).append(row)
    return {channel: _Series(channel, sorted(found)) for channel, found in by_channel.items()}


def _post(
    publication: _Publication, posts: Sequence[Post], *, attempt: int, **pace: Any
) -> _Outcome:
    """Post, forget who is gone, and queue who could not be reached."""
    delivery = sender.post(posts, **pace)
    rows = [row for series in publication.values() for row in series.rows]
    if delivery.sent:
        oldest = min(row.created_at_ms for row in rows)
        metrics.emit(CommitToLastPost=history.now_ms() - oldest)
    young = set(connections.forget_gone({post.member for post in delivery.gone}))
    shaking_hands = [post for post in delivery.gone if post.member in young]
    forgotten = [post.member for post in delivery.gone if post.member not in young]
    again = [*delivery.throttled, *delivery.failed, *shaking_hands]
    # Before anything is queued, which may fail.
    logger.info(
        "posted",
        event_ids=_event_ids(rows),
        channels=list(publication),
        attempt=attempt,
        delivered=delivery.sent,
        gone=len(forgotten),
        gone_connection_ids=connections.some_ids(forgotten),
        again=len(again),
        again_connection_ids=connections.some_ids(post.member for post in again),
        unsent=len(delivery.unsent),
    )
    queued = _queue(publication, delivery.unsent, attempt)
    queued += _queue(publication, again, attempt + 1)
    return _Outcome(delivery.sent, len(forgotten), queued)


def _queue(publication: _Publication, posts: Iterable[Post], attempt: int) -> int:
    left: dict[str, list[Member]] = {}
    for post in posts:
        left.setdefault(post.channel, []).append(post.member)
    if left and attempt > LAST_ATTEMPT:
        raise Unreachable(f"{sum(map(len, left.values()))} connections")
    tasks = (
        task
        for channel, found in left.items()
        for task in fanout_queue.post_again(channel, publication[channel].seqs, found, attempt)
    )
    return fanout_queue.put(tasks, delay_seconds=2 ** (attempt - 1) if attempt else 0)
