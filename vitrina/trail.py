"""The trail: a log line for each request that may change something, and for each login.

A line has the `actor`, the `source`, the action (`method`, `route`, and the ids concerned) and the
result (`status`, and the `code` of a refusal). It contains no token, password, text or email
address: `email_hash` stands for an address, as in the counts of logins.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from aws_lambda_powertools import Logger

logger = Logger()

# Of the largest integer that JavaScript reads exactly.
MAX_ID_DIGITS = 16

_noted: ContextVar[dict[str, Any] | None] = ContextVar("noted", default=None)


def begin() -> None:
    """Forget what was noted of the request before."""
    _noted.set({})


def note(**fields: Any) -> None:
    """Add fields to the line of the present request; outside a request, do nothing."""
    if (noted := _noted.get()) is not None:
        noted.update(fields)


def write(source: str, method: str, route: str, ids: Mapping[str, str], status: int) -> None:
    """Write the line. `ids` are those of the path as sent; only numbers are written."""
    fields: dict[str, Any] = {"source": source, "method": method, "route": route}
    fields |= {name: int(text) for name, text in ids.items() if _is_number(text)}
    logger.info("audit", **fields | (_noted.get() or {}) | {"status": status})


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS
