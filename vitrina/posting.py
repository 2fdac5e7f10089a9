"""Posting events to subscriptions: delete closed connections, and queue failed posts again."""

import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger

from vitrina import (
    clock,
    connections,
    fanout_rate,
    frames,
    history,
    metrics,
    partitions,
    sender,
    slow_readers,
    subscriptions,
    tasks,
)
from vitrina.history import Span, StoredEvent
from vitrina.partitions import MAX_LOGGED_IDS, Kind
from vitrina.sender import Post
from vitrina.subscriptions import Members
from vitrina.tasks import PostAgain

logger = Logger()

# Of the retry queue. The queue delays its tasks: otherwise a few clients that do not read would
# occupy all its workers.
RETRY_BUDGET_SECONDS = 5
RETRY_ATTEMPTS = 2


class ChannelEvents:
    """Events of one channel, in order, in the frames of each kind of connection."""

    def __init__(self, span: Span, events: Sequence[StoredEvent]) -> None:
        self.span = span
        self.events = events
        bodies = tuple(event.body for event in events)
        self.frames = {Kind.PLAIN: bodies, Kind.BATCH: frames.pack(bodies)}

    def posts_to(self, members: Members) -> list[Post]:
        return [
            Post(subscription, self.frames[kind], span=self.span)
            for kind in Kind
            for subscription in members.of(kind)
        ]

    def count_posts(self, members: Members) -> int:
        return sum(len(self.frames[kind]) * len(members.of(kind)) for kind in Kind)


class PostResult(NamedTuple):
    """Numbers of connections; `queued` is the number of tasks on the retry queue."""

    delivered: int = 0
    gone: int = 0
    queued: int = 0


def post(
    series: Collection[ChannelEvents],
    posts: Sequence[Post],
    *,
    attempt: int = 0,
    counted: int = 0,
    **pace: Any,
) -> PostResult:
    """Post, forget connections that are gone, and queue those that were not reached.

    `attempt` is 0 for the first time, and `pace` has `sender.post`'s arguments. Connections that
    are not reached are closed after a quarter of an hour, or after half a minute if they do not
    read. Raises sender.PostsForbidden or tasks.QueueRefused.
    """
    # Before the posts: the process may be paused after a response, while a handshake ends.
    asked_at = time.time()
    delivery = sender.post(posts, **pace)
    events = [event for each in series for event in each.events]
    if delivery.sent:
        oldest = min(event.created_at_ms for event in events)
        metrics.emit(CommitToLastPost=clock.now_ms() - oldest)
    gone = {post.subscription for post in delivery.gone}
    opening = set(connections.forget_gone(gone, asked_at))
    still_opening = [post for post in delivery.gone if post.subscription in opening]
    forgotten = [post.subscription for post in delivery.gone if post.subscription not in opening]
    failed = [*delivery.failed, *still_opening]
    again = [*delivery.throttled, *failed]
    # Logged before the tasks are queued, as that may fail.
    logger.info(
        "posted",
        **to_log(series),
        attempt=attempt,
        delivered=delivery.sent,
        gone=len(forgotten),
        gone_connection_ids=partitions.ids_to_log(forgotten),
        again=len(again),
        again_connection_ids=partitions.ids_to_log(post.subscription for post in again),
        unsent=len(delivery.unsent),
    )
    queued = _queue(delivery.unsent, attempt, counted)
    if attempt and delivery.throttles:
        asked = [post.subscription for post in posts]
        is_counted = slow_readers.lets_posts_through(asked, pace["per_second"])
        queued += _try_again(failed, attempt, counted)
        queued += _try_again(delivery.throttled, attempt, counted + is_counted)
    else:
        queued += _try_again(again, attempt, counted)
    return PostResult(delivery.sent, len(forgotten), queued)


def post_again(task: PostAgain) -> None:
    """Do a task of the retry queue: post the same events to those that are still open."""
    events = history.read(task.span)
    if not events:
        logger.warning("expired", **task.span._asdict())
        metrics.emit(ExpiredTasks=1)
        return
    series = ChannelEvents(task.span, events)
    # Read again: connections that have ended since get no more posts.
    members = subscriptions.still_open(task.members)
    post(
        [series],
        series.posts_to(members),
        attempt=task.attempt,
        counted=task.counted,
        budget_seconds=RETRY_BUDGET_SECONDS,
        attempts=RETRY_ATTEMPTS,
        per_second=fanout_rate.retry_share(),
    )


def event_ids(events: Iterable[StoredEvent]) -> list[str]:
    """Return the ids of events, each once, though it is in several channels."""
    return list(dict.fromkeys(event.event_id for event in events))


def to_log(series: Collection[ChannelEvents]) -> dict[str, Any]:
    """Return the fields of a log line about events: channels and numbers, and the first ids."""
    spans = [each.span for each in series]
    ids = event_ids(event for each in series for event in each.events[:MAX_LOGGED_IDS])
    return {
        "event_ids": ids[:MAX_LOGGED_IDS],
        "positions": [f"{span.channel}/{span.first}-{span.last}" for span in spans],
    }


def _try_again(posts: Sequence[Post], attempt: int, counted: int) -> int:
    """Queue what failed, or close those that are given up; return the number of tasks."""
    if slow_readers.is_given_up(attempt, counted):
        slow_readers.close({post.subscription for post in posts})
        return 0
    return _queue(posts, attempt + 1, counted)


def _queue(posts: Iterable[Post], attempt: int, counted: int) -> int:
    receivers: dict[Span, list[partitions.Subscription]] = {}
    for each in posts:
        if each.span:
            receivers.setdefault(each.span, []).append(each.subscription)
    queued = [
        task
        for span, members in receivers.items()
        for task in tasks.post_again(span, members, attempt, counted)
    ]
    return tasks.try_again(queued, attempt)
