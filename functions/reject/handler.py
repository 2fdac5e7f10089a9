"""Reject a product with a reason."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from vitrina import http_api, moderation, responses
from vitrina.idempotency import Once
from vitrina.products import Product
from vitrina.publishing import Broadcast
from vitrina.types import MAX_NOTES_CHARACTERS, Lines, visible

app = http_api.resolver()


class Rejection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    moderation_notes: Annotated[str, visible(MAX_NOTES_CHARACTERS), Lines]


class Rejected(BaseModel):
    product: Product
    broadcast: Broadcast


@app.post(
    "/api/v1/admin/products/<product_id>/reject",
    responses=responses.describe(
        "product_not_found",
        "already_moderated",
        "product_changed",
        "version_missing",
        "notes_too_long",
        "notes_too_short",
        "busy",
    ),
)
def reject(
    product_id: http_api.PathId,
    admin: http_api.Admin,
    expected_version: http_api.IfMatch,
    once: Once,
    rejection: Annotated[Rejection, Body()],
) -> Rejected:
    """Reject a pending product with a reason, and notify its shop and the administrators."""
    notes = rejection.moderation_notes
    return once(
        lambda receipt: moderation.reject(product_id, notes, admin, expected_version, receipt),
        lambda done: Rejected(product=done.product(product_id), broadcast=done.broadcast),
    )


handler = http_api.handler(app)
