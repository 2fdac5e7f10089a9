"""Moderation: a shop submits a product, an admin approves or rejects it; each tells of itself."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from vitrina import history, ids, platform, products
from vitrina.auth import Identity
from vitrina.errors import Conflict, Forbidden, Invalid, Problem, Unavailable
from vitrina.events import (
    ProductApproval,
    ProductApproved,
    ProductRejected,
    ProductRejection,
    ProductSubmission,
    ProductSubmitted,
    Published,
)
from vitrina.history import Change, Outrun, Row
from vitrina.platform import PlatformSettings
from vitrina.products import Product, Status, Submission

# How often products are read again when somebody else wrote one of them meanwhile.
READINGS = 5


class Moderation(NamedTuple):
    """What became of each product, and the committed events to publish."""

    outcomes: dict[int, Product | Problem]
    rows: list[Row]

    def product(self, product_id: int) -> Product:
        """Return a product as it is now; raises what stood against it."""
        outcome = self.outcomes[product_id]
        if isinstance(outcome, Problem):
            raise outcome
        return outcome


def submit(submission: Submission, shop: Identity) -> tuple[Product, list[Row]]:
    """Store a shop's new product, pending, and the event that tells of it.

    Raises Unavailable `busy`.
    """
    product = Product(
        **submission.model_dump(),
        product_id=ids.next_id("product"),
        shop_id=shop.shop_id,
        shop_name=shop.shop_name,
        moderation_status=Status.PENDING,
        status_changed_at=datetime.now(UTC),
        version=1,
    )
    return product, history.commit([Change(products.put(product, seen=0), _event(product))])


def resubmit(
    product_id: int, submission: Submission, shop: Identity, seen: int | None = None
) -> Moderation:
    """Replace what a shop says of its product, which is pending again, whatever it was.

    `seen` is the version to replace, if no other will do. The outcome may be NotFound
    `product_not_found`, Forbidden `product_forbidden`, Conflict `product_changed` or Unavailable
    `busy`.
    """

    def decide(product: Product) -> Product:
        if not product.is_visible_to(shop):
            raise products.not_found(product_id)
        if product.shop_id != shop.shop_id:
            raise Forbidden("product_forbidden", f"Product {product_id} is another shop's.")
        _require_version(product, seen)
        return Product(
            **submission.model_dump(),
            product_id=product_id,
            shop_id=product.shop_id,
            shop_name=shop.shop_name,
            **_now(product, Status.PENDING),
        )

    return _decide([product_id], decide)


def approve(
    product_ids: Iterable[int], notes: str | None, admin: Identity, seen: int | None = None
) -> Moderation:
    """Approve each product that is pending, at the fee in force, with the event that tells of it.

    Of every other product the outcome says why not: NotFound `product_not_found`, Conflict
    `already_moderated` or `product_changed`, Unavailable `busy`. Of two decisions at the same
    moment one succeeds: a product is written on the condition that it is as it was read.

    Raises Invalid `notes_too_long`.
    """
    rules = platform.in_force().settings
    _require_length(notes or "", rules, shortest=0)

    def decide(product: Product) -> Product:
        _require_pending(product)
        _require_version(product, seen)
        decision = {
            "moderation_notes": notes or "",
            "admin_id": admin.account_id,
            "approval_fee": rules.approval_fee,
        }
        return product.model_copy(update=decision | _now(product, Status.APPROVED))

    return _decide(product_ids, decide)


def reject(product_id: int, notes: str, admin: Identity, seen: int | None = None) -> Moderation:
    """Reject a pending product with a reason; the outcomes are those of `approve`.

    Raises Invalid `notes_too_long` or `notes_too_short`.
    """
    rules = platform.in_force().settings
    _require_length(notes, rules, shortest=rules.shortest_rejection_notes)

    def decide(product: Product) -> Product:
        _require_pending(product)
        _require_version(product, seen)
        decision = {"moderation_notes": notes, "admin_id": admin.account_id}
        return product.model_copy(update=decision | _now(product, Status.REJECTED))

    return _decide([product_id], decide)


def _decide(product_ids: Iterable[int], decide: Callable[[Product], Product]) -> Moderation:
    """Write what is decided of each product, on the condition that it still is as it was read."""

    def outcome(product_id: int, found: Product | None) -> Product | Problem:
        if found is None:
            return products.not_found(product_id)
        try:
            return decide(found)
        except Problem as problem:
            return problem

    outcomes: dict[int, Product | Problem | None] = dict.fromkeys(product_ids)
    rows: list[Row] = []
    for _ in range(READINGS):
        waiting = [n for n, decided in outcomes.items() if decided is None]
        found = products.find_many(waiting)
        outcomes |= {n: outcome(n, found.get(n)) for n in waiting}
        changes = (
            Change(products.put(decided, seen=found[n].version), _event(decided))
            for n in waiting
            if isinstance(decided := outcomes[n], Product)
        )
        for batch in history.batches(changes):
            try:
                rows += history.commit(batch)
            except (Outrun, Unavailable):
                outcomes |= dict.fromkeys(change.event.data.product_id for change in batch)
    busy = Unavailable("busy", "Others are writing at this moment; try again.")
    return Moderation({n: decided or busy for n, decided in outcomes.items()}, rows)


def _now(product: Product, status: Status) -> dict[str, Any]:
    return {
        "moderation_status": status,
        "status_changed_at": datetime.now(UTC),
        "version": product.version + 1,
    }


def _require_pending(product: Product) -> None:
    if product.moderation_status is not Status.PENDING:
        raise Conflict(
            "already_moderated", f"Product {product.product_id} is not pending any more."
        )


def _require_version(product: Product, seen: int | None) -> None:
    if seen not in (None, product.version):
        raise Conflict(
            "product_changed", f"Product {product.product_id} has version {product.version} now."
        )


def _require_length(notes: str, rules: PlatformSettings, shortest: int) -> None:
    if len(notes) > rules.longest_notes:
        raise Invalid("notes_too_long", f"Notes have at most {rules.longest_notes} characters.")
    if len(notes) < shortest:
        raise Invalid("notes_too_short", f"Notes have at least {shortest} characters.")


def _event(product: Product) -> Published:
    """Return the event that tells of what a product has become."""
    about = product.model_dump(include={"product_id", "product_name", "shop_id", "shop_name"})
    decision = product.model_dump(include={"moderation_notes", "admin_id"})
    match product.moderation_status:
        case Status.PENDING:
            return ProductSubmitted(data=ProductSubmission(**about))
        case Status.APPROVED:
            approval = ProductApproval(
                **about, **decision, approval_fee=float(product.approval_fee or 0)
            )
            return ProductApproved(data=approval)
        case Status.REJECTED:
            return ProductRejected(data=ProductRejection(**about, **decision))
