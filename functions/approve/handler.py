"""Approve one product or many."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from vitrina import http_api, moderation, responses
from vitrina.decisions import DECISION_CODES, BulkDecided, Decided, Selection
from vitrina.idempotency import Once
from vitrina.types import Notes

app = http_api.resolver()


class Approval(BaseModel):
    model_config = ConfigDict(extra="forbid")

    moderation_notes: Notes | None = None


class BulkApproval(Selection, Approval):
    """Products by `product_ids`, if none was edited after its submission, or by `products`."""


@app.post(
    "/api/v1/admin/products/<product_id>/approve",
    responses=responses.describe(*DECISION_CODES, "already_moderated", is_versioned=True),
)
def approve_product(
    product_id: http_api.PathId,
    admin: http_api.Admin,
    seen: http_api.IfMatch,
    once: Once,
    approval: Annotated[Approval | None, Body()] = None,
) -> Response[Decided]:
    """Approve a pending product at the fee in force, and notify everyone."""
    notes = approval.moderation_notes if approval else None
    versions = {} if seen is None else {product_id: seen}
    return once(
        lambda receipt: moderation.approve([product_id], notes, admin, versions, receipt),
        lambda done: Decided.of(done, product_id),
    )


@app.post("/api/v1/admin/products/bulk-approve", responses=responses.describe("notes_too_long"))
def bulk_approve_products(
    admin: http_api.Admin,
    _no_version: http_api.NoIfMatch,
    once: Once,
    approval: Annotated[BulkApproval, Body()],
) -> BulkDecided:
    """Approve 1 to 100 products, each independently, with a result for each."""
    return once(
        lambda receipt: moderation.approve(
            approval.ids, approval.moderation_notes, admin, approval.versions, receipt
        ),
        BulkDecided.of,
    )


handler = http_api.handler(app)
