"""Announcements to a client type, an identity or a room."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from vitrina import http_api, publishing, responses, trail
from vitrina.channels import ROOM_RULE, Channel, ClientType, may_join
from vitrina.errors import Forbidden
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import DECISION_BACKOFF, Change
from vitrina.idempotency import Once
from vitrina.publishing import Broadcast
from vitrina.types import Lines, OneLine, visible

app = http_api.resolver()


class Draft(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: Channel
    title: Annotated[str, visible(200), OneLine]
    text: Annotated[str, visible(4000), Lines]


@app.post("/api/v1/admin/announcements", responses=responses.describe("busy", "room_forbidden"))
def publish_announcement(
    admin: http_api.Admin, once: Once, draft: Annotated[Draft, Body()]
) -> Broadcast:
    """Publish an announcement to everyone of a type, to one identity or to a room."""
    trail.note(to=draft.to)
    scope, _, room = draft.to.partition(":")
    if scope == "room" and not may_join(room, ClientType.ADMIN, admin.name):
        raise Forbidden("room_forbidden", ROOM_RULE)
    announcement = Announcement(**draft.model_dump(), admin_id=admin.account_id)
    changes = [Change(None, [AnnouncementPublished(data=announcement)])]
    return once(
        lambda receipt: publishing.commit(changes, DECISION_BACKOFF, receipt),
        lambda broadcast: broadcast,
    )


handler = http_api.handler(app)
