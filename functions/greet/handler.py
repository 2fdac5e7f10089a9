"""Connections stream: tell a connection that it is open; close what its identity has too many."""

import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import closing, connections, history, sender, settings
from vitrina.events import Connected, Connection, Position

logger = Logger()

# The row is written inside $connect, and the connection exists only after $connect has answered:
# a greeting that comes too early is answered 410, and sent again.
PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6)
BUDGET_SECONDS = 10


class Ungreeted(Exception):
    """The management API throttled or failed to the end; the stream brings the batch again."""


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Send `connected` to every connection that a batch of inserted rows tells of.

    An identity that has more connections now than it may loses its oldest.

    Raises Ungreeted, after which others of the batch may be told twice. A connection that never
    opened is nobody to tell.
    """
    rows = [connections.to_row(record["dynamodb"]["NewImage"]) for record in event["Records"]]
    waiting = {row.member: row for row in rows if not row.has_expired}
    for pause in (*PAUSES_SECONDS, None):
        delivery = sender.post(_greetings(waiting.values()), budget_seconds=BUDGET_SECONDS)
        waiting = {post.member: waiting[post.member] for post in delivery.unreached}
        if not waiting or pause is None:
            break
        time.sleep(pause)
    logger.info(
        "greeted",
        rows=len(rows),
        connection_ids=connections.some_ids(row.member for row in rows),
        never_opened=len(delivery.gone),
        never_opened_connection_ids=connections.some_ids(post.member for post in delivery.gone),
    )
    for client_type, identity in {(row.client_type, row.identity) for row in rows}:
        closing.close_surplus(client_type, identity)
    if left := len(waiting) - len(delivery.gone):
        raise Ungreeted(f"{left} of {len(rows)} connections")


def _greetings(rows: Collection[connections.Row]) -> list[sender.Post]:
    """Say where the channels stand now.

    The rows are stored, so what is published later is posted to them, and what was published
    before is history: nothing falls between.
    """
    positions = history.positions({channel for row in rows for channel in row.channels})
    return [sender.Post(row.member, [_connected(row, positions).body()]) for row in rows]


def _connected(row: connections.Row, positions: dict[str, Position]) -> Connected:
    return Connected(
        data=Connection(
            connection_id=row.connection_id,
            client_type=row.client_type,
            expires_at=datetime.fromtimestamp(row.expires_at, UTC),
            ping_interval_seconds=settings.current().ping_interval_seconds,
            positions={channel: positions[channel] for channel in row.channels},
        )
    )
