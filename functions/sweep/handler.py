"""Every minute: close what has expired, publish what a crash has left in the outbox."""

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import closing, publishing

logger = Logger()

# A publication that lives is done with its first pages long before.
PATIENCE_SECONDS = 30
# Together less than the function's minute.
CLOSING_SECONDS = 15
PUBLISHING_SECONDS = 30


@logger.inject_lambda_context
def handler(_event: dict[str, Any], _context: LambdaContext) -> None:
    """Do as much of both as fits into this minute.

    What is unsent for half a minute is published; a connection is closed within the minute after
    its end, and gets nothing meanwhile.
    """
    expired = closing.close_expired(time.monotonic() + CLOSING_SECONDS)
    until = time.monotonic() + PUBLISHING_SECONDS
    events = publishing.publish_unsent(PATIENCE_SECONDS, until)
    logger.info("swept", expired=expired, events=events)
