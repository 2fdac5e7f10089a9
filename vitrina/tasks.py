"""Tasks for workers, on two queues.

Tasks of the fan-out queue wake a worker for a lane. Tasks of the retry queue are posts that failed;
they have a queue of their own, so that they do not take workers from lanes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from vitrina import aws, config
from vitrina.history import Span
from vitrina.lanes import Lane
from vitrina.partitions import Partition, Subscription

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

T = TypeVar("T")

# SQS takes ten messages per request; ten tasks are far below its limit of 256 KB.
MAX_BATCH_MESSAGES = 10
SUBSCRIPTIONS_PER_TASK = 250

# The waits before the tries are 1, 2, 4, 8, 16, 16 … s. The last one is a quarter of an hour after
# the first post failed.
MAX_WAIT_SECONDS = 16
MAX_ATTEMPT = 60

Attempt = Annotated[int, Field(ge=0, le=MAX_ATTEMPT)]
"""1 for the first retry of a failed post."""


class QueueTask(BaseModel):
    # Built at first use: most publications leave no tasks, and most deployments push nothing.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Wake(QueueTask):
    """A lane has work. The message may be lost, repeated or late: the lane's row has the work."""

    type: Literal["wake"] = "wake"
    lane: Lane


class PostAgain(QueueTask):
    """Post again to connections that were not reached."""

    type: Literal["post_again"] = "post_again"
    span: Span
    members: list[Subscription]
    attempt: Attempt
    counted: Annotated[int, Field(ge=0, le=MAX_ATTEMPT)] = 0
    """How many of these tries failed while the account let posts through."""

    @model_validator(mode="before")
    @classmethod
    def _of_version_0_1(cls, data: Any) -> Any:
        """Read a task that lists the numbers of its events, as version 0.1 has queued it."""
        if isinstance(data, dict) and isinstance(seqs := data.get("seqs"), list) and seqs:
            kept = {name: value for name, value in data.items() if name not in ("channel", "seqs")}
            return kept | {"span": [data.get("channel"), min(seqs), max(seqs)]}
        return data


class Greet(QueueTask):
    """Greet connections that could not be greeted when they were stored."""

    type: Literal["greet"] = "greet"
    connection_ids: list[str]
    attempt: Attempt


class PostPage(QueueTask):
    """Post to a partition from the cursor on: of version 0.1, which queued a task for each page."""

    type: Literal["post_page"] = "post_page"
    channel: str
    seqs: Annotated[list[int], Field(min_length=1, max_length=100)]
    partition: Partition
    cursor: str


Task = Wake | PostAgain | Greet | PostPage
_TASK: TypeAdapter[Task] = TypeAdapter(
    Annotated[Task, Field(discriminator="type")], config=ConfigDict(defer_build=True)
)


class QueueRefused(Exception):
    """SQS refused some of the messages."""


def wake(lanes: Iterable[Lane], waits_seconds: Iterable[int] = repeat(0)) -> None:
    """Tell workers that lanes have work, each after its wait of at most 900 seconds.

    Raises QueueRefused when SQS refuses a message, after botocore's own retries.
    """
    put(config.current().fanout_queue_url, (Wake(lane=lane) for lane in lanes), waits_seconds)


def try_again(tasks: Iterable[PostAgain | Greet], attempt: int) -> int:
    """Put tasks on the retry queue, visible after the wait before this try; return their number.

    Raises QueueRefused.
    """
    return put(config.current().retry_queue_url, tasks, repeat(wait_seconds(attempt)))


def wait_seconds(attempt: int) -> int:
    """Return the wait before an attempt; attempt 0 has none."""
    return min(MAX_WAIT_SECONDS, 2 ** (attempt - 1)) if attempt else 0


def parse(body: str) -> Task:
    """Read a message of either queue; raises pydantic's ValidationError."""
    return _TASK.validate_json(body)


def batch_response(
    event: Mapping[str, Any], is_done: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Do the task of each record of an SQS event; return the answer that names the failed ones."""
    failed = [record["messageId"] for record in event["Records"] if not is_done(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def chunks(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield parts of at most `size`, in order."""
    return (whole[start : start + size] for start in range(0, len(whole), size))


def post_again(
    span: Span, members: Sequence[Subscription], attempt: int, counted: int = 0
) -> Iterator[PostAgain]:
    """Yield tasks for any number of connections."""
    for some in chunks(members, SUBSCRIPTIONS_PER_TASK):
        yield PostAgain(span=span, members=[*some], attempt=attempt, counted=counted)


def put(
    queue_url: str, tasks: Iterable[BaseModel], waits_seconds: Iterable[int] = repeat(0)
) -> int:
    """Put tasks on a queue, each visible after its wait; return their number.

    Raises QueueRefused.
    """
    entries: list[SendMessageBatchRequestEntryTypeDef] = [
        {"Id": str(n), "MessageBody": task.model_dump_json(), "DelaySeconds": wait}
        for n, (task, wait) in enumerate(zip(tasks, waits_seconds, strict=False))
    ]
    batches = chunks(entries, MAX_BATCH_MESSAGES)
    aws.in_parallel(lambda batch: _send(queue_url, batch), batches)
    return len(entries)


def _send(queue_url: str, entries: "Sequence[SendMessageBatchRequestEntryTypeDef]") -> None:
    answer = aws.sqs().send_message_batch(QueueUrl=queue_url, Entries=entries)
    if failed := answer.get("Failed"):
        raise QueueRefused(f"{len(failed)} of {len(entries)}: {failed[0].get('Message')}")
