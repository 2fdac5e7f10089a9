"""What AWS would bill: counts by what they are of, and the price of one."""

from collections.abc import Mapping
from threading import Lock
from typing import NamedTuple

MILLION = 1_000_000
GB = 1024**3


class Bill:
    """Counts that many threads add to."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, float] = {}

    def add(self, name: str, count: float = 1) -> None:
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + count

    def take(self) -> dict[str, float]:
        """Return what was counted, and begin again with nothing."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return taken


class Price(NamedTuple):
    service: str
    part: str
    dollars: float
    """For one."""


# List prices of us-east-1 without the free tier, as AWS's pricing pages and what repeats them
# said in 2026. DynamoDB's are those since November 2024, when on-demand became half as expensive.
PRICES = {
    "messages": Price("API Gateway", "WebSocket messages", 1.00 / MILLION),
    "http_requests": Price("API Gateway", "HTTP requests", 1.00 / MILLION),
    "read_units": Price("DynamoDB", "read request units", 0.125 / MILLION),
    "write_units": Price("DynamoDB", "write request units", 0.625 / MILLION),
    "queue_requests": Price("SQS", "requests", 0.40 / MILLION),
    "invocations": Price("Lambda", "requests", 0.20 / MILLION),
    "gb_seconds": Price("Lambda", "GB-seconds, arm64", 0.0000133334),
    "log_bytes": Price("CloudWatch", "bytes of logs", 0.50 / GB),
    "transfer_bytes": Price("Data transfer", "bytes to the internet", 0.09 / GB),
}
CONNECTION_MINUTE_DOLLARS = 0.25 / MILLION


def dollars(counts: Mapping[str, float]) -> dict[str, float]:
    """Return what each count costs; counts without a price cost nothing and are left out."""
    return {name: counts[name] * price.dollars for name, price in PRICES.items() if name in counts}
