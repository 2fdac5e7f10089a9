"""Approve one product or many."""

from typing import Annotated, Any, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field, model_validator

from vitrina import http_api, moderation, responses, trail
from vitrina.errors import Problem
from vitrina.products import Product
from vitrina.publishing import Broadcast
from vitrina.types import Id, Notes, Number

app = http_api.resolver()


class Approval(BaseModel):
    model_config = ConfigDict(extra="forbid")

    moderation_notes: Notes | None = None


JsonId = Annotated[Id, Number]


class SeenProduct(BaseModel):
    """A product, and the version of it that the administrator has read."""

    model_config = ConfigDict(extra="forbid")

    product_id: JsonId
    version: JsonId


def _describe_either(schema: dict[str, Any]) -> None:
    names = ("product_ids", "products")
    for name in names:
        del schema["properties"][name]["default"]
    schema["oneOf"] = [{"required": [name]} for name in names]


class BulkApproval(Approval):
    """Products by `product_ids`, if none was edited after its submission, or by `products`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_describe_either)

    product_ids: Annotated[list[JsonId], Field(min_length=1, max_length=100)] = []
    products: Annotated[list[SeenProduct], Field(min_length=1, max_length=100)] = []

    @model_validator(mode="after")
    def _names_each_product_once(self) -> Self:
        if len({"product_ids", "products"} & self.model_fields_set) != 1:
            raise ValueError("expected either product_ids or products")
        if len(self.versions) < len(self.products):
            raise ValueError("expected one version of each product")
        return self

    @property
    def versions(self) -> dict[int, set[int]]:
        return {seen.product_id: {seen.version} for seen in self.products}


class Approved(BaseModel):
    product: Product
    broadcast: Broadcast


class Result(BaseModel):
    """The result for one product: `approved`, or why not, as the code of a refusal.

    The code `product_not_found` is `not_found` here.
    """

    product_id: int
    result: str


class BulkApproved(BaseModel):
    results: list[Result]
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
        is_versioned=True,
    ),
)
def approve_product(
    product_id: http_api.PathId,
    admin: http_api.Admin,
    seen: http_api.IfMatch,
    approval: Annotated[Approval | None, Body()] = None,
) -> Response[Approved]:
    """Approve a pending product at the fee in force, and notify everyone."""
    notes = approval.moderation_notes if approval else None
    versions = {} if seen is None else {product_id: seen}
    done = moderation.approve([product_id], notes, admin, versions)
    product = done.product(product_id)
    approved = Approved(product=product, broadcast=done.broadcast)
    return http_api.versioned(approved, product.version)


@app.post("/api/v1/admin/products/bulk-approve", responses=responses.describe("notes_too_long"))
def bulk_approve_products(
    admin: http_api.Admin,
    _no_version: http_api.NoIfMatch,
    approval: Annotated[BulkApproval, Body()],
) -> BulkApproved:
    """Approve 1 to 100 products, each independently, with a result for each."""
    product_ids = approval.product_ids or approval.versions
    done = moderation.approve(product_ids, approval.moderation_notes, admin, approval.versions)
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
    return "not_found" if outcome.code == "product_not_found" else outcome.code


handler = http_api.handler(app)
