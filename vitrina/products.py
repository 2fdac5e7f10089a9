"""Products and the rules of their moderation."""

import base64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

from vitrina import aws, history, ids, settings
from vitrina.auth import Id, Identity
from vitrina.channels import ClientType
from vitrina.errors import (
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    Problem,
    Unauthenticated,
    Unavailable,
)
from vitrina.events import ProductApproval, ProductApproved, ProductSubmission, ProductSubmitted
from vitrina.history import Change, Outrun, Row

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

STATUS_INDEX = "by_status"
# How often products are read again when somebody else wrote one of them meanwhile.
READINGS = 5

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Notes = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
# JSON has one kind of number, and apps read it as such; DynamoDB keeps the decimal.
Money = Annotated[
    Decimal,
    Field(ge=0, max_digits=12, decimal_places=2),
    PlainSerializer(float, when_used="json"),
]


class Status(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"


class Submission(BaseModel):
    """What a shop says of a new product."""

    model_config = ConfigDict(extra="forbid")

    product_name: Annotated[Text, Field(max_length=200)]
    description: Annotated[Text, Field(max_length=5000)] | None = None
    price: Money | None = None
    image_url: Annotated[Text, Field(max_length=2000, pattern=r"^https://\S+$")] | None = None


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
    moderation_notes: str | None = None
    admin_id: Id | None = None
    approval_fee: Money | None = None

    def submitted(self) -> ProductSubmitted:
        return ProductSubmitted(
            data=ProductSubmission(
                product_id=self.product_id,
                product_name=self.product_name,
                shop_id=self.shop_id,
                shop_name=self.shop_name,
            )
        )

    def approved(self) -> ProductApproved:
        assert self.admin_id is not None and self.approval_fee is not None  # noqa: S101, PT018
        return ProductApproved(
            data=ProductApproval(
                product_id=self.product_id,
                product_name=self.product_name,
                shop_id=self.shop_id,
                shop_name=self.shop_name,
                moderation_notes=self.moderation_notes or "",
                admin_id=self.admin_id,
                approval_fee=float(self.approval_fee),
            )
        )


class Page(BaseModel):
    """Some products, and the cursor that leads to the next ones, unless these were the last."""

    items: list[Product]
    cursor: str | None = None


class Moderation(NamedTuple):
    """What became of each product, and the committed events to publish."""

    outcomes: dict[int, Product | Problem]
    rows: list[Row]


def submit(submission: Submission, shop: Identity) -> tuple[Product, list[Row]]:
    """Store a shop's new product, pending, and the event that tells of it.

    Raises Unavailable `busy`.
    """
    assert shop.shop_id is not None and shop.shop_name is not None  # noqa: S101, PT018
    product = Product(
        **submission.model_dump(),
        product_id=ids.next_id("product"),
        shop_id=shop.shop_id,
        shop_name=shop.shop_name,
        moderation_status=Status.PENDING,
        status_changed_at=datetime.now(UTC),
    )
    write = _put(product, ConditionExpression="attribute_not_exists(product_id)")
    return product, history.commit([Change(write, product.submitted())])


def approve(product_ids: Iterable[int], notes: str | None, admin: Identity) -> Moderation:
    """Approve each product that is pending, at the fee in force, with the event that tells of it.

    Of every other product the outcome says why not: NotFound `product_not_found`, Conflict
    `already_moderated`, Unavailable `busy`. Of two approvals at the same moment one succeeds: a
    product is written on the condition that it is as it was read.
    """
    return _moderate(product_ids, lambda pending: _approved(pending, notes, admin))


def _moderate(product_ids: Iterable[int], decide: Callable[[Product], Product]) -> Moderation:
    outcomes: dict[int, Product | Problem | None] = dict.fromkeys(product_ids)
    rows: list[Row] = []
    for _ in range(READINGS):
        waiting = [n for n, outcome in outcomes.items() if outcome is None]
        found = _find_many(waiting)
        outcomes |= {n: _refusal(n, found.get(n)) or decide(found[n]) for n in waiting}
        decided = (p for n in waiting if isinstance(p := outcomes[n], Product))
        for batch in history.batches(_change(found[p.product_id], p) for p in decided):
            try:
                rows += history.commit(batch)
            except (Outrun, Unavailable):
                outcomes |= dict.fromkeys(change.event.data.product_id for change in batch)
    busy = Unavailable("busy", "Others are writing at this moment; try again.")
    return Moderation({n: outcome or busy for n, outcome in outcomes.items()}, rows)


def _refusal(product_id: int, product: Product | None) -> Problem | None:
    if product is None:
        return _not_found(product_id)
    if product.moderation_status is not Status.PENDING:
        return Conflict("already_moderated", f"Product {product_id} is not pending any more.")
    return None


def _approved(pending: Product, notes: str | None, admin: Identity) -> Product:
    return pending.model_copy(
        update={
            "moderation_status": Status.APPROVED,
            "status_changed_at": datetime.now(UTC),
            "moderation_notes": notes or "",
            "admin_id": admin.account_id,
            "approval_fee": settings.current().approval_fee,
        }
    )


def _change(old: Product, new: Product) -> Change:
    """Write a product on the condition that it still is as it was read."""
    write = _put(
        new,
        ConditionExpression="status_changed_at = :seen",
        ExpressionAttributeValues={":seen": {"S": old.status_changed_at.isoformat()}},
    )
    return Change(write, new.approved())


def _put(product: Product, **condition: Any) -> "TransactWriteItemTypeDef":
    put: Any = {"TableName": settings.current().products_table, "Item": _to_item(product)}
    return {"Put": put | condition}


def get(product_id: int, viewer: Identity | None) -> Product:
    """Return a product that this viewer may see: approved, its own, or any for an admin.

    Raises NotFound `product_not_found`, which also hides what may not be seen.
    """
    product = _find_many([product_id]).get(product_id)
    if product is None or not _may_see(viewer, product):
        raise _not_found(product_id)
    return product


def list_by_status(status: Status, viewer: Identity | None, limit: int, cursor: str | None) -> Page:
    """Return one page: what waits, the oldest first; what is decided, the newest first.

    A shop sees its own products only among those that are not approved, so that its pages may
    hold fewer than `limit`, even none, before the last. Raises Unauthenticated, Forbidden, or
    Malformed `cursor_invalid`.
    """
    query: dict[str, Any] = {
        "TableName": settings.current().products_table,
        "IndexName": STATUS_INDEX,
        "KeyConditionExpression": "moderation_status = :status",
        "ExpressionAttributeValues": {":status": {"S": status}},
        "ScanIndexForward": status is Status.PENDING,
        "Limit": limit,
    }
    if status is not Status.APPROVED and (shop_id := _only_shop(viewer)):
        query["FilterExpression"] = "shop_id = :shop"
        query["ExpressionAttributeValues"][":shop"] = {"N": str(shop_id)}
    if cursor is not None:
        query["ExclusiveStartKey"] = _Cursor.read(cursor, status).to_key()
    page = aws.dynamodb().query(**query)
    last = page.get("LastEvaluatedKey")
    return Page(
        items=[_from_item(item) for item in page["Items"]],
        cursor=_Cursor.model_validate(aws.from_item(last)).write() if last else None,
    )


class _Cursor(BaseModel):
    """The last row a page ended with; opaque to clients, and hostile when it comes back."""

    model_config = ConfigDict(extra="forbid")

    product_id: Id
    moderation_status: Status
    status_changed_at: Annotated[str, Field(max_length=40, pattern=r"^[0-9T:.+-]+$")]

    def write(self) -> str:
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode()

    @classmethod
    def read(cls, cursor: str, status: Status) -> "_Cursor":
        try:
            found = cls.model_validate_json(base64.urlsafe_b64decode(cursor))
        except (ValueError, ValidationError):
            found = None
        if found is None or found.moderation_status is not status:
            raise Malformed("cursor_invalid", "The cursor is not one that this listing gave.")
        return found

    def to_key(self) -> dict[str, Any]:
        return aws.to_item(self.model_dump(mode="json"))


def _find_many(product_ids: Iterable[int]) -> dict[int, Product]:
    keys = ({"product_id": n} for n in product_ids)
    found = map(_from_item, aws.batch_get(settings.current().products_table, keys))
    return {product.product_id: product for product in found}


def _not_found(product_id: int) -> NotFound:
    return NotFound("product_not_found", f"There is no product {product_id}.")


def _may_see(viewer: Identity | None, product: Product) -> bool:
    if product.moderation_status is Status.APPROVED:
        return True
    return viewer is not None and (
        viewer.client_type is ClientType.ADMIN or viewer.shop_id == product.shop_id
    )


def _only_shop(viewer: Identity | None) -> int | None:
    """Return whose products alone a viewer may see before approval; None for an admin."""
    if viewer is None:
        raise Unauthenticated("token_missing", "Only approved products are for everyone.")
    if viewer.client_type is ClientType.USER:
        raise Forbidden("client_type_forbidden", "Users may list approved products only.")
    return viewer.shop_id


def _to_item(product: Product) -> dict[str, Any]:
    row = product.model_dump() | {"status_changed_at": product.status_changed_at.isoformat()}
    return aws.to_item(row)


def _from_item(item: dict[str, Any]) -> Product:
    return Product.model_validate(aws.from_item(item))
