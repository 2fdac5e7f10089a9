"""The greeting: `connected`, the first event of a connection."""

import time
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

from aws_lambda_powertools import Logger

from vitrina import closing, config, connections, history, partitions, sample, sender, tasks
from vitrina.connections import Connection
from vitrina.events import Connected, ConnectionDetails, Position
from vitrina.sender import Post
from vitrina.tasks import Greet

logger = Logger()

# The row is written inside $connect, and the connection opens after $connect has answered. A post
# before that is answered 410. Most are open when their row arrives here, nearly all after this.
PAUSE_SECONDS = 0.1
# The stream's shard waits meanwhile, so connections that are not reached are left to the queue.
BUDGET_SECONDS = 2
ATTEMPTS = 2
MAX_IDS_PER_TASK = 250


def greet(connection_ids: Sequence[str]) -> None:
    """Send `connected` to new connections, and close the oldest ones beyond an identity's limit.

    Those that are not open yet or not reached are greeted by the queue: one that never opens does
    not delay the others.
    """
    found = connections.find_all(connection_ids)
    left = _greet(found, attempt=0)
    if left:
        time.sleep(PAUSE_SECONDS)
        left = _greet(connections.find_all(left), attempt=0)
    _greet_later(left, attempt=1)
    closing.close_excess({(each.client_type, each.identity) for each in found})


def greet_again(task: Greet) -> None:
    """Greet those that are still stored; a handshake that has not ended by now never will."""
    left = _greet(connections.find_all(task.connection_ids), task.attempt)
    if task.attempt < tasks.MAX_ATTEMPT:
        _greet_later(left, task.attempt + 1)


def _greet(found: Sequence[Connection], attempt: int) -> list[str]:
    """Greet connections; return the ids of those to be greeted later."""
    asked_at = time.time()
    delivery = sender.post(_greetings(found), budget_seconds=BUDGET_SECONDS, attempts=ATTEMPTS)
    opening = connections.forget_gone((post.subscription for post in delivery.gone), asked_at)
    missed = [post.subscription for post in (*delivery.throttled, *delivery.failed)]
    missed += [post.subscription for post in delivery.unsent]
    sampled = [each.subscription for each in found if sample.has(each.connection_id)]
    if sampled or missed or attempt:
        logger.info(
            "greeted",
            rows=len(found),
            connection_ids=partitions.ids_to_log(sampled),
            attempt=attempt,
            not_open=len(delivery.gone),
            not_open_connection_ids=partitions.ids_to_log(
                post.subscription for post in delivery.gone
            ),
            again=len(missed),
        )
    return [subscription.connection_id for subscription in (*opening, *missed)]


def _greet_later(connection_ids: Sequence[str], attempt: int) -> None:
    tasks.try_again(_tasks(connection_ids, attempt), attempt)


def _tasks(connection_ids: Sequence[str], attempt: int) -> Iterator[Greet]:
    left = iter(connection_ids)
    while some := list(islice(left, MAX_IDS_PER_TASK)):
        yield Greet(connection_ids=some, attempt=attempt)


def _greetings(found: Collection[Connection]) -> list[Post]:
    """Return the greetings, with the present positions of each connection's channels.

    The rows are stored before the positions are read. So later events are posted to these
    connections, and earlier ones are history: no event falls between.
    """
    positions = history.positions({channel for each in found for channel in each.channels})
    return [Post(each.subscription, (_connected(each, positions).body(),)) for each in found]


def _connected(connection: Connection, positions: dict[str, Position]) -> Connected:
    return Connected(
        data=ConnectionDetails(
            connection_id=connection.connection_id,
            client_type=connection.client_type,
            expires_at=datetime.fromtimestamp(connection.expires_at, UTC),
            ping_interval_seconds=config.current().ping_interval_seconds,
            positions={channel: positions[channel] for channel in connection.channels},
        )
    )
