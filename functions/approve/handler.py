"""Approve one product or many."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import BaseModel, ConfigDict, Field

from vitrina import http_api, moderation, responses, trail
from vitrina.errors import Problem
from vitrina.products import Product
from vitrina.publishing import Broadcast
from vitrina.types import Id, Notes, Number

app = http_api.resolver()


class Approval(BaseModel):
    model_config = ConfigDict(extra="forbid")

    moderation_notes: Notes | None = None


class BulkApproval(Approval):
    product_ids: Annotated[list[Annotated[Id, Number]], Field(min_length=1, max_length=100)]


class Approved(BaseModel):
    product: Product
    broadcast: Broadcast


class Result(BaseModel):
    """The result for one product: `approved`, `already_moderated`, `not_found` or `busy`."""

    product_id: int
    result: str


class BulkApproved(BaseModel):
    results: list[Result]
    broadcast: Broadcast


@app.post(
    "/api/v1/admin/products/<product_id>/approve",
    responses=responses.describe(
        "product_not_found", "already_moderated", "product_changed", "notes_too_long", "busy"
    ),
)
def approve(
    product_id: Annotated[Id, Path()],
    admin: http_api.Admin,
    expected_version: http_api.IfMatch,
    approval: Annotated[Approval | None, Body()] = None,
) -> Approved:
    """Approve a pending product at the fee in force, and notify everyone."""
    notes = approval.moderation_notes if approval else None
    done = moderation.approve([product_id], notes, admin, expected_version)
    return Approved(product=done.product(product_id), broadcast=done.broadcast)


@app.post("/api/v1/admin/products/bulk-approve", responses=responses.describe("notes_too_long"))
def bulk_approve(admin: http_api.Admin, approval: Annotated[BulkApproval, Body()]) -> BulkApproved:
    """Approve 1 to 100 products, each independently, with a result for each."""
    done = moderation.approve(approval.product_ids, approval.moderation_notes, admin)
    trail.note(products={number: _result(outcome) for number, outcome in done.outcomes.items()})
    return BulkApproved(
        results=[
            Result(product_id=product_id, result=_result(outcome))
            for product_id, outcome in done.outcomes.items()
        ],
        broadcast=done.broadcast,
    )


def _result(outcome: Product | Problem) -> str:
    if isinstance(outcome, Product):
        return outcome.moderation_status
    return outcome.code.removeprefix("product_")


handler = http_api.handler(app)
