"""Moderation: a shop submits a product, an administrator approves, rejects or withdraws it."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
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
    ProductWithdrawal,
    ProductWithdrawn,
    Published,
)
from vitrina.history import Change, Publication, WriteConflict
from vitrina.platform_settings import PlatformSettings
from vitrina.products import MAX_DECISIONS, Decision, Product, Status, Submission
from vitrina.publishing import Broadcast

# Products are read again when another request wrote one of them in the meantime.
MAX_READINGS = 5
# A shop may send the submissions of so many minutes at once: 20 of 120 an hour.
MINUTES_AT_ONCE = 10
NOT_TOLD: Mapping[int, int] = {}


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
    product_id: int, submission: Submission, shop: Identity, expected_version: int | None = None
) -> Moderation:
    """Replace a shop's product, which becomes pending again from every status.

    Publishes `product.submitted`, and before it `product.withdrawn` for an approved product. With
    `expected_version`, only that version is replaced. The outcome may be NotFound
    `product_not_found`, Forbidden `product_forbidden`, Conflict `product_changed` or Unavailable
    `busy`. Raises TooManyRequests `too_many_submissions`.
    """
    _count_submission(shop)

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
            decisions=product.decisions,
            **_now(product, Status.PENDING),
        )

    return _decide([product_id], decide, history.SUBMISSION)


def approve(
    product_ids: Iterable[int],
    notes: str | None,
    admin: Identity,
    versions: Mapping[int, int] = NOT_TOLD,
) -> Moderation:
    """Approve each pending product at the fee in force, and publish `product.approved`.

    `versions` has the version that the administrator has seen, by product. A product that was
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
        approved = _decided(product, Status.APPROVED, notes or "", admin)
        return approved.model_copy(update={"approval_fee": rules.approval_fee})

    return _decide(product_ids, decide, history.DECISION, ahead)


def reject(
    product_ids: Iterable[int],
    notes: str,
    admin: Identity,
    versions: Mapping[int, int] = NOT_TOLD,
) -> Moderation:
    """Reject each pending product with a reason, and publish `product.rejected`.

    `versions` and the outcomes are those of `approve`. Raises Invalid `notes_too_long` or
    `notes_too_short`.
    """
    product_ids = list(dict.fromkeys(product_ids))
    ahead = _read_ahead(product_ids)
    _require_reason(notes, ahead.rules)

    def decide(product: Product) -> Product:
        _require_pending(product)
        _require_seen(product, versions.get(product.product_id))
        return _decided(product, Status.REJECTED, notes, admin)

    return _decide(product_ids, decide, history.DECISION, ahead)


def withdraw(
    product_id: int, notes: str, admin: Identity, expected_version: int | None = None
) -> Moderation:
    """Take an approved product out of public view, and publish `product.withdrawn`.

    A product that was edited after its first submission needs the version that the administrator
    has seen. The outcome may be NotFound `product_not_found`, Conflict `not_approved` or
    `product_changed`, PreconditionRequired `version_missing`, or Unavailable `busy`. Raises Invalid
    `notes_too_long` or `notes_too_short`.
    """
    ahead = _read_ahead([product_id], CHANNELS["product.withdrawn"])
    _require_reason(notes, ahead.rules)

    def decide(product: Product) -> Product:
        if product.moderation_status is not Status.APPROVED:
            raise Conflict("not_approved", f"Product {product_id} is not approved.")
        # Submitted, approved.
        _require_seen(product, expected_version, unedited=2)
        return _decided(product, Status.WITHDRAWN, notes, admin)

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
        changes = (_change(made, found[made.product_id]) for made in decided)
        for batch in history.batches(changes):
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
    return [change.events[-1].data.product_id for change in changes]


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


def _require_pending(product: Product) -> None:
    if product.moderation_status is not Status.PENDING:
        raise Conflict("already_moderated", f"Product {product.product_id} is not pending.")


def _require_seen(product: Product, version: int | None, unedited: int = 1) -> None:
    """Raise unless the version that was decided on is the product's.

    A product that was never edited, which has the version `unedited`, needs none.
    """
    if version is None and product.version > unedited:
        raise PreconditionRequired(
            "version_missing",
            f"Product {product.product_id} was edited after its submission; send the version that "
            "you have read.",
        )
    _require_version(product, version)


def _require_version(product: Product, expected: int | None) -> None:
    if expected not in (None, product.version):
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


def _change(product: Product, before: Product | None = None) -> Change:
    """Return the write of a product, and the events of its change."""
    return Change(products.put(product), [*_events(product, before)])


def _events(product: Product, before: Product | None = None) -> Iterator[Published]:
    if before and before.moderation_status is Status.APPROVED:
        # With the name that everyone knows: nobody has approved that of an edit.
        known = before.model_copy(update={"version": product.version})
        withdrawal = ProductWithdrawal.model_validate(known, from_attributes=True)
        yield ProductWithdrawn(data=withdrawal)
    match product.moderation_status:
        case Status.PENDING:
            submission = ProductSubmission.model_validate(product, from_attributes=True)
            yield ProductSubmitted(data=submission)
        case Status.APPROVED:
            approval = ProductApproval.model_validate(product, from_attributes=True)
            yield ProductApproved(data=approval)
        case Status.REJECTED:
            rejection = ProductRejection.model_validate(product, from_attributes=True)
            yield ProductRejected(data=rejection)
