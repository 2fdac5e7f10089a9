"""Moderation: a shop submits a product, an administrator approves, rejects or withdraws it."""

from collections import defaultdict
from collections.abc import Collection, Container, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from vitrina import (
    aws,
    buckets,
    config,
    history,
    ids,
    platform_settings,
    product_changes,
    products,
    publishing,
)
from vitrina.auth import Identity
from vitrina.buckets import Rate
from vitrina.channels import CHANNELS
from vitrina.errors import (
    Conflict,
    Forbidden,
    Invalid,
    PreconditionRequired,
    TooManyRequests,
)
from vitrina.history import Receipt
from vitrina.platform_settings import PlatformSettings
from vitrina.product_changes import Moderation, Prefetched
from vitrina.products import MAX_DECISIONS, Decision, Product, Status, Submission

# A shop may send the submissions of so many minutes at once: 20 at a limit of 120 an hour.
BURST_MINUTES = 10
NO_VERSIONS: Mapping[int, Container[int]] = {}


def submit(
    submission: Submission, shop: Identity, receipt: Receipt[Product] = history.no_receipt
) -> Product:
    """Store a shop's new product, pending, and publish `product.submitted`.

    Raises TooManyRequests `too_many_submissions` or Unavailable `busy`.
    """
    _count_submission(shop)
    product = Product(
        **submission.model_dump(),
        product_id=ids.next_id("product"),
        shop_id=shop.shop_id,
        shop_name=shop.shop_name,
        moderation_status=Status.PENDING,
        status_changed_at=datetime.now(UTC),
        version=1,
    )
    publishing.commit(
        [product_changes.change_of(product)], history.SUBMISSION_BACKOFF, lambda _: receipt(product)
    )
    return product


def resubmit(
    product_id: int,
    submission: Submission,
    shop: Identity,
    expected: Container[int] | None = None,
) -> Moderation:
    """Replace a shop's product, which becomes pending again from every status.

    Publishes `product.submitted`, and before it `product.withdrawn` for an approved product. With
    `expected` versions, only one of these is replaced. The outcome may be NotFound
    `product_not_found`, Forbidden `product_forbidden`, Conflict `product_changed` or Unavailable
    `busy`. Raises TooManyRequests `too_many_submissions`.
    """
    _count_submission(shop)

    def decide(product: Product) -> Product:
        if not product.is_visible_to(shop):
            raise products.not_found(product_id)
        if product.shop_id != shop.shop_id:
            raise Forbidden("product_forbidden", f"Product {product_id} is another shop's.")
        _require_version(product, expected)
        return Product(
            **submission.model_dump(),
            product_id=product_id,
            shop_id=product.shop_id,
            shop_name=shop.shop_name,
            decisions=product.decisions,
            **_now(product, Status.PENDING),
        )

    return product_changes.decide_all([product_id], decide, history.SUBMISSION_BACKOFF)


def approve(
    product_ids: Sequence[int],
    notes: str | None,
    admin: Identity,
    versions: Mapping[int, Container[int]] = NO_VERSIONS,
    receipt: Receipt[Moderation] = history.no_receipt,
) -> Moderation:
    """Approve each pending product at the fee in force, and publish `product.approved`.

    `versions` has the versions that the administrator has seen, by product. A product that was
    edited after its submission needs a version. For every other product the outcome is NotFound
    `product_not_found`, Conflict `already_moderated` or `product_changed`, PreconditionRequired
    `version_missing`, or Unavailable `busy`. Of two concurrent decisions one succeeds: a product is
    written on the condition that it is as it was read. A decision that repeats the administrator's
    last one, on the same version and with the same notes, succeeds and publishes nothing.

    Raises Invalid `notes_too_long`.
    """
    notes = notes or ""
    ahead = _prefetch(product_ids, CHANNELS["product.approved"])
    _require_length(notes, ahead.rules, shortest=0)

    def decide(product: Product) -> Product:
        seen = versions.get(product.product_id)
        approved = _decided_pending(product, Status.APPROVED, notes, admin, seen)
        fee = {"approval_fee": ahead.rules.approval_fee}
        return product if approved is product else approved.model_copy(update=fee)

    return product_changes.decide_all(product_ids, decide, history.DECISION_BACKOFF, ahead, receipt)


def reject(
    product_ids: Sequence[int],
    notes: str,
    admin: Identity,
    versions: Mapping[int, Container[int]] = NO_VERSIONS,
    receipt: Receipt[Moderation] = history.no_receipt,
) -> Moderation:
    """Reject each pending product with a reason, and publish `product.rejected`.

    `versions` and the outcomes are those of `approve`. Raises Invalid `notes_too_long` or
    `notes_too_short`.
    """
    ahead = _prefetch(product_ids)
    _require_reason(notes, ahead.rules)

    def decide(product: Product) -> Product:
        seen = versions.get(product.product_id)
        return _decided_pending(product, Status.REJECTED, notes, admin, seen)

    return product_changes.decide_all(product_ids, decide, history.DECISION_BACKOFF, ahead, receipt)


def withdraw(
    product_id: int,
    notes: str,
    admin: Identity,
    seen: Container[int] | None = None,
    receipt: Receipt[Moderation] = history.no_receipt,
) -> Moderation:
    """Take an approved product out of public view, and publish `product.withdrawn`.

    A product that was edited after its first submission needs the version that the administrator
    has seen. The outcome may be NotFound `product_not_found`, Conflict `not_approved` or
    `product_changed`, PreconditionRequired `version_missing`, or Unavailable `busy`. Raises Invalid
    `notes_too_long` or `notes_too_short`.
    """
    ahead = _prefetch([product_id], CHANNELS["product.withdrawn"])
    _require_reason(notes, ahead.rules)

    def decide(product: Product) -> Product:
        # Submitted, approved.
        unedited = 2
        if _is_done(product, Status.WITHDRAWN, notes, admin, seen or {unedited}):
            return product
        if product.moderation_status is not Status.APPROVED:
            raise Conflict("not_approved", f"Product {product_id} is not approved.")
        _require_seen(product, seen, unedited)
        return _decided(product, Status.WITHDRAWN, notes, admin)

    return product_changes.decide_all(
        [product_id], decide, history.DECISION_BACKOFF, ahead, receipt
    )


def submissions_bucket(shop_id: int | str) -> str:
    """Return the name of the platform's row that counts a shop's submissions."""
    return f"submissions#{shop_id}"


def _count_submission(shop: Identity) -> None:
    """Count a submission, also one that is refused later; raises TooManyRequests."""
    per_hour = config.current().submissions_per_shop_hour
    at_once = max(1, per_hour * BURST_MINUTES // 60)
    if wait := buckets.spend(submissions_bucket(shop.name), Rate(at_once, 3600 / per_hour)):
        sentence = f"A shop may submit {per_hour} products an hour"
        raise TooManyRequests("too_many_submissions", *buckets.with_wait(sentence, wait))


def _prefetch(product_ids: Sequence[int], channels: Collection[str] = ()) -> Prefetched:
    """Read the settings, products and the heads of channels in one call, strongly consistent."""
    here = config.current()
    rows: dict[str, list[Any]] = defaultdict(list)
    for table, row in aws.batch_get_all(
        [
            (here.platform_table, platform_settings.KEY),
            *((here.products_table, products.key(n)) for n in dict.fromkeys(product_ids)),
            *((here.history_table, history.head_key(channel)) for channel in channels),
        ]
    ):
        rows[table].append(row)
    settings = aws.from_item(next(iter(rows[here.platform_table]), {}))
    return Prefetched(
        rules=platform_settings.from_row(settings).settings,
        found=products.from_rows(rows[here.products_table]),
        heads=history.positions_in(rows[here.history_table]),
    )


def _now(product: Product, status: Status) -> dict[str, Any]:
    return {
        "moderation_status": status,
        "status_changed_at": datetime.now(UTC),
        "version": product.version + 1,
    }


def _decided(product: Product, status: Status, notes: str, admin: Identity) -> Product:
    """Return the product after a decision, which is the latest of its decisions."""
    fields = {
        "moderation_notes": notes,
        "admin_id": admin.account_id,
        **_now(product, status),
    }
    decisions = [*product.decisions, Decision(**fields)][-MAX_DECISIONS:]
    return product.model_copy(update=fields | {"decisions": decisions})


def _is_done(
    product: Product, status: Status, notes: str, admin: Identity, seen: Container[int]
) -> bool:
    """Return whether a product's latest change is this decision, on a version seen."""
    return (
        product.moderation_status is status
        and product.version - 1 in seen
        and product.moderation_notes == notes
        and product.admin_id == admin.account_id
    )


def _decided_pending(
    product: Product, status: Status, notes: str, admin: Identity, seen: Container[int] | None
) -> Product:
    """Return a pending product after a decision; the same product if this is a repeat."""
    if _is_done(product, status, notes, admin, seen or {1}):
        return product
    if product.moderation_status is not Status.PENDING:
        raise Conflict("already_moderated", f"Product {product.product_id} is not pending.")
    _require_seen(product, seen)
    return _decided(product, status, notes, admin)


def _require_seen(product: Product, seen: Container[int] | None, unedited: int = 1) -> None:
    """Raise unless the version that was decided on is the product's.

    A product that was never edited, which has the version `unedited`, needs none.
    """
    if seen is None and product.version > unedited:
        raise PreconditionRequired(
            "version_missing",
            f"Product {product.product_id} was edited after its submission; send the version that "
            "you have read.",
        )
    _require_version(product, seen)


def _require_version(product: Product, expected: Container[int] | None) -> None:
    if expected is not None and product.version not in expected:
        raise Conflict(
            "product_changed", f"Product {product.product_id} has version {product.version} now."
        )


def _require_reason(notes: str, rules: PlatformSettings) -> None:
    _require_length(notes, rules, shortest=rules.shortest_rejection_notes)


def _require_length(notes: str, rules: PlatformSettings, shortest: int) -> None:
    if len(notes) > rules.longest_notes:
        raise Invalid("notes_too_long", f"Notes have at most {rules.longest_notes} characters.")
    if len(notes) < shortest:
        raise Invalid("notes_too_short", f"Notes have at least {shortest} characters.")
