"""Decisions on products: the requests and the responses."""

from collections.abc import Container
from typing import Annotated, Any, Self

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from vitrina import http_api, trail
from vitrina.errors import Problem
from vitrina.product_changes import Moderation
from vitrina.products import Product
from vitrina.publishing import Broadcast
from vitrina.types import Id, Number

# Refusals that every route of one decision may answer with.
DECISION_CODES = (
    "product_not_found",
    "product_changed",
    "version_missing",
    "notes_too_long",
    "busy",
)

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


class Selection(BaseModel):
    """Products by their ids alone, or with the versions that were read."""

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
    def ids(self) -> list[int]:
        return self.product_ids or [*self.versions]

    @property
    def versions(self) -> dict[int, Container[int]]:
        return {seen.product_id: {seen.version} for seen in self.products}


class Decided(BaseModel):
    product: Product
    broadcast: Broadcast

    @classmethod
    def of(cls, done: Moderation, product_id: int) -> Response[Self]:
        """Answer with the product as it is now; raises the problem that prevented the change."""
        product = done.product(product_id)
        return http_api.versioned(cls(product=product, broadcast=done.broadcast), product.version)


class Result(BaseModel):
    """The result for one product: what it became, or why not, as the code of a refusal.

    The code `product_not_found` is `not_found` here.
    """

    product_id: int
    result: str


class BulkDecided(BaseModel):
    results: list[Result]
    broadcast: Broadcast

    @classmethod
    def of(cls, done: Moderation) -> Self:
        """Return what became of each product, which is noted in the trail."""
        results = {number: _result(outcome) for number, outcome in done.outcomes.items()}
        trail.note(products=results)
        return cls(
            results=[Result(product_id=number, result=text) for number, text in results.items()],
            broadcast=done.broadcast,
        )


def _result(outcome: Product | Problem) -> str:
    if isinstance(outcome, Product):
        return outcome.moderation_status
    return "not_found" if outcome.code == "product_not_found" else outcome.code
