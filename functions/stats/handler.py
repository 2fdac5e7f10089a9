"""How many connections are open, and whether the service is well."""

from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from vitrina import http_api, members
from vitrina.channels import ClientType

logger = Logger()
app = http_api.resolver()


class Stats(BaseModel):
    total: int
    by_type: dict[ClientType, int]
    rooms: int


class Health(BaseModel):
    status: Literal["ok"] = "ok"
    connections: int


@app.get("/ws/stats", responses=http_api.answers())
def stats() -> Stats:
    """Count the open connections, as of two seconds ago at most."""
    counts = members.count()
    return Stats(total=sum(counts.by_type.values()), by_type=counts.by_type, rooms=counts.rooms)


@app.get("/health", responses=http_api.answers())
def health() -> Health:
    """Answer after having read every partition of the connections table."""
    return Health(connections=sum(members.count().by_type.values()))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http_api.handle(app, event, context)
