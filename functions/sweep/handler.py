"""Every minute: publish what a crash has left in the outbox."""

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import publishing

logger = Logger()

# A publication that lives is done with its first pages long before.
PATIENCE_SECONDS = 30
BUDGET_SECONDS = 40


@logger.inject_lambda_context
def handler(_event: dict[str, Any], _context: LambdaContext) -> None:
    """Publish what is unsent for half a minute, as much as fits into this one."""
    events = publishing.publish_unsent(PATIENCE_SECONDS, time.monotonic() + BUDGET_SECONDS)
    logger.info("swept", events=events)
