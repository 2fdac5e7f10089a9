"""Reject a product with a reason: commit, then publish."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field

from vitrina import http_api, moderation, publishing
from vitrina.auth import Id
from vitrina.products import Notes, Product
from vitrina.publishing import Broadcast

logger = Logger()
app = http_api.resolver()


class Rejection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    moderation_notes: Annotated[Notes, Field(min_length=1, pattern=r"\S")]


class Rejected(BaseModel):
    product: Product
    broadcast: Broadcast


@app.post(
    "/api/v1/admin/products/<product_id>/reject",
    responses=http_api.answers(
        "product_not_found",
        "already_moderated",
        "product_changed",
        "notes_too_long",
        "notes_too_short",
        "busy",
    ),
)
def reject(
    product_id: Annotated[Id, Path()],
    admin: http_api.Admin,
    seen: http_api.Seen,
    rejection: Annotated[Rejection, Body()],
) -> Rejected:
    """Reject a pending product with a reason, and tell its shop and the administrators."""
    done = moderation.reject(product_id, rejection.moderation_notes, admin, seen)
    return Rejected(product=done.product(product_id), broadcast=publishing.publish(done.rows))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http_api.handle(app, event, context)
