"""Both queues: work on a lane, post again, greet again."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import greeting, posting, publishing, rounds, tasks
from vitrina.tasks import Greet, PostAgain, PostPage, Wake

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Do every task of a batch, and return the failed ones, which SQS delivers again.

    Powertools' batch processor is not used: its import takes longer than posting a page.
    """
    return tasks.batch_response(event, _is_done)


def _is_done(record: dict[str, Any]) -> bool:
    about = {"message_id": record["messageId"]}
    try:
        match tasks.parse(record["body"]):
            case Wake(lane=lane):
                about |= lane._asdict()
                rounds.work(lane)
            case PostAgain() as task:
                about |= task.span._asdict()
                posting.post_again(task)
            case Greet() as task:
                greeting.greet_again(task)
            case PostPage() as task:
                about |= {"channel": task.channel}
                publishing.post_page(task)
    except Exception:
        logger.exception("task failed", **about)
        return False
    return True
