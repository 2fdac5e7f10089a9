"""Reject a product with a reason."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from vitrina import http_api, moderation, responses
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
        is_versioned=True,
    ),
)
def reject_product(
    product_id: http_api.PathId,
    admin: http_api.Admin,
    seen: http_api.IfMatch,
    rejection: Annotated[Rejection, Body()],
) -> Response[Rejected]:
    """Reject a pending product with a reason, and notify its shop and the administrators."""
    done = moderation.reject(product_id, rejection.moderation_notes, admin, seen)
    product = done.product(product_id)
    rejected = Rejected(product=product, broadcast=done.broadcast)
    return http_api.versioned(rejected, product.version)


handler = http_api.handler(app)
