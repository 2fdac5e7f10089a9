"""The fan-out queue: tasks that a publication leaves to the workers."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from vitrina import aws, config
from vitrina.partitions import Partition, Subscription

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# SQS takes ten messages per request; ten tasks are far below its limit of 256 KB.
MAX_BATCH_MESSAGES = 10
SUBSCRIPTIONS_PER_TASK = 250
PARALLEL_BATCHES = 8

# The waits before the tries are 1, 2, 4, 8, 16, 16 … s. The last one is a quarter of an hour after
# the first post failed.
MAX_WAIT_SECONDS = 16
MAX_ATTEMPT = 60

Attempt = Annotated[int, Field(ge=0, le=MAX_ATTEMPT)]
"""1 for the first time that a failed post is tried again."""


class _Task(BaseModel):
    # Built at first use: most publications leave no tasks.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class _Events(_Task):
    channel: str
    seqs: Annotated[list[int], Field(min_length=1, max_length=100)]
    """Numbers of the events to post, in this order; their bodies are in the history."""


class PostPage(_Events):
    """Post to the page of a partition after the cursor, and queue the next page."""

    type: Literal["post_page"] = "post_page"
    partition: Partition
    cursor: str


class PostAgain(_Events):
    """Post again to connections that were not reached."""

    type: Literal["post_again"] = "post_again"
    members: list[Subscription]
    attempt: Attempt
    counted: Annotated[int, Field(ge=0, le=MAX_ATTEMPT)] = 0
    """How many of these tries failed while the account let posts through."""


class Greet(_Task):
    """Greet connections that could not be greeted when they were stored."""

    type: Literal["greet"] = "greet"
    connection_ids: list[str]
    attempt: Attempt


Task = PostPage | PostAgain | Greet
_TASK: TypeAdapter[Task] = TypeAdapter(
    Annotated[Task, Field(discriminator="type")], config=ConfigDict(defer_build=True)
)


class QueueRefused(Exception):
    """SQS refused some of the messages."""


def put(tasks: Iterable[Task], *, delay_seconds: int = 0) -> int:
    """Put tasks on the queue, visible after a delay; return their number.

    Raises QueueRefused when SQS refuses one of them, after botocore's own retries.
    """
    batches = _batches([task.model_dump_json() for task in tasks])
    with ThreadPoolExecutor(PARALLEL_BATCHES) as pool:
        return sum(pool.map(lambda batch: _send(batch, delay_seconds), batches))


def put_again(tasks: Iterable[Task], attempt: int) -> int:
    """Put tasks on the queue, visible after the wait before this try; return their number."""
    return put(tasks, delay_seconds=wait_seconds(attempt))


def wait_seconds(attempt: int) -> int:
    """Return the wait before a try; 0 is the first, which may be left to a worker."""
    return min(MAX_WAIT_SECONDS, 2 ** (attempt - 1)) if attempt else 0


def parse(body: str) -> Task:
    """Read a message of the queue; raises pydantic's ValidationError."""
    return _TASK.validate_json(body)


def post_again(
    channel: str, seqs: list[int], members: Sequence[Subscription], attempt: int, counted: int = 0
) -> Iterator[PostAgain]:
    """Yield tasks for any number of connections."""
    left = iter(members)
    while some := list(islice(left, SUBSCRIPTIONS_PER_TASK)):
        yield PostAgain(channel=channel, seqs=seqs, members=some, attempt=attempt, counted=counted)


def _batches(bodies: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(bodies), MAX_BATCH_MESSAGES):
        yield bodies[start : start + MAX_BATCH_MESSAGES]


def _send(bodies: Sequence[str], delay_seconds: int) -> int:
    entries: list[SendMessageBatchRequestEntryTypeDef] = [
        {"Id": str(n), "MessageBody": body, "DelaySeconds": delay_seconds}
        for n, body in enumerate(bodies)
    ]
    answer = aws.sqs().send_message_batch(
        QueueUrl=config.current().fanout_queue_url, Entries=entries
    )
    if failed := answer.get("Failed"):
        raise QueueRefused(f"{len(failed)} of {len(bodies)}: {failed[0].get('Message')}")
    return len(bodies)
