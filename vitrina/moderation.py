"""Moderation: a shop submits a product, an administrator approves or rejects it."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from vitrina import aws, history, ids, platform_settings, products, publishing
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
from vitrina.history import Change, StoredEvent, WriteConflict
from vitrina.platform_settings import PlatformSettings
from vitrina.products import Product, Status, Submission
from vitrina.publishing import Broadcast

# Products are read again when another request wrote one of them in the meantime.
MAX_ATTEMPTS = 5


class Moderation(NamedTuple):
    """The result for each product, and the broadcast of all events."""

    outcomes: dict[int, Product | Problem]
    broadcast: Broadcast

    def product(self, product_id: int) -> Product:
        """Return a product as it is now; raises the problem that prevented the change."""
        outcome = self.outcomes[product_id]
        if isinstance(outcome, Problem):
            raise outcome
        return outcome


def submit(submission: Submission, shop: Identity) -> Product:
    """Store a shop's new product, pending, and publish `product.submitted`.

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
    publishing.commit([_change(product)])
    return product


def resubmit(
    product_id: int, submission: Submission, shop: Identity, expected_version: int | None = None
) -> Moderation:
    """Replace a shop's product, which becomes pending again from every status.

    With `expected_version`, only that version is replaced. The outcome may be NotFound
    `product_not_found`, Forbidden `product_forbidden`, Conflict `product_changed` or Unavailable
    `busy`.
    """

    def decide(product: Product) -> Product:
        if not product.is_visible_to(shop):
            raise products.not_found(product_id)
        if product.shop_id != shop.shop_id:
            raise Forbidden("product_forbidden", f"Product {product_id} is another shop's.")
        _require_version(product, expected_version)
        return Product(
            **submission.model_dump(),
            product_id=product_id,
            shop_id=product.shop_id,
            shop_name=shop.shop_name,
            **_now(product, Status.PENDING),
        )

    return _decide([product_id], decide)


def approve(
    product_ids: Iterable[int],
    notes: str | None,
    admin: Identity,
    expected_version: int | None = None,
) -> Moderation:
    """Approve each pending product at the fee in force, and publish `product.approved`.

    For every other product the outcome is NotFound `product_not_found`, Conflict
    `already_moderated` or `product_changed`, or Unavailable `busy`. Of two concurrent decisions
    one succeeds: a product is written on the condition that it is as it was read.

    Raises Invalid `notes_too_long`.
    """
    rules = platform_settings.read().settings
    _require_length(notes or "", rules, shortest=0)

    def decide(product: Product) -> Product:
        _require_pending(product)
        _require_version(product, expected_version)
        decision = {
            "moderation_notes": notes or "",
            "admin_id": admin.account_id,
            "approval_fee": rules.approval_fee,
        }
        return product.model_copy(update=decision | _now(product, Status.APPROVED))

    return _decide(product_ids, decide)


def reject(
    product_id: int, notes: str, admin: Identity, expected_version: int | None = None
) -> Moderation:
    """Reject a pending product with a reason, and publish `product.rejected`.

    The outcomes are those of `approve`. Raises Invalid `notes_too_long` or `notes_too_short`.
    """
    rules = platform_settings.read().settings
    _require_length(notes, rules, shortest=rules.shortest_rejection_notes)

    def decide(product: Product) -> Product:
        _require_pending(product)
        _require_version(product, expected_version)
        decision = {"moderation_notes": notes, "admin_id": admin.account_id}
        return product.model_copy(update=decision | _now(product, Status.REJECTED))

    return _decide([product_id], decide)


def _decide(product_ids: Iterable[int], decide: Callable[[Product], Product]) -> Moderation:
    """Write each decision, on the condition that its product is as it was read, and publish all."""

    def outcome(product_id: int, found: Product | None) -> Product | Problem:
        if found is None:
            return products.not_found(product_id)
        try:
            return decide(found)
        except Problem as problem:
            return problem

    busy = Unavailable("busy", "Other requests are changing this product; try again.")
    outcomes: dict[int, Product | Problem] = dict.fromkeys(product_ids, busy)
    undecided = [*outcomes]
    committed: list[StoredEvent] = []
    for _ in aws.attempts(MAX_ATTEMPTS):
        found = products.find_many(undecided)
        outcomes |= {n: outcome(n, found.get(n)) for n in undecided}
        decided = [made for n in undecided if isinstance(made := outcomes[n], Product)]
        undecided = []
        for batch in history.batches(map(_change, decided)):
            try:
                committed += history.commit(batch)
            except (WriteConflict, Unavailable):
                undecided += [change.event.data.product_id for change in batch]
        outcomes |= dict.fromkeys(undecided, busy)
        if not undecided:
            break
    return Moderation(outcomes, publishing.publish(committed))


def _now(product: Product, status: Status) -> dict[str, Any]:
    return {
        "moderation_status": status,
        "status_changed_at": datetime.now(UTC),
        "version": product.version + 1,
    }


def _require_pending(product: Product) -> None:
    if product.moderation_status is not Status.PENDING:
        raise Conflict("already_moderated", f"Product {product.product_id} is not pending.")


def _require_version(product: Product, expected: int | None) -> None:
    if expected not in (None, product.version):
        raise Conflict(
            "product_changed", f"Product {product.product_id} has version {product.version} now."
        )


def _require_length(notes: str, rules: PlatformSettings, shortest: int) -> None:
    if len(notes) > rules.longest_notes:
        raise Invalid("notes_too_long", f"Notes have at most {rules.longest_notes} characters.")
    if len(notes) < shortest:
        raise Invalid("notes_too_short", f"Notes have at least {shortest} characters.")


def _change(product: Product) -> Change:
    """Return the write of a product, and the event of its status."""
    return Change(products.put(product), _event(product))


def _event(product: Product) -> Published:
    match product.moderation_status:
        case Status.PENDING:
            submission = ProductSubmission.model_validate(product, from_attributes=True)
            return ProductSubmitted(data=submission)
        case Status.APPROVED:
            approval = ProductApproval.model_validate(product, from_attributes=True)
            return ProductApproved(data=approval)
        case Status.REJECTED:
            rejection = ProductRejection.model_validate(product, from_attributes=True)
            return ProductRejected(data=rejection)
