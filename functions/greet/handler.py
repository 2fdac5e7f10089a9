"""Connections stream: greet each new connection."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import connections, greeting

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Greet the connections of a batch of inserted rows that are open now."""
    inserted = [record["dynamodb"]["NewImage"] for record in event["Records"]]
    greeting.greet(list(map(connections.from_item, inserted)))
