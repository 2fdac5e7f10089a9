"""The price of the same connections and events at other services, as published."""

from collections.abc import Iterable
from typing import NamedTuple

from bench.cloud.bill import GB, MILLION
from bench.cost.month import Month
from bench.cost.usage import DAYS

# One publication in each of three channels: users, shops, admins.
CHANNELS = 3


class Plan(NamedTuple):
    """A monthly fee, and up to how many connections and messages it is sold for."""

    name: str
    dollars: float
    connections: int
    messages: int


def _smallest(plans: Iterable[Plan], connections: float, messages: float) -> Plan | None:
    sufficient = (p for p in plans if connections <= p.connections and messages <= p.messages)
    return next(sufficient, None)


def _published(month: Month) -> float:
    return month.usage.approvals * CHANNELS * DAYS


# --- AppSync Events: aws.amazon.com/appsync/pricing -----------------------------------------------

APPSYNC_OPERATION, APPSYNC_MINUTE = 1.00 / MILLION, 0.08 / MILLION
APPSYNC_TRANSFER = 0.09 / GB


def appsync(month: Month) -> float:
    """Operations are publications, deliveries (per 5 KB), connections and subscriptions."""
    connects_and_subscribes = 2 * month.sessions
    operations = _published(month) + month.live + connects_and_subscribes
    return (
        operations * APPSYNC_OPERATION
        + month.minutes * APPSYNC_MINUTE
        + month.live * month.units.event_bytes * APPSYNC_TRANSFER
    )


def appsync_keep_alives(month: Month) -> float:
    """Return the price of the service's own keep-alive every minute, if it is an operation."""
    return month.minutes * APPSYNC_OPERATION


# --- Ably: ably.com/docs/platform/pricing, August 2026 --------------------------------------------

ABLY_MESSAGE, ABLY_MESSAGE_MIN = 2.50 / MILLION, 0.50 / MILLION
ABLY_MINUTE, ABLY_MINUTE_MIN = 1.00 / MILLION, 0.20 / MILLION
ABLY_USER, ABLY_USER_MIN = 0.05, 0.01
# Included in the price of a user, per month.
ABLY_USER_MESSAGES, ABLY_USER_MINUTES = 20_000, 2_000
# With messages per second.
ABLY_PACKAGES = (Plan("Standard", 29, 10_000, 2_500), Plan("Pro", 399, 50_000, 10_000))


class PriceRange(NamedTuple):
    """Dollars a month: at the list price, and at the lowest published volume price."""

    highest: float
    lowest: float
    excludes_base_fee: bool = False
    """Whether a base fee that is not published is added."""


def ably_by_use(month: Month) -> PriceRange:
    """Messages are publications, deliveries, and events read from the history."""
    messages = _published(month) + month.delivered
    return _with_base(
        month,
        messages * ABLY_MESSAGE + month.minutes * ABLY_MINUTE,
        messages * ABLY_MESSAGE_MIN + month.minutes * ABLY_MINUTE_MIN,
    )


def ably_by_user(month: Month) -> PriceRange:
    users = month.phones * month.usage.users
    beyond = max(0, month.delivered - users * ABLY_USER_MESSAGES) * ABLY_MESSAGE
    beyond += max(0, month.minutes - users * ABLY_USER_MINUTES) * ABLY_MINUTE
    return _with_base(month, users * ABLY_USER + beyond, users * ABLY_USER_MIN + beyond)


def _with_base(month: Month, highest: float, lowest: float) -> PriceRange:
    """Add the smallest package for these connections, and for an event to them in one second."""
    at_once = month.phones * month.usage.connected_at_approval
    if package := _smallest(ABLY_PACKAGES, month.phones, at_once):
        # The volumes of its discounts are not published.
        return PriceRange(package.dollars + highest, package.dollars + highest)
    return PriceRange(highest, lowest, excludes_base_fee=True)


# --- Pusher Channels: pusher.com/channels/pricing, May 2026 ---------------------------------------

# With messages per day.
PUSHER_PLANS = (
    Plan("Sandbox", 0, 100, 200_000),
    Plan("Startup", 49, 500, 1_000_000),
    Plan("Pro", 99, 2_000, 4_000_000),
    Plan("Business", 299, 5_000, 10_000_000),
    Plan("Premium", 499, 10_000, 20_000_000),
    Plan("Growth", 699, 15_000, 40_000_000),
    Plan("Plus", 899, 20_000, 60_000_000),
    Plan("Growth Plus", 1_199, 30_000, 90_000_000),
)


def pusher(month: Month) -> Plan | None:
    """Return the smallest sufficient plan; None if no published one is."""
    return _smallest(PUSHER_PLANS, month.phones, (_published(month) + month.live) / DAYS)
