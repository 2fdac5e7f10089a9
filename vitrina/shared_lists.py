"""Shared lists: whether a page of approved products is at least as new as a position.

The edge gives such a page to every client that sends the same position. Anybody may ask for it,
also before the position exists, or before the index that pages are read from has its event.
"""

import re
import time
from typing import NamedTuple

from pydantic_core import from_json

from vitrina import history, products
from vitrina.channels import CHANNELS
from vitrina.history import StoredEvent
from vitrina.products import Page, Product, Status

# The channels that a list of approved products follows.
FOLLOWED = CHANNELS["product.approved"]
# The index follows the table, usually within milliseconds.
INDEX_LAG_MS = 10_000
PAUSES_SECONDS = (0.05, 0.1, 0.2)

_POSITION = re.compile(r"([0-9a-f]{8}):([0-9]{1,15})")


class SharedList(NamedTuple):
    page: Page
    may_be_shared: bool


class _Position(NamedTuple):
    """A position that is known to be committed."""

    channel: str
    seq: int


def read(limit: int, cursor: str | None, since: str | None) -> SharedList:
    """List approved products, and say whether the page is not older than `since`.

    `since` is an epoch and a number, as in `3f0c9a1e:58`; without it every page may be shared.
    Raises Malformed `cursor_invalid`.
    """
    if since is None:
        return SharedList(_page(limit, cursor), may_be_shared=True)
    # Before the page is read, so that the page is newer.
    position = _committed(since)
    if position is None:
        return SharedList(_page(limit, cursor), may_be_shared=False)
    event = _young_event(position) if cursor is None else None
    for pause in (0, *PAUSES_SECONDS):
        time.sleep(pause)
        page = _page(limit, cursor)
        if event is None or _has(page, event):
            return SharedList(page, may_be_shared=True)
    return SharedList(page, may_be_shared=False)


def _page(limit: int, cursor: str | None) -> Page:
    return products.list_by_status(Status.APPROVED, None, limit, cursor)


def _committed(since: str) -> _Position | None:
    """Return the position if the number has been given in a channel of this epoch."""
    found = _POSITION.fullmatch(since)
    if not found:
        return None
    epoch, seq = found[1], int(found[2])
    for channel, head in history.known_positions(FOLLOWED).items():
        if head.epoch == epoch and seq <= head.seq:
            return _Position(channel, seq)
    return None


def _young_event(position: _Position) -> StoredEvent | None:
    """Return the event of a position if the index may not have it yet."""
    oldest = history.now_ms() - INDEX_LAG_MS
    # The number 0 is the head itself.
    events = history.read(position.channel, [position.seq]) if position.seq else []
    return next((event for event in events if event.created_at_ms > oldest), None)


def _has(page: Page, event: StoredEvent) -> bool:
    """Return whether the first page has an event's product exactly if it is approved now."""
    product_id = from_json(event.body)["data"].get("product_id")
    product = products.find_many([product_id]).get(product_id) if product_id else None
    if product is None:
        return True
    listed = next((item for item in page.items if item.product_id == product_id), None)
    if product.moderation_status is not Status.APPROVED:
        return listed is None
    return listed.version >= product.version if listed else _is_after(page, product)


def _is_after(page: Page, product: Product) -> bool:
    """Return whether a product is on a later page: the newest come first."""
    return page.cursor is not None and (
        product.status_changed_at <= page.items[-1].status_changed_at
    )
