"""Approve one product or many: commit, then publish."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field

from vitrina import http_api, moderation, publishing
from vitrina.auth import Id
from vitrina.errors import Problem
from vitrina.platform import Number
from vitrina.products import Notes, Product
from vitrina.publishing import Broadcast

logger = Logger()
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
    """What became of one product: `approved`, `already_moderated`, `not_found` or `busy`."""

    product_id: int
    result: str


class BulkApproved(BaseModel):
    results: list[Result]
    broadcast: Broadcast


@app.post(
    "/api/v1/admin/products/<product_id>/approve",
    responses=http_api.answers(
        "product_not_found", "already_moderated", "product_changed", "notes_too_long", "busy"
    ),
)
def approve(
    product_id: Annotated[Id, Path()],
    admin: http_api.Admin,
    seen: http_api.Seen,
    approval: Annotated[Approval | None, Body()] = None,
) -> Approved:
    """Approve a pending product at the fee in force, and tell everyone."""
    notes = approval.moderation_notes if approval else None
    done = moderation.approve([product_id], notes, admin, seen)
    return Approved(product=done.product(product_id), broadcast=publishing.publish(done.rows))


@app.post("/api/v1/admin/products/bulk-approve", responses=http_api.answers("notes_too_long"))
def bulk_approve(admin: http_api.Admin, approval: Annotated[BulkApproval, Body()]) -> BulkApproved:
    """Approve 1 to 100 products, each for itself; of every one it says what became of it."""
    done = moderation.approve(approval.product_ids, approval.moderation_notes, admin)
    return BulkApproved(
        results=[
            Result(product_id=product_id, result=_result(outcome))
            for product_id, outcome in done.outcomes.items()
        ],
        broadcast=publishing.publish(done.rows),
    )


def _result(outcome: Product | Problem) -> str:
    if isinstance(outcome, Product):
        return outcome.moderation_status
    return outcome.code.removeprefix("product_")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http_api.handle(app, event, context)
