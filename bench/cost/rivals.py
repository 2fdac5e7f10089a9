"""What others ask for the same connections and events, at the prices that they publish."""

from typing import NamedTuple

from bench.cloud.bill import GB, MILLION
from bench.cost.month import Month
from bench.cost.usage import DAYS, Usage

# One publication in each of three channels: users, shops, admins.
CHANNELS = 3


class Range(NamedTuple):
    """Dollars a month: at the list price, and at the lowest that is published for any volume."""

    most: float
    least: float
    is_without_base: bool = False
    """A fee comes on top that is not published."""


def _published(usage: Usage) -> float:
    return usage.approvals * CHANNELS * DAYS


# --- AppSync Events: aws.amazon.com/appsync/pricing -----------------------------------------------

APPSYNC_OPERATION, APPSYNC_MINUTE = 1.00 / MILLION, 0.08 / MILLION
APPSYNC_TRANSFER = 0.09 / GB


def appsync(month: Month, usage: Usage, event_bytes: float) -> float:
    """Operations are publications, deliveries of 5 KB, connections and subscriptions."""
    visits = 2 * _sessions(month, usage)
    operations = _published(usage) + month.live + visits
    return (
        operations * APPSYNC_OPERATION
        + _minutes(month, usage) * APPSYNC_MINUTE
        + month.live * event_bytes * APPSYNC_TRANSFER
    )


def appsync_keep_alives(month: Month, usage: Usage) -> float:
    """Return what the service's own keep-alive a minute would add, were it an operation."""
    return _minutes(month, usage) * APPSYNC_OPERATION


# --- Ably: ably.com/docs/platform/pricing, August 2026 --------------------------------------------

ABLY_MESSAGE, ABLY_MESSAGE_LEAST = 2.50 / MILLION, 0.50 / MILLION
ABLY_MINUTE, ABLY_MINUTE_LEAST = 1.00 / MILLION, 0.20 / MILLION
ABLY_USER, ABLY_USER_LEAST = 0.05, 0.01
# Of one user and month, in the price of a user.
ABLY_USER_MESSAGES, ABLY_USER_MINUTES = 20_000, 2_000


class _Package(NamedTuple):
    dollars: float
    connections: int
    messages_per_second: int


ABLY_PACKAGES = (_Package(29, 10_000, 2_500), _Package(399, 50_000, 10_000))


def ably_by_use(month: Month, usage: Usage) -> Range:
    """Messages are publications, deliveries, and what is read from history."""
    messages, minutes = _published(usage) + month.delivered, _minutes(month, usage)
    return _with_base(
        month,
        usage,
        messages * ABLY_MESSAGE + minutes * ABLY_MINUTE,
        messages * ABLY_MESSAGE_LEAST + minutes * ABLY_MINUTE_LEAST,
    )


def ably_by_user(month: Month, usage: Usage) -> Range:
    users = month.phones * usage.users
    beyond = max(0, month.delivered - users * ABLY_USER_MESSAGES) * ABLY_MESSAGE
    beyond += max(0, _minutes(month, usage) - users * ABLY_USER_MINUTES) * ABLY_MINUTE
    most, least = users * ABLY_USER, users * ABLY_USER_LEAST
    return _with_base(month, usage, most + beyond, least + beyond)


def _with_base(month: Month, usage: Usage, most: float, least: float) -> Range:
    """Add the smallest package that takes the connections, and an event to them in a second."""
    at_once = month.phones * usage.connected_at_approval
    for package in ABLY_PACKAGES:
        if month.phones <= package.connections and at_once <= package.messages_per_second:
            # Its own discounts are for volumes that are not said.
            return Range(package.dollars + most, package.dollars + most)
    return Range(most, least, is_without_base=True)


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
    """Return the smallest plan that is enough; None when the largest published one is not."""
    a_day = (_published(usage) + month.live) / DAYS
    for plan in PUSHER_PLANS:
        if month.phones <= plan.connections and a_day <= plan.messages_per_day:
            return plan
    return None


def _sessions(month: Month, usage: Usage) -> float:
    return month.phones * usage.sessions * DAYS


def _minutes(month: Month, usage: Usage) -> float:
    return month.phones * usage.connected_minutes * DAYS
