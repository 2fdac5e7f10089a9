"""Stored events over HTTP, for clients without a WebSocket."""

from datetime import datetime
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict

from vitrina import event_pages, http_api, responses
from vitrina.channels import Channel
from vitrina.events import Position
from vitrina.http_api import Limit

app = http_api.resolver()

POSITION_PATTERN = r"^[0-9a-f]{8}:(0|[1-9][0-9]{0,14})$"


class Event(BaseModel):
    """A published event, as WebSocket clients receive it; `asyncapi.json` describes each kind."""

    model_config = ConfigDict(extra="allow")

    event: str
    timestamp: datetime
    data: dict[str, Any]
    id: str
    channel: str
    seq: int


class EventList(BaseModel):
    events: list[Event]
    position: Position
    recovered: bool
    has_more: bool


@app.get("/api/v1/events", responses=responses.describe("channel_forbidden", "too_many_requests"))
def list_events(
    bearer: http_api.Bearer,
    channel: Annotated[Channel, Query()],
    since: Annotated[str | None, Query(pattern=POSITION_PATTERN)] = None,
    limit: Limit = 20,
) -> EventList:
    """Read the events of a channel after a position, or its latest ones."""
    page = event_pages.read(bearer, channel, _position(since), limit)
    http_api.logger.info("read", channel=channel, recovered=page.recovered, events=len(page.events))
    return EventList(
        events=[Event.model_validate_json(event.body) for event in page.events],
        position=page.position,
        recovered=page.recovered,
        has_more=page.has_more,
    )


def _position(since: str | None) -> Position | None:
    """Read a position as it is in queries: `3f0c9a1e:58`."""
    if since is None:
        return None
    epoch, _, seq = since.partition(":")
    return Position(epoch=epoch, seq=int(seq))


handler = http_api.handler(app)
