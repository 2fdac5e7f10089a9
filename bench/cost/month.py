"""The bill of one month: measured units times usage, by activity."""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench.cloud.bill import PRICES, dollars
from bench.cost.usage import DAYS, MINUTES, Upkeep, Usage
from vitrina.events import Pong

UNITS = Path(__file__).parents[2] / "docs/benchmarks/units.json"
PING_BYTES = len('{"type":"ping"}')
PONG_BYTES = len(Pong().body())

Counts = dict[str, float]
Measured = Mapping[str, Mapping[str, Counts]]
"""Counts by activity, and by number of connections or events."""


class Units:
    """The measured counts of each activity, with those that exist only in the cloud."""

    def __init__(self, measured: Measured, upkeep: Upkeep, measured_on: str) -> None:
        self.measured_on = measured_on
        largest = measured["approve"][max(measured["approve"], key=int)]
        self.event_bytes = largest["transfer_bytes"] / largest["messages"]
        """The size of an approval's frame."""
        self._sized = {
            activity: {
                int(size): _in_the_cloud(counts, self.event_bytes, upkeep)
                for size, counts in sized.items()
            }
            for activity, sized in measured.items()
        }

    @classmethod
    def read(cls, upkeep: Upkeep) -> "Units":
        found = json.loads(UNITS.read_text())
        return cls(found["units"], upkeep, found["measured_on"])

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
        names = sized[low].keys() | sized[high].keys()
        return {name: _between(sized[low], sized[high], name, part) for name in names}


def _between(low: Counts, high: Counts, name: str, part: float) -> float:
    least = low.get(name, 0)
    return max(0.0, least + part * (high.get(name, 0) - least))


def _in_the_cloud(measured: Counts, event_bytes: float, upkeep: Upkeep) -> Counts:
    """Add the edge, Lambda's own logs and cold starts to the measured counts."""
    invocations, frames = measured["invocations"], measured.get("messages", 0)
    requests = measured.get("http_requests", 0)
    # The bytes of an approval are those of its events, which are counted by frame.
    response_bytes = measured.get("transfer_bytes", 0) if not frames else 0
    logs = measured["log_bytes"] + invocations * upkeep.platform_log_bytes
    cold = invocations * upkeep.cold_starts
    others = {name: count for name, count in measured.items() if name != "transfer_bytes"}
    return others | {
        "edge_bytes": frames * (event_bytes + upkeep.frame_header_bytes)
        + response_bytes
        + requests * upkeep.response_header_bytes,
        **_through_the_edge(requests, upkeep),
        "gb_seconds": measured["gb_seconds"] + cold * upkeep.cold_start_gb_seconds,
        "secret_requests": cold,
        "log_bytes": logs,
        "stored_log_bytes": logs * upkeep.log_retention_days / DAYS,
    }


def _through_the_edge(requests: float, upkeep: Upkeep) -> Counts:
    """Count what the edge bills for requests, without their responses."""
    return {
        "edge_requests": requests,
        "edge_function_runs": requests,
        "edge_upload_bytes": requests * upkeep.request_bytes,
        "firewall_requests": requests,
    }


class Month(NamedTuple):
    """What is billed for a month, by activity."""

    phones: int
    delivered: float
    """Events that phones received, live or by `resume`."""
    live: float
    """Events that connected phones received."""
    counts: dict[str, Counts]

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


CONNECTIONS, KEEP_ALIVE, EVENTS, RECOVERY, LISTS, UPKEEP = ACTIVITIES = (
    "connections: open, close, minutes, tokens",
    "keep-alives",
    "events to connected phones",
    "events replayed by `resume`",
    "lists over HTTP",
    "independent of usage: sweep, health checks, alarms, firewall, storage",
)


def month(phones: int, usage: Usage, units: Units, upkeep: Upkeep) -> Month:
    """Return the bill for this number of phones at the daily peak."""
    sessions = phones * usage.sessions * DAYS
    approvals = usage.approvals * DAYS
    live = phones * usage.connected_at_approval * approvals
    resumes = sessions * usage.resumes
    counts = {
        CONNECTIONS: _connections(phones, sessions, usage, units, upkeep),
        KEEP_ALIVE: _keep_alives(phones, usage, upkeep),
        EVENTS: _events(phones, approvals, usage, units),
        RECOVERY: times(resumes, units.of("resume", usage.missed_events)),
        LISTS: _lists(sessions + live * usage.lists_per_event, units, upkeep),
        UPKEEP: _upkeep(phones, usage, units, upkeep),
    }
    invocations = add(*counts.values())["invocations"]
    traced = _traces(invocations, upkeep) / invocations
    for found in counts.values():
        found["traces"] = traced * found.get("invocations", 0)
    return Month(phones, live + resumes * usage.missed_events, live, counts)


def _connections(
    phones: int, sessions: float, usage: Usage, units: Units, upkeep: Upkeep
) -> Counts:
    minutes = phones * usage.connected_minutes * DAYS
    return add(
        *(times(sessions, units.of(activity)) for activity in ("connect", "greet", "disconnect")),
        _through_the_edge(sessions, upkeep),
        {"edge_bytes": sessions * upkeep.response_header_bytes},
        times(minutes / usage.token_minutes, units.of("refresh")),
        # Each user logs in once a month.
        times(phones * usage.users, units.of("log in")),
        {"connection_minutes": minutes},
    )


def _keep_alives(phones: int, usage: Usage, upkeep: Upkeep) -> Counts:
    """Count two messages for each; API Gateway itself answers, without a function."""
    pings = phones * usage.connected_minutes * DAYS * 60 / usage.ping_seconds
    return {
        "messages": 2 * pings,
        "edge_bytes": pings * (PONG_BYTES + upkeep.frame_header_bytes),
        "edge_upload_bytes": pings * (PING_BYTES + upkeep.frame_header_bytes),
    }


def _events(phones: int, approvals: float, usage: Usage, units: Units) -> Counts:
    """Count approvals, each with the submission before it."""
    connected = phones * usage.connected_at_approval
    return times(approvals, add(units.of("approve", connected), units.of("submit")))


def _lists(requests: float, units: Units, upkeep: Upkeep) -> Counts:
    """Count the requests to the edge, and those that it forwards to the origin."""
    one = units.of("list")
    at_the_edge = ("edge_requests", "edge_function_runs", "firewall_requests", "edge_bytes")
    fetched = min(requests, upkeep.edge_places * MINUTES * 60 / upkeep.cached_seconds)
    at_the_origin = {name: count for name, count in one.items() if name not in at_the_edge}
    return add(
        times(requests, {name: one[name] for name in at_the_edge}), times(fetched, at_the_origin)
    )


def _upkeep(phones: int, usage: Usage, units: Units, upkeep: Upkeep) -> Counts:
    connected = phones * usage.connected
    stored = upkeep.stored_bytes + phones * usage.users * upkeep.stored_bytes_per_user
    resources = ("alarms", "metrics", "dashboards", "secrets", "firewalls", "firewall_rules")
    return add(
        times(MINUTES, units.of("sweep", connected)),
        times(MINUTES * upkeep.counts_per_minute, units.of("count", connected)),
        {name: getattr(upkeep, name) for name in resources},
        {
            "queue_requests": upkeep.queue_polls_per_minute * MINUTES,
            "secret_requests": upkeep.warm_processes * MINUTES / 5,
            "stored_bytes": stored,
            "backup_bytes": stored,
        },
    )


def _traces(invocations: float, upkeep: Upkeep) -> float:
    first = min(invocations, MINUTES * 60)
    return first + (invocations - first) * upkeep.traced


def times(factor: float, counts: Counts) -> Counts:
    return {name: factor * count for name, count in counts.items()}


def add(*bills: Counts) -> Counts:
    names = dict.fromkeys(name for bill in bills for name in bill)
    return {name: sum(bill.get(name, 0) for bill in bills) for name in names}
