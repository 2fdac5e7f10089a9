"""Every minute: close expired connections, publish unsent events, wake stalled lanes."""

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import closing, publishing, pushing

logger = Logger()

# A running publication has posted to its small partitions long before this.
MIN_UNSENT_SECONDS = 30
# An ending closes its connections within ten seconds, unless its function has crashed.
MIN_UNCLOSED_SECONDS = 30
# Together less than the function's timeout of a minute.
ENDING_SECONDS = 10
PUSHING_SECONDS = 5
CLOSING_SECONDS = 15
PUBLISHING_SECONDS = 20


@logger.inject_lambda_context
def handler(_event: dict[str, Any], _context: LambdaContext) -> None:
    """Do as much as fits into a minute.

    Connections of sessions that ended half a minute ago are closed, if they are still open. Expired
    connections, which get no events, are closed. Events that have been unsent for half a minute are
    published. Lanes with work and without a worker for half a minute are woken. Due digests are
    queued.
    """
    until = time.monotonic() + ENDING_SECONDS
    endings = closing.finish_endings(MIN_UNCLOSED_SECONDS, until)
    expired = closing.close_expired(time.monotonic() + CLOSING_SECONDS)
    until = time.monotonic() + PUBLISHING_SECONDS
    events = publishing.publish_unsent(MIN_UNSENT_SECONDS, until)
    woken = publishing.wake_stalled(MIN_UNSENT_SECONDS)
    due = pushing.wake_due(time.monotonic() + PUSHING_SECONDS)
    logger.info("swept", endings=endings, expired=expired, events=events, woken=woken, due=due)
