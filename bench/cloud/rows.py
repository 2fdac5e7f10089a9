"""Rows of the tables, as the service stores them."""

import time
from datetime import UTC, datetime
from typing import Any

from argon2 import PasswordHasher

from vitrina import lanes
from vitrina.events import ProductApproval, ProductApproved
from vitrina.lanes import Lane

HOUR_SECONDS = 3600

StoredRow = dict[str, Any]


def connection(connection_id: str) -> StoredRow:
    """Return an open connection of user 1."""
    now = int(time.time())
    return {
        "partition": f"connection#{connection_id}",
        "member": "connection",
        "client_type": "user",
        "identity": "1",
        "account_id": 1,
        "connected_at": now,
        "expires_at": now + HOUR_SECONDS,
    }


def head(channel: str, last: int, epoch: str) -> StoredRow:
    """Return the position of a channel."""
    return {"channel": channel, "seq": 0, "last": last, "epoch": epoch}


def event(channel: str, seq: int) -> StoredRow:
    """Return a published event."""
    now = int(time.time())
    approved = ProductApproved(
        timestamp=datetime.fromtimestamp(now, UTC),
        data=ProductApproval(
            product_id=seq,
            product_name="Красное платье",
            shop_id=10,
            shop_name="Fashion Store",
            moderation_notes="Отличный товар",
            admin_id=1,
            approval_fee=5.0,
        ),
    )
    return {
        "channel": channel,
        "seq": seq,
        "event_id": approved.id,
        "body": approved.body_for(channel, seq).decode(),
        "created_at": now * 1000,
        "expires_at": now + HOUR_SECONDS,
    }


def lane(of: Lane, pending: set[int]) -> StoredRow:
    """Return the row of a lane that owes publications, by their first numbers."""
    names = (lanes.PREFIX, of.epoch, of.kind, of.partition_key, of.channel)
    return {"channel": "@".join(names), "seq": 0, "pending": pending}


def pending_product(product_id: int) -> StoredRow:
    return {
        "product_id": product_id,
        "product_name": "Красное платье",
        "shop_id": 10,
        "shop_name": "Fashion Store",
        "moderation_status": "pending",
        "status_changed_at": "2026-01-01T12:00:00+00:00",
        "shop_status": "10#pending",
        "version": 1,
    }


def account(email: str, password: str) -> StoredRow:
    """Return a user's account."""
    return {
        "email": email,
        "account_id": 1,
        "client_type": "user",
        "password_hash": PasswordHasher().hash(password),
    }
