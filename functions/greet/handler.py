"""Connections stream: tell a connection that it is open, once it really is."""

import time
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import connections, sender, settings
from vitrina.events import Connected, Connection

logger = Logger()

# The row is written inside $connect, and the connection exists only after $connect has answered:
# a greeting that comes too early is answered 410, and sent again.
PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6)
BUDGET_SECONDS = 10


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Send `connected` to every connection that a batch of inserted rows tells of."""
    rows = [connections.to_row(record["dynamodb"]["NewImage"]) for record in event["Records"]]
    greetings = [_greeting(row) for row in rows if row.expires_at > time.time()]
    for pause in (*PAUSES_SECONDS, None):
        delivery = sender.post(greetings, budget_seconds=BUDGET_SECONDS)
        not_open_yet = set(delivery.gone)
        greetings = [greeting for greeting in greetings if greeting.member in not_open_yet]
        if not greetings or pause is None:
            break
        time.sleep(pause)
    logger.info("greeted", rows=len(rows), never_opened=len(greetings))


def _greeting(row: connections.Row) -> sender.Post:
    connected = Connected(
        data=Connection(
            connection_id=row.connection_id,
            client_type=row.client_type,
            expires_at=datetime.fromtimestamp(row.expires_at, UTC),
            ping_interval_seconds=settings.current().ping_interval_seconds,
        )
    )
    return sender.Post(row.member, [connected.body()])
