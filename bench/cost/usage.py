"""How much the service is used: the assumptions of docs/cost.md, all in one place."""

from typing import NamedTuple

from infra.cdk.stages import CHOICES
from vitrina.config import Policy

DAYS = 30
MINUTES = DAYS * 24 * 60
"""Of a month."""


class Usage(NamedTuple):
    """What people do, for each phone that is connected in the busiest moment of a day."""

    users: float = 10
    sessions: float = 24
    session_minutes: float = 20
    ping_seconds: float = Policy.model_fields["ping_interval_seconds"].default
    approvals: float = 100
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
        """The share of the busiest moment's phones that is connected on average."""
        return self.connected_minutes / (24 * 60)


TOLD = {
    "users": "people who have the app; a tenth of them is connected in the busiest moment",
    "sessions": "connections opened a day, by all ten together",
    "session_minutes": "minutes that a connection stays open: the app is in the foreground",
    "ping_seconds": "seconds between keep-alives; `ping_interval_seconds`",
    "approvals": "events a day to everyone, however many phones there are",
    "connected_at_approval": "of the busiest moment's phones, connected when one comes",
    "resumes": "of connections begin with `resume`; the other half is apps started anew",
    "missed_events": "events that a resume gives back",
    "lists_per_event": "lists fetched for each event that arrives, besides one for each connection",
    "token_minutes": "minutes after which a connected phone changes its token",
}
"""What each of them means, in the order of the page."""


class Upkeep(NamedTuple):
    """What there is whether or not anyone uses it, and what every request brings along."""

    alarms: float = 60
    """Each metric of an alarm that calculates is one on the bill."""
    metrics: float = 19
    dashboards: float = 1
    secrets: float = 1
    firewalls: float = 1
    firewall_rules: float = 1
    counts_per_minute: float = 1
    """Of all connections: somebody or something looks at /health or /ws/stats."""
    queue_polls_per_minute: float = 15
    """Lambda's five pollers of an empty queue, each waiting twenty seconds."""
    warm_processes: float = 20
    """That have the signing key, and ask for it again every five minutes."""
    cold_starts: float = 0.01
    cold_start_gb_seconds: float = 1.0
    traced: float = 0.05
    """Of invocations, besides the first of every second."""
    log_retention_days: float = CHOICES["prod"]["log_retention_days"]
    platform_log_bytes: float = 280
    """START, END and REPORT."""
    edge_places: float = 10
    cached_seconds: float = 2
    """A list is fetched from the origin once in so long, by each place of the edge."""
    response_header_bytes: float = 600
    request_bytes: float = 1_000
    frame_header_bytes: float = 4
    stored_bytes_per_user: float = 1_000
    stored_bytes: float = 2**30
