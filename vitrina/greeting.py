"""The greeting: `connected`, and the events since the positions in the client's handshake."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from aws_lambda_powertools import Logger

from vitrina import (
    aws,
    closing,
    config,
    connections,
    history,
    message_budget,
    metrics,
    partitions,
    positions,
    recovery,
    sample,
    sender,
    subscriptions,
    tasks,
)
from vitrina.connections import Connection
from vitrina.events import Connected, ConnectionDetails, Position
from vitrina.partitions import Subscription
from vitrina.recovery import Missed
from vitrina.sender import Post
from vitrina.tasks import Greet

logger = Logger()

# The row is written inside $connect, and the connection opens after $connect has answered. A post
# before that is answered 410. Most are open when their row arrives here, nearly all after this.
PAUSE_SECONDS = 0.1
# The stream's shard waits for this, so connections that are not reached are left to the queue.
BUDGET_SECONDS = 2
ATTEMPTS = 2
MAX_IDS_PER_TASK = 250
# The shard waits for these reads and posts too. A client that missed more sends `resume`.
MAX_MISSED_EVENTS = 200
MAX_FRAMES = 20


class Greeting(NamedTuple):
    post: Post
    missed: Missed | None
    """The recovered events; None if the client sent no positions, or missed too many events."""

    @property
    def subscription(self) -> Subscription:
        return self.post.subscription


def greet(inserted: Sequence[Connection]) -> None:
    """Send `connected` to new connections, and close the oldest ones beyond an identity's limit.

    `inserted` are the rows as they were inserted. The open connections of their identities, which
    are read for the limit, show which of them still exist. Connections that are not open yet or not
    reached are left to the retry queue, so that one that never opens does not delay the others.
    """
    identities = dict.fromkeys((each.client_type, each.identity) for each in inserted)
    opened = aws.in_parallel(lambda each: subscriptions.of_identity(*each), identities)
    ends = {each.subscription: each.expires_at for found in opened for each in found}
    greetings = _greetings(
        [
            connection._replace(expires_at=ends[connection.subscription])
            for connection in inserted
            if connection.subscription in ends and not connection.is_over
        ]
    )
    left = _send(greetings, attempt=0)
    if left:
        time.sleep(PAUSE_SECONDS)
        still_open = _open(left)
        left = _send([each for each in greetings if each.subscription in still_open], attempt=0)
    _greet_later(left, attempt=1)
    closing.close_excess(opened)


def greet_again(task: Greet) -> None:
    """Do a task of the retry queue: greet the connections that are still open."""
    found = connections.find_all(task.connection_ids)
    still_open = _open(connection.subscription for connection in found)
    greetings = _greetings([each for each in found if each.subscription in still_open])
    left = _send(greetings, task.attempt)
    if task.attempt < tasks.MAX_ATTEMPT:
        _greet_later(left, task.attempt + 1)


def _open(found: Iterable[Subscription]) -> set[Subscription]:
    """Return the subscriptions that still exist: a closed connection may leave its own row."""
    return {each for kind in subscriptions.still_open([*found]) for each in kind}


def _send(greetings: Sequence[Greeting], attempt: int) -> list[Subscription]:
    """Send greetings; return the subscriptions of connections to be greeted later."""
    asked_at = time.time()
    posts = [greeting.post for greeting in greetings]
    delivery = sender.post(posts, budget_seconds=BUDGET_SECONDS, attempts=ATTEMPTS)
    opening = connections.forget_gone((post.subscription for post in delivery.gone), asked_at)
    missed = [post.subscription for post in (*delivery.throttled, *delivery.failed)]
    missed += [post.subscription for post in delivery.unsent]
    sampled = [
        each.subscription for each in greetings if sample.has(each.subscription.connection_id)
    ]
    if sampled or missed or attempt:
        logger.info(
            "greeted",
            rows=len(greetings),
            connection_ids=partitions.ids_to_log(sampled),
            attempt=attempt,
            not_open=len(delivery.gone),
            not_open_connection_ids=partitions.ids_to_log(
                post.subscription for post in delivery.gone
            ),
            again=len(missed),
        )
    return [*opening, *missed]


def _greet_later(left: Sequence[Subscription], attempt: int) -> None:
    again = [
        Greet(connection_ids=[each.connection_id for each in some], attempt=attempt)
        for some in tasks.chunks(left, MAX_IDS_PER_TASK)
    ]
    tasks.try_again(again, attempt)


def _greetings(found: Sequence[Connection]) -> list[Greeting]:
    """Return the greetings, with the present positions of each connection's channels.

    The rows are stored before the positions are read. Later events are posted to these connections,
    and earlier ones are in the history, so no event is lost.
    """
    heads = history.positions({channel for each in found for channel in each.channels})
    greetings = aws.in_parallel(lambda each: _greeting(each, heads), found)
    complete = [each.missed.is_complete for each in greetings if each.missed]
    if complete:
        metrics.emit(Recovered=sum(complete), NotRecovered=len(complete) - sum(complete))
    return greetings


def _greeting(connection: Connection, heads: Mapping[str, Position]) -> Greeting:
    missed = _missed(connection, heads)
    if missed:
        connected = _connected(connection, heads, [*missed.channels])
        frames = recovery.frames_for(connection, [connected, *missed.bodies])
        if len(frames) <= MAX_FRAMES:
            return Greeting(Post(connection.subscription, frames), missed)
    return Greeting(Post(connection.subscription, (_connected(connection, heads, []),)), None)


def _missed(connection: Connection, heads: Mapping[str, Position]) -> Missed | None:
    """Read the events that the client missed in the channels whose positions it sent.

    None if it sent none, or missed more than a greeting may contain.
    """
    given = positions.read(connection.positions) if connection.positions else {}
    since = {channel: at for channel, at in given.items() if channel in connection.channels}
    # Without batches each event is a frame, beside `connected` and `recovered`.
    limit = MAX_MISSED_EVENTS if connection.takes_batches else MAX_FRAMES - 2
    count = recovery.count_missed(since, heads, recovery.limit_for(connection))
    if not since or count > limit:
        return None
    limit = limit if message_budget.may_greet_with(connection, count) else 0
    return recovery.recover(connection, since, heads, limit)


def _connected(
    connection: Connection, heads: Mapping[str, Position], recovering: list[str]
) -> bytes:
    event = Connected(
        data=ConnectionDetails(
            connection_id=connection.connection_id,
            client_type=connection.client_type,
            expires_at=datetime.fromtimestamp(connection.expires_at, UTC),
            ping_interval_seconds=config.current().ping_interval_seconds,
            positions={channel: heads[channel] for channel in connection.channels},
            recovering=recovering,
        )
    )
    return event.body()
