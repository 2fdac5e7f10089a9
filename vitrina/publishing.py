"""From an event to every connection of its channels."""

from collections.abc import Iterator, Sequence

from aws_lambda_powertools import Logger
from pydantic import BaseModel

from vitrina import connections, sender
from vitrina.events import Published

logger = Logger()

# API Gateway gives an HTTP request 29 s in all.
BUDGET_SECONDS = 20


class Broadcast(BaseModel):
    """What became of a publication, in connections; the events themselves are listed by id."""

    event_ids: list[str]
    delivered: int = 0
    gone: int = 0
    failed: int = 0
    complete: bool = False
    """Whether every connection was tried."""


def publish(events: Sequence[Published]) -> Broadcast:
    """Post events, in this order, to every connection of their channels, and forget who is gone.

    Never raises: what the events tell of has happened already.
    """
    result = Broadcast(event_ids=[event.id for event in events])
    try:
        delivery = sender.post(_posts(events), budget_seconds=BUDGET_SECONDS)
        connections.forget_gone(delivery.gone)
    except Exception:
        logger.exception("broadcast failed", event_ids=result.event_ids)
        return result
    result.delivered = delivery.sent
    result.gone = len(delivery.gone)
    result.failed = len(delivery.throttled) + len(delivery.failed)
    result.complete = delivery.complete
    logger.info("broadcast", **result.model_dump())
    return result


def _posts(events: Sequence[Published]) -> Iterator[sender.Post]:
    by_channel: dict[str, list[bytes]] = {}
    for event in events:
        for channel in event.channels():
            by_channel.setdefault(channel, []).append(event.body_for(channel))
    for channel, bodies in by_channel.items():
        for page in connections.pages(channel):
            for member in page:
                yield sender.Post(member, bodies)
