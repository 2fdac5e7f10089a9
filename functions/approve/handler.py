"""Approve one product or many."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from vitrina import http_api, moderation, responses
from vitrina.bulk import Results, Selection
from vitrina.idempotency import Once
from vitrina.products import Product
from vitrina.publishing import Broadcast
from vitrina.types import Notes

app = http_api.resolver()


class Approval(BaseModel):
    model_config = ConfigDict(extra="forbid")

    moderation_notes: Notes | None = None


class BulkApproval(Selection, Approval):
    """Products by `product_ids`, if none was edited after its submission, or by `products`."""


class Approved(BaseModel):
    product: Product
    broadcast: Broadcast


@app.post(
    "/api/v1/admin/products/<product_id>/approve",
    responses=responses.describe(
        "product_not_found",
        "already_moderated",
        "product_changed",
        "version_missing",
        "notes_too_long",
        "busy",
    ),
)
def approve(
    product_id: http_api.PathId,
    admin: http_api.Admin,
    expected_version: http_api.IfMatch,
    once: Once,
    approval: Annotated[Approval | None, Body()] = None,
) -> Approved:
    """Approve a pending product at the fee in force, and notify everyone."""
    notes = approval.moderation_notes if approval else None
    versions = {} if expected_version is None else {product_id: expected_version}
    return once(
        lambda receipt: moderation.approve([product_id], notes, admin, versions, receipt),
        lambda done: Approved(product=done.product(product_id), broadcast=done.broadcast),
    )


@app.post("/api/v1/admin/products/bulk-approve", responses=responses.describe("notes_too_long"))
def bulk_approve(
    admin: http_api.Admin,
    _no_version: http_api.NoIfMatch,
    once: Once,
    approval: Annotated[BulkApproval, Body()],
) -> Results:
    """Approve 1 to 100 products, each independently, with a result for each."""
    return once(
        lambda receipt: moderation.approve(
            approval.ids, approval.moderation_notes, admin, approval.versions, receipt
        ),
        Results.of,
    )


handler = http_api.handler(app)
