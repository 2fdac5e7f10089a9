"""The bill of one month: measured units times usage, by activity."""

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from bench.cloud.bill import PRICES, dollars
from bench.cost.usage import DAYS, MINUTES, UPKEEP, Usage
from vitrina.events import Pong

UNITS = Path(__file__).parents[2] / "docs/benchmarks/units.json"
PING_BYTES = len('{"type":"ping"}')
PONG_BYTES = len(Pong().body())

Counts = dict[str, float]


class Units:
    """The measured counts of each activity, with those that exist only in the cloud."""

    def __init__(self) -> None:
        measured: dict[str, dict[str, Counts]] = json.loads(UNITS.read_text())["units"]
        largest = measured["approve"][max(measured["approve"], key=int)]
        self.event_bytes = largest["transfer_bytes"] / largest["messages"]
        """The size of an approval's frame."""
        self._sized = {
            activity: {
                int(size): _in_the_cloud(counts, self.event_bytes) for size, counts in sized.items()
            }
            for activity, sized in measured.items()
        }

    def of(self, activity: str, size: float = 1) -> Counts:
        """Return the counts for `size` connections or events.

        Other sizes than the measured ones are interpolated or extrapolated linearly.
        """
        sized = self._sized[activity]
        if len(sized) == 1:
            return next(iter(sized.values()))
        lines = list(pairwise(sorted(sized)))
        low, high = next((line for line in lines if size <= line[1]), lines[-1])
        part = (size - low) / (high - low)
        line = add(times(1 - part, sized[low]), times(part, sized[high]))
        return {name: max(0.0, count) for name, count in line.items()}

    def of_event(self, connected: float, per_post: float) -> Counts:
        """Return the counts of one approval to connections that get several events in a frame.

        Each event is committed alone, and its bytes are sent to each connection; a post, and the
        work on a round, are of all of them together.
        """
        alone, posted = self.of("approve", 0), self.of("approve", connected)
        names = {*alone, *posted}
        shared = {name: posted.get(name, 0) - alone.get(name, 0) for name in names}
        event = add(alone, times(1 / per_post, shared))
        again = (1 - 1 / per_post) * posted["messages"] * self.event_bytes
        return event | {"edge_bytes": event["edge_bytes"] + again}


def _in_the_cloud(measured: Counts, event_bytes: float) -> Counts:
    """Add the edge, Lambda's own logs and cold starts to the measured counts."""
    invocations, frames = measured["invocations"], measured.get("messages", 0)
    requests = measured.get("http_requests", 0)
    # The bytes of an approval are those of its events, which are counted by frame.
    response_bytes = measured.get("transfer_bytes", 0) if not frames else 0
    logs = measured["log_bytes"] + invocations * UPKEEP.platform_log_bytes
    cold = invocations * UPKEEP.cold_starts
    others = {name: count for name, count in measured.items() if name != "transfer_bytes"}
    return others | {
        "edge_bytes": frames * (event_bytes + UPKEEP.frame_header_bytes)
        + response_bytes
        + requests * UPKEEP.response_header_bytes,
        **_through_the_edge(requests),
        "gb_seconds": measured["gb_seconds"] + cold * UPKEEP.cold_start_gb_seconds,
        "secret_requests": UPKEEP.secrets * cold,
        "log_bytes": logs,
        "stored_log_bytes": logs * UPKEEP.log_retention_days / DAYS,
    }


def _through_the_edge(requests: float) -> Counts:
    """Count what the edge bills for requests, without their responses."""
    return {
        "edge_requests": requests,
        "edge_function_runs": requests,
        "edge_upload_bytes": requests * UPKEEP.request_bytes,
        "firewall_requests": requests,
    }


CONNECTIONS, KEEP_ALIVE, EVENTS, RECOVERY, LISTS, INDEPENDENT = ACTIVITIES = (
    "connections: open, close, minutes, tokens",
    "keep-alives",
    "events to connected phones",
    "events replayed by `resume`",
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
            RECOVERY: times(
                self.sessions * self.usage.resumes,
                self.units.of("resume", self.usage.missed_events),
            ),
            LISTS: self._lists(),
            INDEPENDENT: self._independent(),
        }
        invocations = add(*counts.values())["invocations"]
        first = min(invocations, MINUTES * 60)
        traced = (first + (invocations - first) * UPKEEP.traced) / invocations
        for found in counts.values():
            found["traces"] = traced * found.get("invocations", 0)
        return counts

    @property
    def total(self) -> Counts:
        return add(*self.counts.values())

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

    def _connections(self) -> Counts:
        opened = [self.units.of(activity) for activity in ("connect", "greet", "disconnect")]
        return add(
            *(times(self.sessions, counts) for counts in opened),
            _through_the_edge(self.sessions),
            {"edge_bytes": self.sessions * UPKEEP.response_header_bytes},
            times(self.minutes / self.usage.token_minutes, self.units.of("refresh")),
            # Each user logs in once a month.
            times(self.phones * self.usage.users, self.units.of("log in")),
            {"connection_minutes": self.minutes},
        )

    def _keep_alives(self) -> Counts:
        """Count two messages for each; API Gateway itself answers, without a function."""
        pings = self.minutes * 60 / self.usage.ping_seconds
        return {
            "messages": 2 * pings,
            "edge_bytes": pings * (PONG_BYTES + UPKEEP.frame_header_bytes),
            "edge_upload_bytes": pings * (PING_BYTES + UPKEEP.frame_header_bytes),
        }

    def _events(self) -> Counts:
        """Count approvals, each with the submission before it."""
        connected = self.phones * self.usage.connected_at_approval
        one = add(
            self.units.of_event(connected, self.usage.events_per_post), self.units.of("submit")
        )
        return times(self.usage.approvals * DAYS, one)

    def _lists(self) -> Counts:
        """Count the requests to the edge, and those that it forwards to the origin."""
        one = self.units.of("list")
        at_the_edge = ("edge_requests", "edge_function_runs", "firewall_requests", "edge_bytes")
        at_the_origin = {name: count for name, count in one.items() if name not in at_the_edge}
        requests = self.sessions + self.live * self.usage.lists_per_event
        fetched = min(requests, UPKEEP.edge_places * MINUTES * 60 / UPKEEP.cached_seconds)
        return add(
            times(requests, {name: one[name] for name in at_the_edge}),
            times(fetched, at_the_origin),
        )

    def _independent(self) -> Counts:
        connected = self.phones * self.usage.connected
        stored = UPKEEP.stored_bytes + self.phones * self.usage.users * UPKEEP.stored_bytes_per_user
        resources = ("alarms", "metrics", "dashboards", "secrets", "firewalls", "firewall_rules")
        return add(
            times(MINUTES, self.units.of("sweep", connected)),
            times(MINUTES * UPKEEP.counts_per_minute, self.units.of("count", connected)),
            {name: getattr(UPKEEP, name) for name in resources},
            {
                "queue_requests": UPKEEP.queue_polls_per_minute * MINUTES,
                "secret_requests": UPKEEP.secrets * UPKEEP.warm_processes * MINUTES / 5,
                "stored_bytes": stored,
                "backup_bytes": stored,
            },
        )


def times(factor: float, counts: Counts) -> Counts:
    return {name: factor * count for name, count in counts.items()}


def add(*bills: Counts) -> Counts:
    names = dict.fromkeys(name for bill in bills for name in bill)
    return {name: sum(bill.get(name, 0) for bill in bills) for name in names}
