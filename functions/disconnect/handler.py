"""$disconnect: forget a connection. API Gateway calls this at most once, and not always."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import connections, sample, websocket_api
from vitrina.errors import Problem

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Remove a connection's subscriptions; a second call finds none and succeeds."""
    logger.append_keys(**websocket_api.ids(event))
    try:
        connection_id = websocket_api.disconnected(event)
    except Problem as problem:
        return websocket_api.refuse_message(problem)
    connections.unsubscribe(connection_id)
    if sample.has(connection_id):
        logger.info("disconnected")
    return websocket_api.done()
