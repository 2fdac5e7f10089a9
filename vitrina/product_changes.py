"""Changes of products: each is written if it is as it was read, and its events are published."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from vitrina import aws, history, posting, products, publishing
from vitrina.aws import Backoff
from vitrina.errors import Problem, Unavailable
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
from vitrina.history import Change, Publication, Receipt, WriteConflict
from vitrina.platform_settings import PlatformSettings
from vitrina.products import Product, Status
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


class Prefetched(NamedTuple):
    """The rows that are read before a decision."""

    rules: PlatformSettings
    found: Mapping[int, Product]
    heads: Mapping[str, Position]


def decide_all(
    product_ids: Iterable[int],
    decide: Callable[[Product], Product],
    backoff: Backoff,
    ahead: Prefetched | None = None,
    receipt: Receipt[Moderation] = history.no_receipt,
) -> Moderation:
    """Write each decision, on the condition that its product is as it was read, and publish all.

    A product is read and decided on again if another request has written it since. There is no
    further attempt when a channel's head is busy, as `history.commit` has made its own. The receipt
    is committed with the last decision, but not if one is busy: then the client tries again.
    """
    busy = Unavailable("busy", "Other requests are changing this product; try again.")
    outcomes: dict[int, Product | Problem] = dict.fromkeys(product_ids, busy)
    undecided = [*outcomes]
    committed: list[Publication] = []
    heads = ahead.heads if ahead else None
    until = time.monotonic() + history.MAX_COMMIT_SECONDS

    def receipt_with(changes: Sequence[Change]) -> list[Change]:
        if any(isinstance(each, Unavailable) for each in outcomes.values()):
            return []
        published = posting.event_ids(event for each in committed for event in each.events)
        broadcast = Broadcast(event_ids=[*published, *history.event_ids(changes)])
        return receipt(Moderation(outcomes, broadcast))

    try:
        for _ in aws.attempts(MAX_ATTEMPTS, until):
            found = ahead.found if ahead else products.find_many(undecided)
            ahead = None
            outcomes |= {n: _outcome(n, found.get(n), decide) for n in undecided}
            changes = [
                change_of(made, found[n])
                for n in undecided
                if isinstance(made := outcomes[n], Product) and made is not found[n]
            ]
            undecided = []
            for batch in _with_receipt(history.batches(changes), receipt_with):
                try:
                    committed.append(history.commit(batch, backoff, until, heads))
                    heads = committed[-1].heads
                except WriteConflict:
                    undecided += _product_ids(batch)
                    outcomes |= dict.fromkeys(undecided, busy)
                    heads = None
                except Unavailable as problem:
                    outcomes |= dict.fromkeys(_product_ids(batch), problem)
            if not undecided:
                break
    finally:
        broadcast = publishing.publish(committed)
    return Moderation(outcomes, broadcast)


def _outcome(
    product_id: int, found: Product | None, decide: Callable[[Product], Product]
) -> Product | Problem:
    if found is None:
        return products.not_found(product_id)
    try:
        return decide(found)
    except Problem as problem:
        return problem


def _with_receipt(
    batches: Iterable[list[Change]], receipt_with: Callable[[Sequence[Change]], list[Change]]
) -> Iterator[list[Change]]:
    """Yield batches, the last one with its receipt, which may be all there is to write."""
    *others, last = [*batches] or [[]]
    yield from others
    if whole := [*last, *receipt_with(last)]:
        yield whole


def _product_ids(changes: Iterable[Change]) -> list[int]:
    """Return the products of changes; a receipt has no event."""
    return [change.events[-1].data.product_id for change in changes if change.events]


def change_of(product: Product, before: Product | None = None) -> Change:
    """Return the write of a product, and the events of its change."""
    return Change(products.put(product), [*_events(product, before)])


def _events(product: Product, before: Product | None = None) -> Iterator[Published]:
    if before and before.moderation_status is Status.APPROVED:
        # With the name that was approved, not the edited one.
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
