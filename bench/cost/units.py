"""The measured counts of each activity, with those that exist only in the cloud."""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench.cloud.lambdas import MB_PER_GB, PROCESSOR_MB
from bench.cost.usage import DAYS, UPKEEP, Upkeep
from infra.cdk.functions import FUNCTIONS

FIGURES = Path(__file__).parents[2] / "docs/benchmarks"

Counts = dict[str, float]
Measured = Mapping[str, Mapping[str, Mapping[str, float]]]
"""By activity and number of connections or events."""

# The function of each activity. The other invocations of an approval are workers.
FUNCTION_OF = {
    "connect": "connect",
    "greet": "greet",
    "disconnect": "disconnect",
    "resume": "message",
    "log in": "login",
    "refresh": "sessions",
    "list": "products",
    "submit": "products",
    "approve": "approve",
    "sweep": "sweep",
    "count": "stats",
}
WORKER = "fanout"
TRACED = frozenset(name for name, needs in FUNCTIONS.items() if needs.is_traced)
# Of one connection; all their lines but metrics are sampled.
OF_A_CONNECTION = ("connect", "greet", "disconnect", "resume")


class _Start(NamedTuple):
    """A function's cold start, as measured with a whole processor."""

    import_ms: float
    first_call_ms: float


def measured() -> Measured:
    """Return the counts of `make bench NAME=units`."""
    found: Measured = json.loads((FIGURES / "units.json").read_text())["units"]
    return found


class Units:
    def __init__(
        self,
        upkeep: Upkeep = UPKEEP,
        counts: Measured | None = None,
        traced: frozenset[str] = TRACED,
    ) -> None:
        """`traced` are the functions that X-Ray records."""
        counts = _gathered(counts or measured(), upkeep.greetings_per_batch)
        starts = json.loads((FIGURES / "cold.json").read_text())["cold"]
        self.upkeep = upkeep
        self.traced = traced
        self._starts = {name: _Start(**times) for name, times in starts.items()}
        approvals = counts["approve"]
        largest = approvals[max(approvals, key=int)]
        self.event_bytes = largest["transfer_bytes"] / largest["messages"]
        """The size of an approval's frame."""
        self._sized = {
            activity: {
                int(size): self._in_the_cloud(activity, found) for size, found in sized.items()
            }
            for activity, sized in counts.items()
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

    def seconds(self, activity: str) -> float:
        """Return how long its function runs, on average."""
        gb = FUNCTIONS[FUNCTION_OF[activity]].memory_mb / MB_PER_GB
        return self.of(activity)["gb_seconds"] / gb

    def through_the_edge(self, requests: float) -> Counts:
        """Count what the edge bills for requests, without their responses."""
        return {
            "edge_requests": requests,
            "edge_function_runs": requests,
            "edge_upload_bytes": requests * self.upkeep.request_bytes,
            "firewall_requests": requests * self.upkeep.firewalls,
        }

    def _in_the_cloud(self, activity: str, found: Mapping[str, float]) -> Counts:
        """Add the edge, the logs that are not the function's own, and cold starts."""
        upkeep = self.upkeep
        requests, frames = found.get("http_requests", 0), found.get("messages", 0)
        # The bytes of an approval are those of its events, which are counted by frame.
        response_bytes = found.get("transfer_bytes", 0) if not frames else 0
        logged = upkeep.logged_connections if activity in OF_A_CONNECTION else 1
        metrics = found.get("metric_bytes", 0)
        logs = (
            logged * (found["log_bytes"] - metrics)
            + metrics
            + found["invocations"] * upkeep.system_log_bytes
            + requests * upkeep.access_log_bytes
        )
        unpriced = {"transfer_bytes", "metric_bytes"}
        others = {name: count for name, count in found.items() if name not in unpriced}
        started = self._started(activity, found["invocations"])
        return others | {
            "edge_bytes": frames * (self.event_bytes + upkeep.frame_header_bytes)
            + response_bytes
            + requests * upkeep.response_header_bytes,
            **self.through_the_edge(requests),
            "gb_seconds": found["gb_seconds"] + started["gb_seconds"],
            "secret_requests": started["secret_requests"],
            "log_bytes": logs,
            "stored_log_bytes": logs * upkeep.log_retention_days / DAYS,
        }

    def _started(self, activity: str, invocations: float) -> Counts:
        """Count the cold starts of so many invocations of an activity."""
        by_function = {FUNCTION_OF[activity]: min(1.0, invocations)}
        if invocations > 1:
            by_function[WORKER] = invocations - 1
        cold = {name: n * self.upkeep.cold_starts for name, n in by_function.items()}
        return {
            "gb_seconds": sum(n * self._gb_seconds(name) for name, n in cold.items()),
            "secret_requests": sum(n * secrets_of(name) for name, n in cold.items()),
        }

    def _gb_seconds(self, name: str) -> float:
        """Return the GB-seconds of a cold start.

        AWS imports with a whole processor, and calls with a share of one.
        """
        start, memory_mb = self._starts[name], FUNCTIONS[name].memory_mb
        slowdown = max(1.0, PROCESSOR_MB / memory_mb)
        seconds = (start.import_ms + start.first_call_ms * slowdown) / 1000
        return seconds * memory_mb / MB_PER_GB


def _gathered(counts: Measured, per_batch: float) -> Measured:
    """Share the runs of `greet` and their lines among connections.

    What is read, posted and computed for each stays. That they wait together is not counted.
    """
    shared = ("invocations", "log_bytes", "metric_bytes")
    greet = {
        size: {**found, **{name: found.get(name, 0) / per_batch for name in shared}}
        for size, found in counts["greet"].items()
    }
    return {**counts, "greet": greet}


def secrets_of(name: str) -> int:
    """Return how many secrets a function reads when it starts."""
    needs = FUNCTIONS[name]
    return needs.has_door + needs.has_key


def times(factor: float, counts: Mapping[str, float]) -> Counts:
    return {name: factor * count for name, count in counts.items()}


def add(*bills: Mapping[str, float]) -> Counts:
    names = dict.fromkeys(name for bill in bills for name in bill)
    return {name: sum(bill.get(name, 0) for bill in bills) for name in names}
