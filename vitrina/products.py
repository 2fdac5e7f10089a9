"""Products: how they are stored, and who may see which fields."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from vitrina import aws, config
from vitrina.auth import Identity
from vitrina.channels import ClientType
from vitrina.errors import NotFound
from vitrina.types import Id, Lines, Money, OneLine, visible

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# Each index is named after its partition key.
STATUS_INDEX = "moderation_status"
SHOP_INDEX = "shop_status"
"""`10#pending`: the products of one shop and status."""

MAX_DECISIONS = 20
"""How many decisions a product keeps: the latest ones."""


class Status(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


# A host by its name in ASCII, then a path: no user, no port, no address of IPv4 or IPv6 in any
# notation (in browsers 2130706433 and 0x7f.1 are addresses too), no backslash, which browsers read
# as a slash. The last label of a name begins with a letter.
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LAST_LABEL = "[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PATH = r"[/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*"
ImageUrl = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=2000,
        pattern=rf"^https://({_LABEL}\.)+{_LAST_LABEL}({_PATH})?$",
    ),
]


class Submission(BaseModel):
    """The fields of a product that its shop writes."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    product_name: Annotated[str, visible(200), OneLine]
    description: Annotated[str, visible(5000), Lines] | None = None
    price: Money | None = None
    image_url: ImageUrl | None = None


class PublicProduct(BaseModel):
    """A product as everyone may see it."""

    product_id: Id
    product_name: str
    description: str | None = None
    price: Money | None = None
    image_url: str | None = None
    shop_id: Id
    shop_name: str
    moderation_status: Status
    status_changed_at: datetime
    version: int
    """1, 2, 3 …: one more with every change."""


class Decision(BaseModel):
    """A decision of an administrator on a product."""

    moderation_status: Literal[Status.APPROVED, Status.REJECTED, Status.WITHDRAWN]
    """The status after the decision."""
    moderation_notes: str
    admin_id: Id
    status_changed_at: datetime
    version: int
    """The product's, since the decision."""


class Product(PublicProduct):
    """One row of the products table, as its shop and administrators see it."""

    moderation_notes: str | None = None
    admin_id: Id | None = None
    approval_fee: Money | None = None
    decisions: list[Decision] = []
    """The latest 20, the oldest first."""

    def is_visible_to(self, viewer: Identity | None) -> bool:
        """Return whether the viewer may see it: approved, of the viewer's shop, or to an admin."""
        return self.moderation_status is Status.APPROVED or self._is_open_to(viewer)

    def shown_to(self, viewer: Identity | None) -> "PublicProduct | Product":
        """Return all fields to its shop and to administrators, and the public ones to others."""
        if self._is_open_to(viewer):
            return self
        return PublicProduct(**self.model_dump(include={*PublicProduct.model_fields}))

    def _is_open_to(self, viewer: Identity | None) -> bool:
        return viewer is not None and (
            viewer.client_type is ClientType.ADMIN or viewer.shop_id == self.shop_id
        )


def put(product: Product) -> "TransactWriteItemTypeDef":
    """Return the write of a product, on the condition that its previous version is stored.

    The previous version of version 1 is that no product is stored.
    """
    derived = {
        "status_changed_at": product.status_changed_at.isoformat(),
        "shop_status": shop_status(product.shop_id, product.moderation_status),
        "decisions": [decision.model_dump(mode="json") for decision in product.decisions],
    }
    table, row = config.current().products_table, product.model_dump() | derived
    return aws.put_version(table, row, expected=product.version - 1)


def find_many(product_ids: Iterable[int]) -> dict[int, Product]:
    """Return the products that exist, strongly consistent."""
    return from_rows(aws.batch_get(config.current().products_table, map(key, product_ids)))


def key(product_id: int) -> dict[str, int]:
    return {"product_id": product_id}


def from_rows(rows: Iterable[dict[str, Any]]) -> dict[int, Product]:
    """Read rows in DynamoDB's format; return products by id."""
    found = (Product.model_validate(aws.from_item(row)) for row in rows)
    return {product.product_id: product for product in found}


def shop_status(shop_id: int, status: Status) -> str:
    """Return the key of a shop's products of a status in the index of shops."""
    return f"{shop_id}#{status}"


def get(product_id: int, viewer: Identity | None) -> Product:
    """Return a product that this viewer may see.

    Raises NotFound `product_not_found`, also for a product that the viewer may not see.
    """
    product = find_many([product_id]).get(product_id)
    if product is None or not product.is_visible_to(viewer):
        raise not_found(product_id)
    return product


def not_found(product_id: int) -> NotFound:
    return NotFound("product_not_found", f"There is no product {product_id}.")
