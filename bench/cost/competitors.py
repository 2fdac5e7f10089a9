"""The price of the same connections and events at other services, as published."""

from typing import NamedTuple

from bench.cloud.bill import GB, MILLION
from bench.cost.month import Month
from bench.cost.usage import DAYS, Usage

# One publication in each of three channels: users, shops, admins.
CHANNELS = 3


class PriceRange(NamedTuple):
    """Dollars a month: at the list price, and at the lowest published volume price."""

    highest: float
    lowest: float
    excludes_base_fee: bool = False
    """Whether a base fee that is not published is added."""


def _published(usage: Usage) -> float:
    return usage.approvals * CHANNELS * DAYS


# --- AppSync Events: aws.amazon.com/appsync/pricing -----------------------------------------------

APPSYNC_OPERATION, APPSYNC_MINUTE = 1.00 / MILLION, 0.08 / MILLION
APPSYNC_TRANSFER = 0.09 / GB


def appsync(month: Month, usage: Usage, event_bytes: float) -> float:
    """Operations are publications, deliveries (per 5 KB), connections and subscriptions."""
    connects_and_subscribes = 2 * _sessions(month, usage)
    operations = _published(usage) + month.live + connects_and_subscribes
    return (
        operations * APPSYNC_OPERATION
        + _minutes(month, usage) * APPSYNC_MINUTE
        + month.live * event_bytes * APPSYNC_TRANSFER
    )


def appsync_keep_alives(month: Month, usage: Usage) -> float:
    """Return the price of the service's own keep-alive every minute, if it is an operation."""
    return _minutes(month, usage) * APPSYNC_OPERATION


# --- Ably: ably.com/docs/platform/pricing, August 2026 --------------------------------------------

ABLY_MESSAGE, ABLY_MESSAGE_MIN = 2.50 / MILLION, 0.50 / MILLION
ABLY_MINUTE, ABLY_MINUTE_MIN = 1.00 / MILLION, 0.20 / MILLION
ABLY_USER, ABLY_USER_MIN = 0.05, 0.01
# Included in the price of a user, per month.
ABLY_USER_MESSAGES, ABLY_USER_MINUTES = 20_000, 2_000


class _Package(NamedTuple):
    dollars: float
    connections: int
    messages_per_second: int


ABLY_PACKAGES = (_Package(29, 10_000, 2_500), _Package(399, 50_000, 10_000))


def ably_by_use(month: Month, usage: Usage) -> PriceRange:
    """Messages are publications, deliveries, and events read from the history."""
    messages, minutes = _published(usage) + month.delivered, _minutes(month, usage)
    return _with_base(
        month,
        usage,
        messages * ABLY_MESSAGE + minutes * ABLY_MINUTE,
        messages * ABLY_MESSAGE_MIN + minutes * ABLY_MINUTE_MIN,
    )


def ably_by_user(month: Month, usage: Usage) -> PriceRange:
    users = month.phones * usage.users
    beyond = max(0, month.delivered - users * ABLY_USER_MESSAGES) * ABLY_MESSAGE
    beyond += max(0, _minutes(month, usage) - users * ABLY_USER_MINUTES) * ABLY_MINUTE
    highest, lowest = users * ABLY_USER, users * ABLY_USER_MIN
    return _with_base(month, usage, highest + beyond, lowest + beyond)


def _with_base(month: Month, usage: Usage, highest: float, lowest: float) -> PriceRange:
    """Add the smallest package for these connections, and for an event to them in one second."""
    at_once = month.phones * usage.connected_at_approval
    for package in ABLY_PACKAGES:
        if month.phones <= package.connections and at_once <= package.messages_per_second:
            # The volumes of its discounts are not published.
            return PriceRange(package.dollars + highest, package.dollars + highest)
    return PriceRange(highest, lowest, excludes_base_fee=True)


# --- Pusher Channels: pusher.com/channels/pricing, May 2026 ---------------------------------------


class _Plan(NamedTuple):
    name: str
    dollars: float
    connections: int
    messages_per_day: int


PUSHER_PLANS = (
    _Plan("Sandbox", 0, 100, 200_000),
    _Plan("Startup", 49, 500, 1_000_000),
    _Plan("Pro", 99, 2_000, 4_000_000),
    _Plan("Business", 299, 5_000, 10_000_000),
    _Plan("Premium", 499, 10_000, 20_000_000),
    _Plan("Growth", 699, 15_000, 40_000_000),
    _Plan("Plus", 899, 20_000, 60_000_000),
    _Plan("Growth Plus", 1_199, 30_000, 90_000_000),
)


def pusher(month: Month, usage: Usage) -> _Plan | None:
    """Return the smallest sufficient plan; None if no published one is."""
    daily = (_published(usage) + month.live) / DAYS
    for plan in PUSHER_PLANS:
        if month.phones <= plan.connections and daily <= plan.messages_per_day:
            return plan
    return None


def _sessions(month: Month, usage: Usage) -> float:
    return month.phones * usage.sessions * DAYS


def _minutes(month: Month, usage: Usage) -> float:
    return month.phones * usage.connected_minutes * DAYS
