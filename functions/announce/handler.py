"""Announcements: an admin says something to a type, an identity or a room."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field

from vitrina import history, http_api, publishing
from vitrina.channels import Channel
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import Change
from vitrina.products import Text
from vitrina.publishing import Broadcast

logger = Logger()
app = http_api.resolver()


class Draft(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: Channel
    title: Annotated[Text, Field(max_length=200)]
    text: Annotated[Text, Field(max_length=4000)]


@app.post("/api/v1/admin/announcements", responses=http_api.answers("busy"))
def announce(admin: http_api.Admin, draft: Annotated[Draft, Body()]) -> Broadcast:
    """Say something to everyone of a type, to one identity or to a room."""
    announcement = Announcement(**draft.model_dump(), admin_id=admin.account_id)
    event = AnnouncementPublished(data=announcement)
    return publishing.publish(history.commit([Change(None, event)]))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http_api.handle(app, event, context)
