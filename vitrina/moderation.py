"""Moderation: a shop submits a product, an administrator approves or rejects it."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from vitrina import (
    aws,
    buckets,
    config,
    history,
    ids,
    platform_settings,
    products,
    publishing,
)
from vitrina.auth import Identity
from vitrina.aws import Patience
from vitrina.buckets import Rate
from vitrina.channels import CHANNELS
from vitrina.errors import (
    Conflict,
    Forbidden,
    Invalid,
    PreconditionRequired,
    Problem,
    TooManyRequests,
    Unavailable,
)
from vitrina.events import (
    Position,
    ProductApproval,
    ProductApproved,
    ProductRejected,
    ProductRejection,
    ProductSubmission,
    ProductSubmitted,
    Published,
)
from vitrina.history import Change, Publication, WriteConflict
from vitrina.platform_settings import PlatformSettings
from vitrina.products import Product, Status, Submission
from vitrina.publishing import Broadcast

# Products are read again when another request wrote one of them in the meantime.
MAX_READINGS = 5
# A shop may send the submissions of so many minutes at once: 20 of 120 an hour.
MINUTES_AT_ONCE = 10
NOT_TOLD: Mapping[int, Container[int]] = {}


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
    publishing.commit([_change(product)], history.SUBMISSION)
    return product


def resubmit(
    product_id: int,
    submission: Submission,
    shop: Identity,
    expected: Container[int] | None = None,
) -> Moderation:
    """Replace a shop's product, which becomes pending again from every status.

    With `expected` versions, only one of these is replaced. The outcome may be NotFound
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
            **_now(product, Status.PENDING),
        )

    return _decide([product_id], decide, history.SUBMISSION)


def approve(
    product_ids: Iterable[int],
    notes: str | None,
    admin: Identity,
    versions: Mapping[int, Container[int]] = NOT_TOLD,
) -> Moderation:
    """Approve each pending product at the fee in force, and publish `product.approved`.

    `versions` has those that the administrator has seen, by product. A product that was
    edited after its submission needs one. For every other product the outcome is NotFound
    `product_not_found`, Conflict `already_moderated` or `product_changed`, PreconditionRequired
    `version_missing`, or Unavailable `busy`. Of two concurrent decisions one succeeds: a product is
    written on the condition that it is as it was read.

    Raises Invalid `notes_too_long`.
    """
    product_ids = list(dict.fromkeys(product_ids))
    ahead = _read_ahead(product_ids, CHANNELS["product.approved"])
    rules = ahead.rules
    _require_length(notes or "", rules, shortest=0)

    def decide(product: Product) -> Product:
        _require_pending(product)
        _require_seen(product, versions.get(product.product_id))
        decision = {
            "moderation_notes": notes or "",
            "admin_id": admin.account_id,
            "approval_fee": rules.approval_fee,
        }
        return product.model_copy(update=decision | _now(product, Status.APPROVED))

    return _decide(product_ids, decide, history.DECISION, ahead)


def reject(
    product_id: int, notes: str, admin: Identity, seen: Container[int] | None = None
) -> Moderation:
    """Reject a pending product with a reason, and publish `product.rejected`.

    The outcomes are those of `approve`. Raises Invalid `notes_too_long` or `notes_too_short`.
    """
    ahead = _read_ahead([product_id])
    rules = ahead.rules
    _require_length(notes, rules, shortest=rules.shortest_rejection_notes)

    def decide(product: Product) -> Product:
        _require_pending(product)
        _require_seen(product, seen)
        decision = {"moderation_notes": notes, "admin_id": admin.account_id}
        return product.model_copy(update=decision | _now(product, Status.REJECTED))

    return _decide([product_id], decide, history.DECISION, ahead)


def submissions_bucket(shop_id: int | str) -> str:
    """Return the name of the platform's row that counts a shop's submissions."""
    return f"submissions#{shop_id}"


def _count_submission(shop: Identity) -> None:
    """Count a submission, also one that is refused later; raises TooManyRequests."""
    per_hour = config.current().submissions_per_shop_hour
    at_once = max(1, per_hour * MINUTES_AT_ONCE // 60)
    wait = buckets.take(submissions_bucket(shop.name), Rate(at_once, 3600 / per_hour))
    if wait:
        seconds = buckets.seconds_to_say(wait)
        raise TooManyRequests(
            "too_many_submissions",
            f"A shop may submit {per_hour} products an hour; wait {seconds} s.",
            retry_after_seconds=seconds,
        )


class _Ahead(NamedTuple):
    """What a decision begins with."""

    rules: PlatformSettings
    found: Mapping[int, Product]
    heads: Mapping[str, Position]


def _read_ahead(product_ids: Sequence[int], channels: Collection[str] = ()) -> _Ahead:
    """Read the settings, products and the heads of channels in one call, strongly consistent."""
    here = config.current()
    rows: dict[str, list[Any]] = defaultdict(list)
    for table, row in aws.batch_get_all(
        [
            (here.platform_table, platform_settings.KEY),
            *((here.products_table, products.key(n)) for n in product_ids),
            *((here.history_table, history.head_key(channel)) for channel in channels),
        ]
    ):
        rows[table].append(row)
    return _Ahead(
        rules=platform_settings.from_row(next(iter(rows[here.platform_table]), None)).settings,
        found=products.from_rows(rows[here.products_table]),
        heads=history.positions_in(rows[here.history_table]),
    )


def _decide(
    product_ids: Iterable[int],
    decide: Callable[[Product], Product],
    patience: Patience,
    ahead: _Ahead | None = None,
) -> Moderation:
    """Write each decision, on the condition that its product is as it was read, and publish all.

    A product is read and decided on again if another request has written it meanwhile. When a
    channel's head is busy, `history.commit` has tried long enough.
    """

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
    committed: list[Publication] = []
    heads = ahead.heads if ahead else None
    until = time.monotonic() + history.MAX_SECONDS
    for _ in aws.attempts(MAX_READINGS, until):
        found = ahead.found if ahead else products.find_many(undecided)
        ahead = None
        outcomes |= {n: outcome(n, found.get(n)) for n in undecided}
        decided = [made for n in undecided if isinstance(made := outcomes[n], Product)]
        undecided = []
        for batch in history.batches(map(_change, decided)):
            try:
                committed.append(history.commit(batch, patience, until, heads))
                heads = committed[-1].heads
            except WriteConflict:
                undecided += _product_ids(batch)
                heads = None
            except Unavailable as problem:
                outcomes |= dict.fromkeys(_product_ids(batch), problem)
        outcomes |= dict.fromkeys(undecided, busy)
        if not undecided:
            break
    return Moderation(outcomes, publishing.publish(committed))


def _product_ids(changes: Iterable[Change]) -> list[int]:
    return [change.event.data.product_id for change in changes]


def _now(product: Product, status: Status) -> dict[str, Any]:
    return {
        "moderation_status": status,
        "status_changed_at": datetime.now(UTC),
        "version": product.version + 1,
    }


def _require_pending(product: Product) -> None:
    if product.moderation_status is not Status.PENDING:
        raise Conflict("already_moderated", f"Product {product.product_id} is not pending.")


def _require_seen(product: Product, seen: Container[int] | None) -> None:
    """Raise unless the version that was decided on is the product's; every product begins at 1."""
    if seen is None and product.version > 1:
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
