"""The bill of one month: measured units times usage, by activity."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from bench.cloud.bill import PRICES, dollars
from bench.cost.units import FUNCTION_OF, WORKER, Counts, Units, add, secrets_of, times
from bench.cost.usage import DAYS, MINUTES, Usage
from vitrina.events import Pong

PING_BYTES = len('{"type":"ping"}')
PONG_BYTES = len(Pong().body())

CONNECTIONS, KEEP_ALIVE, EVENTS, RECOVERY, LISTS, INDEPENDENT = ACTIVITIES = (
    "connections: open, close, minutes, tokens",
    "keep-alives",
    "events to connected phones",
    "events that phones missed",
    "lists over HTTP",
    "independent of usage: sweep, health checks, alarms, firewall, storage",
)


@dataclass(frozen=True)
class Month:
    """The bill of this number of phones at the daily peak."""

    phones: int
    usage: Usage
    units: Units

    @property
    def sessions(self) -> float:
        return self.phones * self.usage.sessions * DAYS

    @property
    def people(self) -> float:
        return self.phones * self.usage.users

    @property
    def minutes(self) -> float:
        """Of all connections together."""
        return self.phones * self.usage.connected_minutes * DAYS

    @property
    def live(self) -> float:
        """Events that connected phones received."""
        return self.phones * self.usage.connected_at_approval * self.usage.approvals * DAYS

    @property
    def delivered(self) -> float:
        """Events that phones received, live or by `resume`."""
        return self.live + self.sessions * self.usage.resumes * self.usage.missed_events

    @cached_property
    def counts(self) -> dict[str, Counts]:
        """What is billed, by activity."""
        counts = {
            CONNECTIONS: self._connections(),
            KEEP_ALIVE: self._keep_alives(),
            EVENTS: self._events(),
            RECOVERY: self._recovery(),
            LISTS: self._lists(),
            INDEPENDENT: self._independent(),
        }
        counts[INDEPENDENT]["traces"] = self._traces
        return counts

    @property
    def _traces(self) -> float:
        """X-Ray records the first invocations of each second of each function, and a share."""
        upkeep = self.units.upkeep
        found = 0.0
        for function, invocations in self._invocations.items():
            if function in self.units.traced:
                first = min(invocations, upkeep.traced_per_second * MINUTES * 60)
                found += first + (invocations - first) * upkeep.traced
        return found

    @property
    def _invocations(self) -> Counts:
        """Return the invocations by function."""
        found: defaultdict[str, float] = defaultdict(float)
        for activity, number in self._done.items():
            found[FUNCTION_OF[activity]] += number
        posting = self.units.of_event(self._reached, self.usage.events_per_post)["invocations"]
        found[WORKER] = self._done["approve"] * (posting - 1)
        return found

    @property
    def _secret_requests(self) -> float:
        """Of warm processes, which read their secrets again every five minutes."""
        invocations: defaultdict[str, float] = defaultdict(float)
        busy: defaultdict[str, float] = defaultdict(float)
        for activity, number in self._done.items():
            name = FUNCTION_OF[activity]
            invocations[name] += number
            busy[name] += number * self.units.seconds(activity) / (MINUTES * 60)
        processes = {name: 1 + self.units.upkeep.processes_per_busy * busy[name] for name in busy}
        return sum(
            secrets_of(name) * min(invocations[name], processes[name] * MINUTES / 5)
            for name in processes
        )

    @property
    def _reached(self) -> float:
        """Connections that an event reaches."""
        return self.phones * self.usage.connected_at_approval

    @property
    def _done(self) -> Counts:
        """Return how often each activity is done."""
        approvals = self.usage.approvals * DAYS
        return {
            **dict.fromkeys(("connect", "greet", "disconnect"), self.sessions),
            "resume": self.sessions * self.usage.resumes * (1 - self.usage.positions_in_handshakes),
            # Each person logs in once a month.
            "log in": self.people,
            "refresh": self.phones * self.usage.token_exchanges * DAYS,
            "list": self.fetched_lists,
            "submit": approvals,
            "approve": approvals,
            "sweep": MINUTES,
            "count": MINUTES * self.units.upkeep.counts_per_minute,
        }

    @property
    def lists_at_the_edge(self) -> float:
        """An app start loads the first screen; a visit that continues has recovered its events."""
        starts = self.sessions * (1 - self.usage.resumes)
        return starts + self.live * self.usage.lists_per_event

    @property
    def fetched_lists(self) -> float:
        """Lists that locations fetch: when a copy is too old, and once for each event."""
        upkeep = self.units.upkeep
        per_second = self.lists_at_the_edge / upkeep.edge_places / (MINUTES * 60)
        # A copy ends after its time, and the next request fetches another.
        copies = MINUTES * 60 / (upkeep.cached_seconds + 1 / per_second)
        copies += self.usage.approvals * DAYS
        return min(self.lists_at_the_edge, upkeep.edge_places * copies)

    @property
    def total(self) -> Counts:
        return add(*self.counts.values())

    @property
    def websocket_bytes(self) -> float:
        """Those that the edge sends to clients."""
        return sum(self.counts[name]["edge_bytes"] for name in (KEEP_ALIVE, EVENTS, RECOVERY))

    @property
    def dollars(self) -> float:
        return sum(dollars(self.total).values())

    @property
    def by_service(self) -> dict[str, float]:
        """Return dollars by service; API Gateway is split into its parts."""
        found: dict[str, float] = {}
        for name, cost in dollars(self.total).items():
            price = PRICES[name]
            is_gateway = price.service == "API Gateway"
            service = f"{price.service}: {price.part}" if is_gateway else price.service
            found[service] = found.get(service, 0) + cost
        return found

    def share_of(self, *activities: str) -> float:
        """Return the share of the dollars that these activities cost."""
        part, total = add(*(self.counts[name] for name in activities)), self.total
        cost = dollars(total)
        shares = (cost[name] * part[name] / total[name] for name in part if total[name])
        return sum(shares) / self.dollars

    def _do(self, activity: str, size: float = 1) -> Counts:
        return times(self._done[activity], self.units.of(activity, size))

    def _connections(self) -> Counts:
        headers = {"edge_bytes": self.units.upkeep.response_header_bytes}
        return add(
            *map(self._do, ("connect", "disconnect", "refresh", "log in")),
            self._do("greet", 0),
            times(
                self.sessions * self.units.upkeep.handshakes_at_the_edge,
                add(self.units.through_the_edge(1), headers),
            ),
            {"connection_minutes": self.minutes},
            {"stored_bytes": self._closed_bytes, "backup_bytes": self._closed_bytes},
        )

    @property
    def _closed_bytes(self) -> float:
        """Of the rows of closed connections, which DynamoDB deletes days after their expiry."""
        upkeep = self.units.upkeep
        return self.sessions / DAYS * upkeep.closed_row_days * upkeep.closed_row_bytes

    def _recovery(self) -> Counts:
        """Count the messages `resume`, and what greetings with events cost more than others."""
        missed, recoveries = self.usage.missed_events, self.sessions * self.usage.resumes
        more = add(self.units.of("greet", missed), times(-1, self.units.of("greet", 0)))
        return add(
            self._do("resume", missed),
            times(recoveries * self.usage.positions_in_handshakes, more),
            {"edge_bytes": recoveries * missed * self.units.event_bytes},
        )

    def _keep_alives(self) -> Counts:
        """Count two messages for each; API Gateway itself answers, without a function."""
        header = self.units.upkeep.frame_header_bytes
        one = {
            "messages": 2.0,
            "edge_bytes": PONG_BYTES + header,
            "edge_upload_bytes": PING_BYTES + header,
        }
        return times(self.sessions * self.usage.pings, one)

    def _events(self) -> Counts:
        """Count approvals, each with the submission before it."""
        posted = self.units.of_event(self._reached, self.usage.events_per_post)
        return add(times(self._done["approve"], posted), self._do("submit"))

    def _lists(self) -> Counts:
        """Count the requests to the edge, and those that it forwards to the origin."""
        one = self.units.of("list")
        at_the_edge = ("edge_requests", "edge_function_runs", "firewall_requests", "edge_bytes")
        at_the_origin = {name: count for name, count in one.items() if name not in at_the_edge}
        return add(
            times(self.lists_at_the_edge, {name: one[name] for name in at_the_edge}),
            times(self.fetched_lists, at_the_origin),
        )

    def _independent(self) -> Counts:
        upkeep = self.units.upkeep
        connected = self.phones * self.usage.connected
        stored = upkeep.stored_bytes + self.people * upkeep.stored_bytes_per_user
        resources = ("alarms", "metrics", "dashboards", "secrets", "firewalls", "firewall_rules")
        return add(
            self._do("sweep", connected),
            self._do("count", connected),
            {name: getattr(upkeep, name) for name in resources},
            {
                "queue_requests": upkeep.queue_polls_per_minute * MINUTES,
                "secret_requests": self._secret_requests,
                "stored_bytes": stored,
                "backup_bytes": stored,
            },
        )
