"""$connect: who are you? Remember this connection."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import auth, connections, websocket_api
from vitrina.errors import Forbidden, Problem

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Let a bearer of a valid token in, as the type that the token names, or refuse."""
    request = websocket_api.handshake(event)
    try:
        identity = auth.verify(request.token)
        if request.client_type not in (None, identity.client_type):
            raise Forbidden("client_type_mismatch", "The path is for another type of client.")
    except Problem as problem:
        logger.info("refused", code=problem.code, connection_id=request.connection_id)
        return websocket_api.refuse(problem)
    connections.add(request.connection_id, identity)
    logger.info(
        "connected",
        connection_id=request.connection_id,
        client_type=identity.client_type,
        identity=identity.name,
    )
    return websocket_api.accept(request)
