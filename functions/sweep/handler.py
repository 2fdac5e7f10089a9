"""Every minute: close expired connections, and publish what a crash left in the outbox."""

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import closing, publishing

logger = Logger()

# A running publication has posted its first pages long before this.
MIN_UNSENT_SECONDS = 30
# Together less than the function's timeout of a minute.
CLOSING_SECONDS = 15
PUBLISHING_SECONDS = 30


@logger.inject_lambda_context
def handler(_event: dict[str, Any], _context: LambdaContext) -> None:
    """Do as much of both as fits into this minute.

    Events that are unsent for half a minute are published. An expired connection gets no events,
    and is closed within a minute.
    """
    expired = closing.close_expired(time.monotonic() + CLOSING_SECONDS)
    until = time.monotonic() + PUBLISHING_SECONDS
    events = publishing.publish_unsent(MIN_UNSENT_SECONDS, until)
    logger.info("swept", expired=expired, events=events)
