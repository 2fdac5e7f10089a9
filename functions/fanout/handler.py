"""Fan-out queue: post a page of a channel, post again, greet again."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import fanout_queue, greeting, publishing
from vitrina.fanout_queue import Greet

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Do every task of a batch, and return the failed ones, which SQS delivers again.

    Powertools' batch processor is not used: its import takes longer than posting a page.
    """
    failed = [record["messageId"] for record in event["Records"] if not _is_done(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _is_done(record: dict[str, Any]) -> bool:
    about = {"message_id": record["messageId"]}
    try:
        task = fanout_queue.parse(record["body"])
        if isinstance(task, Greet):
            greeting.greet_again(task)
        else:
            about |= {"channel": task.channel, "seqs": task.seqs}
            publishing.work(task)
    except Exception:
        logger.exception("task failed", **about)
        return False
    return True
