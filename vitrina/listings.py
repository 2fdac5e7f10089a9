"""Listings: pages of products by status, of one shop or of all."""

import base64
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vitrina import aws, config, counts, products
from vitrina.auth import Identity
from vitrina.channels import ClientType
from vitrina.counts import Count
from vitrina.errors import Forbidden, Malformed, Unauthorized
from vitrina.products import SHOP_INDEX, STATUS_INDEX, Product, PublicProduct, Status
from vitrina.types import Id

LIST_TTL_SECONDS = 10
"""How long the edge may cache a list of approved products."""
LIST_STALE_TTL_SECONDS = 10
"""How long after that the edge may still serve it, while it fetches a newer one."""


class PublicPage(BaseModel):
    """A page of approved products; `cursor` leads to the next page, and is null on the last one."""

    model_config = ConfigDict(defer_build=True)

    items: list[PublicProduct]
    cursor: str | None = None


class Page(BaseModel):
    """A page of products as their shop and administrators see them; `cursor` as in `PublicPage`."""

    model_config = ConfigDict(defer_build=True)

    items: list[Product]
    cursor: str | None = None


class Queue(Page):
    """A page of pending products, and how many there are."""

    total: int
    """Counted in the last two seconds if they are few."""


def of_approved(shop_id: int | None, limit: int, cursor: str | None) -> PublicPage:
    """Return one page for everyone, from the newest approval on.

    Raises Malformed `cursor_invalid`.
    """
    return PublicPage.model_validate(_read(Status.APPROVED, shop_id, limit, cursor))


def of_status(
    status: Status, viewer: Identity | None, shop_id: int | None, limit: int, cursor: str | None
) -> Page:
    """Return one page: pending products from the oldest on, decided ones from the newest on.

    A shop sees its own. Raises Unauthorized, Forbidden, or Malformed `cursor_invalid`.
    """
    return Page.model_validate(_read(status, _allowed(viewer, shop_id), limit, cursor))


def of_queue(shop_id: int | None, limit: int, cursor: str | None) -> Queue:
    """Return one page of pending products, for administrators, with their number.

    Raises Malformed `cursor_invalid`, or Unavailable `busy` during the first count.
    """
    page = _read(Status.PENDING, shop_id, limit, cursor)
    return Queue.model_validate(page | {"total": count_pending(shop_id)})


def count_pending(shop_id: int | None) -> int:
    """Return the number of pending products, counted once for everyone who asks.

    Raises Unavailable `busy` during the first count.
    """
    listing = _listing(Status.PENDING, shop_id)
    row = "queue" if shop_id is None else f"queue#{shop_id}"
    return counts.read(row, lambda: _count(listing)).numbers["pending"]


class _Listing(NamedTuple):
    """One key of an index."""

    index_name: str
    key: str

    def query(self, **more: Any) -> Any:
        return {
            "TableName": config.current().products_table,
            "IndexName": self.index_name,
            "KeyConditionExpression": f"{self.index_name} = :wanted",
            "ExpressionAttributeValues": {":wanted": {"S": self.key}},
            **more,
        }


def _listing(status: Status, shop_id: int | None) -> _Listing:
    if shop_id is None:
        return _Listing(STATUS_INDEX, str(status))
    return _Listing(SHOP_INDEX, products.shop_status(shop_id, status))


def _read(status: Status, shop_id: int | None, limit: int, cursor: str | None) -> dict[str, Any]:
    listing = _listing(status, shop_id)
    query = listing.query(ScanIndexForward=status is Status.PENDING, Limit=limit)
    if cursor is not None:
        query["ExclusiveStartKey"] = _Cursor.read(cursor, listing.key).to_key(listing.index_name)
    page = aws.dynamodb().query(**query)
    last = aws.from_item(page.get("LastEvaluatedKey", {}))
    return {
        "items": [aws.from_item(item) for item in page["Items"]],
        "cursor": _Cursor.of_key(last, listing.index_name).write() if last else None,
    }


def _count(listing: _Listing) -> Count:
    pages = [*aws.query(aws.measured(listing.query(Select="COUNT")))]
    number = sum(page["Count"] for page in pages)
    return Count({"pending": number}, sum(map(aws.read_units, pages)))


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
        # The decoder ignores other characters, so several texts would be one cursor.
        if found is None or found.listing != listing or found.write() != cursor:
            raise Malformed("cursor_invalid", "The cursor is not one of this list.")
        return found

    def to_key(self, index: str) -> dict[str, Any]:
        row = self.model_dump(exclude={"listing"}) | {index: self.listing}
        return aws.to_item(row)


def _allowed(viewer: Identity | None, shop_id: int | None) -> int | None:
    """Return the shop to which a viewer's list is limited; None for all shops, to an admin."""
    if viewer is None:
        raise Unauthorized("token_missing", "Products that are not approved need a token.")
    if viewer.client_type is ClientType.USER:
        raise Forbidden("client_type_forbidden", "Users may list approved products only.")
    if viewer.client_type is ClientType.SHOP and shop_id not in (None, viewer.shop_id):
        raise Forbidden("product_forbidden", f"These products of shop {shop_id} are for it alone.")
    return viewer.shop_id or shop_id
