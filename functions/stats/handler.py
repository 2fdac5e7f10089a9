"""Counts of open connections, and a health check."""

from typing import Literal

from pydantic import BaseModel

from vitrina import http_api, responses, subscriptions
from vitrina.channels import ClientType

app = http_api.resolver()


class Stats(BaseModel):
    total: int
    by_type: dict[ClientType, int]
    rooms: int


class Health(BaseModel):
    status: Literal["ok"] = "ok"
    connections: int


@app.get("/ws/stats", responses=responses.describe())
def stats() -> Stats:
    """Count the open connections; the result is at most two seconds old."""
    counts = subscriptions.count()
    return Stats(total=sum(counts.by_type.values()), by_type=counts.by_type, rooms=counts.rooms)


@app.get("/health", responses=responses.describe())
def health() -> Health:
    """Answer after a read of every partition of the connections table."""
    return Health(connections=sum(subscriptions.count().by_type.values()))


handler = http_api.handler(app)
