"""From committed events to every connection of their channels."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import BaseModel

from vitrina import connections, fanout_queue, history, members, sender, settings
from vitrina.connections import Member
from vitrina.fanout_queue import PostPage, Task
from vitrina.history import Row
from vitrina.members import Page
from vitrina.sender import Post

logger = Logger()
metrics = Metrics(namespace=settings.METRICS_NAMESPACE)

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
    result = Broadcast(event_ids=list(dict.fromkeys(row.event_id for row in rows)))
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
    pages = list(members.first_pages(limits))
    for channel, page in pages:
        posts += publication[channel].posts_to(page.members)
        following += publication[channel].page_after(page)
    # Before the first post, so that workers start meanwhile and no crash loses a page.
    result.queued = fanout_queue.put(following)
    outcome = _post(
        publication,
        posts,
        pages=len(pages),
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
        publish(rows)
        count += len(rows)
    return count


def work(task: Task) -> None:
    """Do one task of the queue.

    Raises Unreachable when connections do not answer at the last attempt.
    """
    rows = history.read(task.channel, task.seqs)
    if not rows:
        logger.warning("expired", channel=task.channel, seqs=task.seqs)
        return
    series = _Series(task.channel, rows)
    here = settings.current()
    share = here.posts_per_second / here.fanout_workers
    if isinstance(task, PostPage):
        size = series.page_size(int(share * PAGE_SECONDS))
        page = members.page(task.partition, task.cursor, size)
        # First of all, so that the pages of a partition are posted side by side.
        fanout_queue.put(series.page_after(page))
        left, attempt, pages = page.members, 0, 1
    else:
        left, attempt, pages = task.members, task.attempt, 0
    outcome = _post(
        {task.channel: series},
        series.posts_to(left),
        pages=pages,
        attempt=attempt,
        budget_seconds=WORKER_SECONDS,
        attempts=WORKER_ATTEMPTS,
        per_second=share,
    )
    logger.info("posted", channel=task.channel, type=task.type, **outcome._asdict())


def _by_channel(rows: Iterable[Row]) -> _Publication:
    by_channel: dict[str, list[Row]] = {}
    for row in rows:
        by_channel.setdefault(row.channel, []).append(row)
    return {channel: _Series(channel, sorted(found)) for channel, found in by_channel.items()}


def _post(
    publication: _Publication, posts: Sequence[Post], *, pages: int, attempt: int, **pace: Any
) -> _Outcome:
    """Post, forget who is gone, and queue who could not be reached."""
    delivery = sender.post(posts, **pace)
    _measure(publication, pages)
    young = set(connections.forget_gone({post.member for post in delivery.gone}))
    shaking_hands = [post for post in delivery.gone if post.member in young]
    queued = _queue(publication, delivery.unsent, attempt)
    queued += _queue(
        publication, [*delivery.throttled, *delivery.failed, *shaking_hands], attempt + 1
    )
    return _Outcome(delivery.sent, len(delivery.gone) - len(shaking_hands), queued)


def _measure(publication: _Publication, pages: int) -> None:
    metrics.add_metric("Pages", MetricUnit.Count, pages)
    oldest = min(row.created_at_ms for series in publication.values() for row in series.rows)
    metrics.add_metric("CommitToLastPost", MetricUnit.Milliseconds, history.now_ms() - oldest)
    metrics.flush_metrics()


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
