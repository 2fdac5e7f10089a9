"""The assumptions of docs/cost.md about usage."""

from typing import NamedTuple

from infra.cdk.stages import CHOICES
from vitrina.config import Policy

DAYS = 30
MINUTES = DAYS * 24 * 60
"""Of a month."""


class Usage(NamedTuple):
    """What users do, for each phone that is connected at the daily peak."""

    users: float = 10
    sessions: float = 24
    session_minutes: float = 20
    ping_seconds: float = Policy.model_fields["ping_interval_seconds"].default
    approvals: float = 100
    events_per_post: float = 1
    connected_at_approval: float = 0.5
    resumes: float = 0.5
    missed_events: float = 5
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


class Upkeep(NamedTuple):
    """What is billed without any usage, and what every request adds."""

    alarms: float = 60
    metrics: float = 21
    dashboards: float = 1
    secrets: float = 2
    firewalls: float = 1
    firewall_rules: float = 2
    counts_per_minute: float = 1
    queue_polls_per_minute: float = 30
    warm_processes: float = 20
    cold_starts: float = 0.01
    cold_start_gb_seconds: float = 1.0
    traced: float = 0.05
    log_retention_days: float = CHOICES["prod"]["log_retention_days"]
    platform_log_bytes: float = 280
    edge_places: float = 10
    cached_seconds: float = 2
    response_header_bytes: float = 600
    request_bytes: float = 1_000
    frame_header_bytes: float = 4
    stored_bytes_per_user: float = 1_000
    stored_bytes: float = 2**30


UPKEEP = Upkeep()

DESCRIPTIONS = {
    "users": "people with the app, per phone connected at the peak",
    "sessions": "connections that these people open per day, together",
    "session_minutes": "minutes that a connection stays open, with the app in the foreground",
    "ping_seconds": "seconds between keep-alives (`ping_interval_seconds`)",
    "approvals": "events to everyone per day, independent of the number of phones",
    "events_per_post": "events in one frame: more than one in a bulk approval, or within a round",
    "connected_at_approval": "share of the peak's phones that is connected when an event is sent",
    "resumes": "share of connections that begin with `resume`; the others are new app starts",
    "missed_events": "events that a `resume` replays",
    "lists_per_event": "lists fetched per received event, besides one per connection",
    "token_minutes": "minutes after which a connected phone renews its token",
    "alarms": "alarms; each metric of a calculated alarm is billed as one",
    "metrics": "custom metrics",
    "dashboards": "dashboards",
    "secrets": "secrets: the signing key, and what the edge sends",
    "firewalls": "firewalls",
    "firewall_rules": "firewall rules",
    "counts_per_minute": "requests to `/health` or `/ws/stats` per minute",
    "queue_polls_per_minute": "polls of two empty queues per minute: 5 pollers of each wait 20 s",
    "warm_processes": "warm processes that read each secret every 5 minutes",
    "cold_starts": "share of invocations that start cold; AWS gives 1% as the usual maximum",
    "cold_start_gb_seconds": "GB-seconds of a cold start",
    "traced": "share of invocations that X-Ray records, besides the first of every second",
    "log_retention_days": "days that logs are stored, as in `prod`",
    "platform_log_bytes": "bytes of Lambda's own log lines per invocation (START, END, REPORT)",
    "edge_places": "CloudFront locations that each fetch a list from the origin",
    "cached_seconds": "seconds for which such a location caches the list",
    "response_header_bytes": "bytes of an HTTP response's headers",
    "request_bytes": "bytes of an HTTP request",
    "frame_header_bytes": "bytes of a WebSocket frame's header",
    "stored_bytes_per_user": "bytes stored per user",
    "stored_bytes": "other bytes stored",
}
"""What each assumption means, in the order of docs/cost.md."""
