"""Push queue: notify phones that have no connection."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import push_tasks, pushing, tasks

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Do every task of a batch, and return the failed ones, which SQS delivers again."""
    return tasks.batch_response(event, _is_done)


def _is_done(record: dict[str, Any]) -> bool:
    try:
        pushing.work(push_tasks.parse(record["body"]))
    except Exception:
        logger.exception("task failed", message_id=record["messageId"])
        return False
    return True
