"""Tasks of the push queue, and how a publication leads to them."""

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from vitrina import channels, config, tasks
from vitrina.channels import PUSH
from vitrina.digests import RowKey
from vitrina.history import Publication, StoredEvent
from vitrina.notices import Entry, Notice
from vitrina.partitions import Partition
from vitrina.tasks import QueueTask

# By then the posts of the same event have found the connections that are gone.
DELAY_SECONDS = 5
MAX_WAIT_SECONDS = 900
"""SQS's limit."""
# The last try is an hour and a half after the first.
MAX_ATTEMPT = 14
KEYS_PER_TASK = 100
# They share the rate equally. SQS allows no fewer.
WORKERS = 2


class Push(QueueTask):
    """Notify an audience of the events of a publication."""

    type: Literal["push"] = "push"
    audience: str
    entries: Annotated[list[Entry], Field(min_length=1, max_length=100)]


class Walk(QueueTask):
    """Notify devices of a partition, from the cursor on."""

    type: Literal["walk"] = "walk"
    notice: Notice
    partition: Partition
    cursor: str | None = None


class PushAgain(QueueTask):
    """Notify devices that SNS has not taken a push for."""

    type: Literal["push_again"] = "push_again"
    notice: Notice
    keys: list[RowKey]
    attempt: Annotated[int, Field(ge=1, le=MAX_ATTEMPT)]


class Due(QueueTask):
    """Send the events of rows that are due."""

    type: Literal["due"] = "due"
    keys: list[RowKey]


PushTask = Push | Walk | PushAgain | Due
_TASK: TypeAdapter[PushTask] = TypeAdapter(
    Annotated[PushTask, Field(discriminator="type")], config=ConfigDict(defer_build=True)
)


def hand_over(publications: Iterable[Publication]) -> None:
    """Put tasks for what is pushed of publications. Raises tasks.QueueRefused."""
    found = [task for publication in publications for task in _tasks_of(publication)]
    tasks.put(config.current().push_queue_url, found, repeat(DELAY_SECONDS))


def put(found: Iterable[PushTask], attempt: int = 0) -> None:
    """Put tasks, visible after the wait before a further try. Raises tasks.QueueRefused."""
    wait = min(MAX_WAIT_SECONDS, 2**attempt) if attempt else 0
    tasks.put(config.current().push_queue_url, found, repeat(wait))


def parse(body: str) -> PushTask:
    """Read a message of the queue; raises pydantic's ValidationError."""
    return _TASK.validate_json(body)


def is_one(body: str) -> bool:
    """Return whether a message of a dead-letter queue is a task of this queue."""
    try:
        parse(body)
    except ValidationError:
        return False
    return True


def _tasks_of(publication: Publication) -> Iterator[Push]:
    audiences: dict[str, list[Entry]] = {}
    for stored in publication.events:
        for audience, event in _audiences_of(stored):
            entry = Entry(event, stored.channel, publication.epochs[stored.channel], stored.seq)
            audiences.setdefault(audience, []).append(entry)
    for audience, entries in audiences.items():
        yield Push(audience=audience, entries=entries)


def _audiences_of(stored: StoredEvent) -> Iterator[tuple[str, str]]:
    """Yield audiences that receive an event in this of its channels, with the event's name."""
    body = from_json(stored.body)
    for audience in PUSH.get(body["event"], ()):
        to = audience.to.format_map(body["data"])
        # A shop receives an approval in the channel of all shops.
        if not channels.is_room(to) and stored.channel in (to, to.partition(":")[0]):
            yield to, body["event"]
