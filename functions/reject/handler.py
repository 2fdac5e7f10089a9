"""Reject products, or withdraw an approved one, with a reason."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict

from vitrina import http_api, moderation, responses
from vitrina.decisions import DECISION_CODES, BulkDecided, Decided, Selection
from vitrina.idempotency import Once
from vitrina.types import MAX_NOTES_CHARACTERS, Lines, visible

app = http_api.resolver()


class Reason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    moderation_notes: Annotated[str, visible(MAX_NOTES_CHARACTERS), Lines]


class BulkRejection(Selection, Reason):
    """Products by `product_ids`, if none was edited after its submission, or by `products`."""


@app.post(
    "/api/v1/admin/products/<product_id>/reject",
    responses=responses.describe(
        *DECISION_CODES, "already_moderated", "notes_too_short", is_versioned=True
    ),
)
def reject_product(
    product_id: http_api.PathId,
    admin: http_api.Admin,
    seen: http_api.IfMatch,
    once: Once,
    reason: Annotated[Reason, Body()],
) -> Response[Decided]:
    """Reject a pending product with a reason, and notify its shop and the administrators."""
    notes = reason.moderation_notes
    versions = {} if seen is None else {product_id: seen}
    return once(
        lambda receipt: moderation.reject([product_id], notes, admin, versions, receipt),
        lambda done: Decided.of(done, product_id),
    )


@app.post(
    "/api/v1/admin/products/bulk-reject",
    responses=responses.describe("notes_too_long", "notes_too_short"),
)
def bulk_reject_products(
    admin: http_api.Admin,
    _no_version: http_api.NoIfMatch,
    once: Once,
    rejection: Annotated[BulkRejection, Body()],
) -> BulkDecided:
    """Reject 1 to 100 products for one reason, each independently, with a result for each."""
    return once(
        lambda receipt: moderation.reject(
            rejection.ids, rejection.moderation_notes, admin, rejection.versions, receipt
        ),
        BulkDecided.of,
    )


@app.post(
    "/api/v1/admin/products/<product_id>/withdraw",
    responses=responses.describe(
        *DECISION_CODES, "not_approved", "notes_too_short", is_versioned=True
    ),
)
def withdraw_product(
    product_id: http_api.PathId,
    admin: http_api.Admin,
    seen: http_api.IfMatch,
    once: Once,
    reason: Annotated[Reason, Body()],
) -> Response[Decided]:
    """Take an approved product out of public view with a reason, and notify everyone."""
    notes = reason.moderation_notes
    return once(
        lambda receipt: moderation.withdraw(product_id, notes, admin, seen, receipt),
        lambda done: Decided.of(done, product_id),
    )


handler = http_api.handler(app)
