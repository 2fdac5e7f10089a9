"""What AWS would bill: counts, and the price of one of each."""

import math
from collections.abc import Mapping
from itertools import pairwise
from threading import Lock
from typing import NamedTuple

MILLION = 1_000_000
GB = 1024**3
TB = 1024 * GB


class Bill:
    """Counts that many threads add to."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, float] = {}

    def add(self, name: str, count: float = 1) -> None:
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + count

    def take(self) -> dict[str, float]:
        """Return the counts and reset them."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return taken


class Price(NamedTuple):
    service: str
    part: str
    dollars: float
    """For one."""
    beyond: tuple[tuple[float, float], ...] = ()
    """Volume prices: from which monthly count, and dollars for one."""

    def of(self, count: float) -> float:
        """Return the price of this count in a month."""
        steps = ((0.0, self.dollars), *self.beyond, (math.inf, 0.0))
        return sum(
            max(0.0, min(count, end) - begin) * dollars
            for (begin, dollars), (end, _) in pairwise(steps)
        )


# List prices of us-east-1 (of North America and Europe for CloudFront) without the free tiers, as
# published by AWS, or by copies of its price list, in 2026. AWS halved DynamoDB's on-demand prices
# in November 2024.
PRICES = {
    "messages": Price(
        "API Gateway", "WebSocket messages", 1.00 / MILLION, ((1e9, 0.80 / MILLION),)
    ),
    "connection_minutes": Price("API Gateway", "connection minutes", 0.25 / MILLION),
    "http_requests": Price(
        "API Gateway", "HTTP requests", 1.00 / MILLION, ((3e8, 0.90 / MILLION),)
    ),
    "read_units": Price("DynamoDB", "read request units", 0.125 / MILLION),
    "write_units": Price("DynamoDB", "write request units", 0.625 / MILLION),
    "stored_bytes": Price("DynamoDB", "bytes stored for a month", 0.25 / GB),
    "backup_bytes": Price("DynamoDB", "bytes restorable for a month", 0.20 / GB),
    "queue_requests": Price("SQS", "requests", 0.40 / MILLION),
    # A publish to a device is a request and a delivery.
    "pushes": Price("SNS", "mobile pushes", 1.00 / MILLION),
    "invocations": Price("Lambda", "requests", 0.20 / MILLION),
    "gb_seconds": Price("Lambda", "GB-seconds, arm64", 0.0000133334, ((7.5e9, 0.0000120001),)),
    "log_bytes": Price("CloudWatch", "bytes of logs", 0.50 / GB),
    "stored_log_bytes": Price("CloudWatch", "bytes of logs stored for a month", 0.03 / GB),
    "metrics": Price("CloudWatch", "custom metrics", 0.30),
    "alarms": Price("CloudWatch", "alarms", 0.10),
    "dashboards": Price("CloudWatch", "dashboards", 3.00),
    "traces": Price("X-Ray", "traces recorded", 5.00 / MILLION),
    "secrets": Price("Secrets Manager", "secrets", 0.40),
    "secret_requests": Price("Secrets Manager", "requests", 0.05 / 10_000),
    "edge_requests": Price("CloudFront", "HTTPS requests", 0.0100 / 10_000),
    "edge_function_runs": Price("CloudFront", "function invocations", 0.10 / MILLION),
    "edge_bytes": Price(
        "CloudFront",
        "bytes to the internet",
        0.085 / GB,
        (
            (10 * TB, 0.080 / GB),
            (50 * TB, 0.060 / GB),
            (150 * TB, 0.040 / GB),
            (500 * TB, 0.030 / GB),
        ),
    ),
    "edge_upload_bytes": Price("CloudFront", "bytes to the origin", 0.020 / GB),
    "firewalls": Price("WAF", "web ACLs", 5.00),
    "firewall_rules": Price("WAF", "rules", 1.00),
    "firewall_requests": Price("WAF", "requests", 0.60 / MILLION),
    "transfer_bytes": Price("Data transfer", "bytes to the internet", 0.09 / GB),
}


def dollars(counts: Mapping[str, float]) -> dict[str, float]:
    """Return the cost of each count that has a price."""
    return {name: price.of(counts[name]) for name, price in PRICES.items() if name in counts}
