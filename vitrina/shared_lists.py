"""Shared lists: whether a page of approved products is at least as new as a position.

The edge serves such a page to every client that sends the same position. A client may also send a
position that does not exist yet, or whose event is not in the index of products yet.
"""

import re
import time
from collections.abc import Iterable
from typing import NamedTuple

from pydantic_core import from_json

from vitrina import clock, history, listings, products
from vitrina.channels import CHANNELS
from vitrina.history import Span, StoredEvent
from vitrina.listings import PublicPage
from vitrina.products import Product, Status

# The channels that a list of approved products follows.
LIST_CHANNELS = CHANNELS["product.approved"]
# The index follows the table, usually within milliseconds.
INDEX_LAG_MS = 10_000
# As many products as one request can approve, each with an event.
MAX_RECENT_EVENTS = 100
PAUSES_SECONDS = (0.05, 0.1, 0.2)

_POSITION = re.compile(r"([0-9a-f]{8}):([0-9]{1,15})")


class SharedList(NamedTuple):
    page: PublicPage
    may_be_shared: bool


class _Position(NamedTuple):
    """A position that is known to be committed."""

    channel: str
    seq: int


def read(shop_id: int | None, limit: int, cursor: str | None, since: str | None) -> SharedList:
    """List approved products, of a shop or of all, and say if the page is not older than `since`.

    `since` is an epoch and a number, as in `3f0c9a1e:58`; without it every page may be shared.
    Raises Malformed `cursor_invalid`.
    """
    if since is None:
        return SharedList(listings.of_approved(shop_id, limit, cursor), may_be_shared=True)
    # Before the page is read, so that the page is newer.
    position = _committed(since)
    if position is None:
        return SharedList(listings.of_approved(shop_id, limit, cursor), may_be_shared=False)
    events = _recent_events(position) if cursor is None else []
    for pause in (0, *PAUSES_SECONDS):
        time.sleep(pause)
        page = listings.of_approved(shop_id, limit, cursor)
        if _has_all(page, events, shop_id):
            return SharedList(page, may_be_shared=True)
    return SharedList(page, may_be_shared=False)


def _committed(since: str) -> _Position | None:
    """Return the position if the number has been given in a channel of this epoch."""
    found = _POSITION.fullmatch(since)
    if not found:
        return None
    epoch, seq = found[1], int(found[2])
    for channel, head in history.known_positions(LIST_CHANNELS).items():
        if head.epoch == epoch and seq <= head.seq:
            return _Position(channel, seq)
    return None


def _recent_events(position: _Position) -> list[StoredEvent]:
    """Return the events up to a position that the index may not have yet.

    Most positions are older: then one event is read instead of a hundred.
    """
    channel, seq = position
    first = max(1, seq - MAX_RECENT_EVENTS + 1)  # the number 0 is the head itself
    if not _recent(history.read(Span(channel, max(1, seq), seq))):
        return []
    return _recent(history.read(Span(channel, first, seq)))


def _recent(events: Iterable[StoredEvent]) -> list[StoredEvent]:
    oldest = clock.now_ms() - INDEX_LAG_MS
    return [event for event in events if event.created_at_ms > oldest]


def _has_all(page: PublicPage, events: Iterable[StoredEvent], shop_id: int | None) -> bool:
    """Return whether the first page has the products of events exactly if they are approved now.

    Those of other shops than the list's do not matter.
    """
    data = (from_json(event.body)["data"] for event in events)
    product_ids = {
        each["product_id"]
        for each in data
        if "product_id" in each and shop_id in (None, each["shop_id"])
    }
    found = products.find_many(product_ids) if product_ids else {}
    return all(_has(page, product) for product in found.values())


def _has(page: PublicPage, product: Product) -> bool:
    listed = next((item for item in page.items if item.product_id == product.product_id), None)
    if product.moderation_status is not Status.APPROVED:
        return listed is None
    return listed.version >= product.version if listed else _is_after(page, product)


def _is_after(page: PublicPage, product: Product) -> bool:
    """Return whether a product is on a later page: the newest come first."""
    return page.cursor is not None and (
        product.status_changed_at <= page.items[-1].status_changed_at
    )
