"""Products: stored, listed, and visible to whom."""

import base64
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from vitrina import aws, config
from vitrina.auth import Identity
from vitrina.channels import ClientType
from vitrina.errors import Forbidden, Malformed, NotFound, Unauthorized
from vitrina.types import Id, Lines, Money, OneLine, visible

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# Each index is named after its partition key.
STATUS_INDEX = "moderation_status"
SHOP_INDEX = "shop_status"
"""`10#pending`: the products of one shop and status."""

LIST_FRESH_SECONDS = 10
"""How long the edge may share a list of approved products."""
LIST_STALE_SECONDS = 10
"""How long after that the edge may still share it, while it fetches a newer one."""


class Status(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


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


class Product(BaseModel):
    """One row of the products table."""

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
    moderation_notes: str | None = None
    admin_id: Id | None = None
    approval_fee: Money | None = None

    def is_visible_to(self, viewer: Identity | None) -> bool:
        """Return whether the viewer may see it: approved, of the viewer's shop, or to an admin."""
        if self.moderation_status is Status.APPROVED:
            return True
        return viewer is not None and (
            viewer.client_type is ClientType.ADMIN or viewer.shop_id == self.shop_id
        )


class Page(BaseModel):
    """A page of products; `cursor` leads to the next page, and is null on the last one."""

    model_config = ConfigDict(defer_build=True)

    items: list[Product]
    cursor: str | None = None


def put(product: Product) -> "TransactWriteItemTypeDef":
    """Return the write of a product, on the condition that its previous version is stored.

    The previous version of version 1 is that no product is stored.
    """
    derived = {
        "status_changed_at": product.status_changed_at.isoformat(),
        "shop_status": f"{product.shop_id}#{product.moderation_status}",
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
    return {product.product_id: product for product in map(_from_item, rows)}


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


def list_by_status(status: Status, viewer: Identity | None, limit: int, cursor: str | None) -> Page:
    """Return one page: pending products from the oldest on, decided ones from the newest on.

    Of products that are not approved, a shop sees its own. Raises Unauthorized, Forbidden, or
    Malformed `cursor_invalid`.
    """
    shop_id = None if status is Status.APPROVED else _only_shop(viewer)
    index, wanted = (
        (STATUS_INDEX, str(status)) if shop_id is None else (SHOP_INDEX, f"{shop_id}#{status}")
    )
    query: dict[str, Any] = {
        "TableName": config.current().products_table,
        "IndexName": index,
        "KeyConditionExpression": f"{index} = :wanted",
        "ExpressionAttributeValues": {":wanted": {"S": wanted}},
        "ScanIndexForward": status is Status.PENDING,
        "Limit": limit,
    }
    if cursor is not None:
        query["ExclusiveStartKey"] = _Cursor.read(cursor, wanted).to_key(index)
    page = aws.dynamodb().query(**query)
    last = aws.from_item(page.get("LastEvaluatedKey", {}))
    return Page(
        items=[_from_item(item) for item in page["Items"]],
        cursor=_Cursor.of_key(last, index).write() if last else None,
    )


class _Cursor(BaseModel):
    """The key of a page's last row: opaque to clients, validated when it comes back."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    product_id: Id
    listing: Annotated[str, Field(max_length=40)]
    status_changed_at: Annotated[str, Field(max_length=40, pattern=r"^[0-9T:.+-]+$")]

    @classmethod
    def of_key(cls, key: dict[str, Any], index: str) -> "_Cursor":
        return cls(
            product_id=int(key["product_id"]),
            listing=key[index],
            status_changed_at=key["status_changed_at"],
        )

    def write(self) -> str:
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode()

    @classmethod
    def read(cls, cursor: str, listing: str) -> "_Cursor":
        try:
            found = cls.model_validate_json(base64.urlsafe_b64decode(cursor))
        except (ValueError, ValidationError):
            found = None
        # The codec skips foreign characters: of all texts that it reads, one is a cursor.
        if found is None or found.listing != listing or found.write() != cursor:
            raise Malformed("cursor_invalid", "The cursor is not one of this list.")
        return found

    def to_key(self, index: str) -> dict[str, Any]:
        row = self.model_dump(exclude={"listing"}) | {index: self.listing}
        return aws.to_item(row)


def _only_shop(viewer: Identity | None) -> int | None:
    """Return the shop to which a viewer's list is limited; None for an admin."""
    if viewer is None:
        raise Unauthorized("token_missing", "Products that are not approved need a token.")
    if viewer.client_type is ClientType.USER:
        raise Forbidden("client_type_forbidden", "Users may list approved products only.")
    return viewer.shop_id


def _from_item(item: dict[str, Any]) -> Product:
    return Product.model_validate(aws.from_item(item))
