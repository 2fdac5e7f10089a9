"""Requests of clients, as API Gateway hands them to the functions."""

from collections.abc import Mapping
from typing import Any

from bench.cloud import rows
from bench.cloud.stack import Stack
from harness import gateway_events
from vitrina.channels import ClientType


def by_admin(here: Stack, path: str, body: Any = None, method: str = "POST") -> dict[str, Any]:
    """Return a request of an administrator; the path is what follows `/api/v1/admin/`."""
    token = here.token(ClientType.ADMIN)
    return gateway_events.http(method, f"/api/v1/admin/{path}", token=token, body=body)


def approval(here: Stack, *product_ids: int) -> dict[str, Any]:
    """Store products, and return the request to approve all of them."""
    for product_id in product_ids:
        here.put("products", rows.pending_product(product_id))
    body: dict[str, Any] = {"moderation_notes": "Отличный товар"}
    if len(product_ids) == 1:
        return by_admin(here, f"products/{product_ids[0]}/approve", body)
    return by_admin(here, "products/bulk-approve", body | {"product_ids": [*product_ids]})


def announcement(here: Stack, channel: str) -> dict[str, Any]:
    body = {"to": channel, "title": "Распродажа", "text": "До воскресенья"}
    return by_admin(here, "announcements", body)


def resume(connection_id: str, positions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    body = {"type": "resume", "positions": positions}
    return gateway_events.websocket("MESSAGE", connection_id, body=body)
