"""Counts of open connections, and a health check."""

from collections.abc import Mapping
from typing import Any, Literal

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from vitrina import http_api, responses, statistics
from vitrina.channels import ClientType
from vitrina.errors import Problem, Unavailable
from vitrina.statistics import Statistics

app = http_api.resolver()


class Stats(BaseModel):
    total: int
    by_type: Mapping[ClientType, int]
    rooms: int


class Health(BaseModel):
    status: Literal["ok"] = "ok"
    connections: int


@app.get("/ws/stats", responses=responses.describe("busy"))
def get_statistics() -> Response[Stats]:
    """Read the numbers of open connections, counted in the last two seconds if they are few."""
    found = statistics.read()
    return _shared(found, Stats(total=found.total, by_type=found.by_type, rooms=found.rooms))


@app.get("/health", responses=responses.describe("busy", "unhealthy"))
def check_health() -> Response[Health]:
    """Check that the tables can be read, and read the number of open connections."""
    try:
        found = statistics.read()
    except Problem:
        raise
    except Exception as error:
        http_api.logger.exception("unhealthy")
        raise Unavailable("unhealthy", "The tables cannot be read.") from error
    return _shared(found, Health(connections=found.total))


def _shared(found: Statistics, body: BaseModel) -> Response[Any]:
    return http_api.with_headers(body, {"Cache-Control": f"public, max-age={found.fresh_seconds}"})


handler = http_api.handler(app)
