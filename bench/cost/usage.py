"""The assumptions of docs/cost.md about usage."""

import math
from typing import NamedTuple

from infra.cdk.stages import CHOICES
from vitrina.config import Policy
from vitrina.listings import LIST_TTL_SECONDS
from vitrina.metrics import UNITS

DAYS = 30
MINUTES = DAYS * 24 * 60
"""Of a month."""
STEP_SECONDS = 5
"""In which the time until a ping is computed."""


class Usage(NamedTuple):
    """What users do, for each phone that is connected at the daily peak."""

    users: float = 10
    sessions: float = 24
    session_minutes: float = 20
    ping_seconds: float = CHOICES["prod"]["ping_interval_seconds"]
    pings_despite_events: float = 0
    approvals: float = 100
    events_per_post: float = 1
    connected_at_approval: float = 0.5
    resumes: float = 0.5
    missed_events: float = 5
    positions_in_handshakes: float = 1
    lists_per_event: float = 0.1
    token_minutes: float = Policy.model_fields["token_lifetime_seconds"].default / 60

    @property
    def connected_minutes(self) -> float:
        """Of one day."""
        return self.sessions * self.session_minutes

    @property
    def connected(self) -> float:
        """The share of the peak's connections that is open on average."""
        return self.connected_minutes / (24 * 60)

    @property
    def token_exchanges(self) -> float:
        """Of one day: a person's first visit after the token has expired exchanges it.

        Visits come independently of each other; a connection that resumes continues one.
        """
        visits = self.sessions * (1 - self.resumes) / self.users
        return self.users / (self.token_minutes / (24 * 60) + 1 / visits)

    @property
    def pings(self) -> float:
        """Of one connection: at each end of an interval of silence, except at the connection's end.

        An event ends a silence, and events come independently of each other.
        """
        minutes, interval = self.session_minutes, self.ping_seconds / 60
        if self.pings_despite_events:
            return math.ceil(minutes / interval) - 1
        received = self.approvals * self.connected_at_approval / self.connected_minutes
        return _pings(minutes, interval, received)


def _pings(minutes: float, interval: float, events_per_minute: float) -> float:
    """Return the expected pings of a connection that begins with a frame (a renewal equation)."""
    step = STEP_SECONDS / 60
    silent = round(interval / step)
    event = 1 - math.exp(-events_per_minute * step)
    # What is expected of the steps that are left after a frame.
    expected = [0.0] * (silent + 1)
    for left in range(silent + 1, round(minutes / step) + 1):
        after_an_event = sum(
            event * (1 - event) ** (n - 1) * expected[left - n] for n in range(1, silent + 1)
        )
        expected.append(after_an_event + (1 - event) ** silent * (1 + expected[left - silent]))
    return expected[min(round(minutes / step), len(expected) - 1)]


SHORT_VISITS = Usage(sessions=96, session_minutes=5, missed_events=2)
"""As many connected minutes, in connections that are a quarter as long."""


SELDOM = {
    *("Failed", "Throttled", "Refused", "Probes", "ProbesThrottled", "SlowReaders"),
    *("LeftBehind", "ExpiredTasks", "LoginsUnderAttack", "settings.updated"),
    *("announcement.published", "Pushed", "PushesFailed"),
}
"""Metrics that have no value in nearly all hours: of failures, of events that the usage has none
of, and of push. A metric is billed for the hours in which it has one."""


class Upkeep(NamedTuple):
    """What is billed without any usage, and what every request adds."""

    alarms: float = 41
    metrics: float = len(UNITS.keys() - SELDOM)
    dashboards: float = 1
    secrets: float = 2
    firewalls: float = 1
    firewall_rules: float = 2
    counts_per_minute: float = 1
    queue_polls_per_minute: float = 30
    processes_per_busy: float = 3
    cold_starts: float = 0.01
    traced: float = 0.05
    traced_per_second: float = 1
    log_retention_days: float = CHOICES["prod"]["log_retention_days"]
    system_log_bytes: float = 0
    logged_connections: float = CHOICES["prod"]["logged_connections_percent"] / 100
    access_log_bytes: float = 260
    greetings_per_batch: float = 1
    handshakes_at_the_edge: float = 1
    edge_places: float = 10
    cached_seconds: float = LIST_TTL_SECONDS
    response_header_bytes: float = 600
    request_bytes: float = 1_000
    frame_header_bytes: float = 4
    closed_row_bytes: float = 500
    closed_row_days: float = 2
    stored_bytes_per_user: float = 1_000
    stored_bytes: float = 2**30


UPKEEP = Upkeep()

DESCRIPTIONS = {
    "users": "people with the app, per phone connected at the peak",
    "sessions": "connections that these people open per day, together",
    "session_minutes": "minutes that a connection stays open, with the app in the foreground",
    "ping_seconds": "seconds between keep-alives (`ping_interval_seconds` of `prod`)",
    "pings_despite_events": "1 if clients ping at every interval, 0 if after as much silence",
    "approvals": "events to everyone per day, independent of the number of phones",
    "events_per_post": "events in one frame: more than one in a bulk approval, or within a round",
    "connected_at_approval": "share of the peak's phones that is connected when an event is sent",
    "resumes": "share of connections that continue a visit; the others are app starts",
    "missed_events": "events that a continued visit has missed, and recovers",
    "positions_in_handshakes": "share of these that bring their positions in the handshake",
    "lists_per_event": "lists fetched per received event, besides one per app start",
    "token_minutes": "minutes after which an app start exchanges the refresh token",
    "alarms": "metrics of alarms: each metric of a calculated alarm is billed as an alarm",
    "metrics": "custom metrics that have values in each hour",
    "dashboards": "dashboards",
    "secrets": "secrets: the signing key, and what the edge sends",
    "firewalls": "firewalls",
    "firewall_rules": "firewall rules",
    "counts_per_minute": "requests to `/health` or `/ws/stats` per minute",
    "queue_polls_per_minute": "polls of two empty queues per minute: 5 pollers of each wait 20 s",
    "processes_per_busy": "warm processes of a function for each that is busy, and one more; they "
    "read their secrets every 5 minutes",
    "cold_starts": "share of invocations that start cold; AWS gives 1% as the usual maximum",
    "traced": "share of a traced function's invocations that X-Ray records …",
    "traced_per_second": "… besides so many of each second, of each function",
    "log_retention_days": "days that logs are stored, as in `prod`",
    "system_log_bytes": "bytes of Lambda's own log lines per invocation: none in `prod`",
    "logged_connections": "share of connections of which it is logged what they do, as in `prod`",
    "access_log_bytes": "bytes of the access log per request of the HTTP API",
    "greetings_per_batch": "new connections that one run of `greet` greets",
    "handshakes_at_the_edge": "share of handshakes that go through the edge",
    "edge_places": "CloudFront locations that each fetch a list from the origin",
    "cached_seconds": "seconds for which such a location caches the list",
    "response_header_bytes": "bytes of an HTTP response's headers",
    "request_bytes": "bytes of an HTTP request",
    "frame_header_bytes": "bytes of a WebSocket frame's header",
    "closed_row_bytes": "bytes stored of a connection that has closed",
    "closed_row_days": "days until they are deleted: after the token's end, when DynamoDB has time",
    "stored_bytes_per_user": "bytes stored per user",
    "stored_bytes": "other bytes stored",
}
"""What each assumption means, in the order of docs/cost.md."""
