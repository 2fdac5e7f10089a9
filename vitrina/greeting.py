"""The greeting: `connected`, the first event of a connection."""

import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from aws_lambda_powertools import Logger

from vitrina import closing, config, history, partitions, sender
from vitrina.connections import Connection
from vitrina.events import Connected, ConnectionDetails, Position
from vitrina.sender import Post

logger = Logger()

# The row is written inside $connect, and the connection opens after $connect has answered. A post
# before that is answered 410, and sent again after each of these pauses.
PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6)
BUDGET_SECONDS = 10


class GreetingFailed(Exception):
    """The management API throttled or failed at the last attempt."""


def greet(inserted: Sequence[Connection]) -> None:
    """Send `connected` to new connections, and close the oldest ones beyond an identity's limit.

    Connections that never opened are ignored. Raises GreetingFailed when others were not reached;
    after another call, connections of this one may be greeted twice.
    """
    waiting = {found.subscription: found for found in inserted if not found.has_expired}
    for pause in (*PAUSES_SECONDS, None):
        delivery = sender.post(_greetings(waiting.values()), budget_seconds=BUDGET_SECONDS)
        waiting = {post.subscription: waiting[post.subscription] for post in delivery.unreached}
        if not waiting or pause is None:
            break
        time.sleep(pause)
    logger.info(
        "greeted",
        rows=len(inserted),
        connection_ids=partitions.ids_to_log(found.subscription for found in inserted),
        never_opened=len(delivery.gone),
        never_opened_connection_ids=partitions.ids_to_log(
            post.subscription for post in delivery.gone
        ),
    )
    for client_type, identity in {(found.client_type, found.identity) for found in inserted}:
        closing.close_excess(client_type, identity)
    if left := len(waiting) - len(delivery.gone):
        raise GreetingFailed(f"{left} of {len(inserted)} connections")


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
