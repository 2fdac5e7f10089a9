"""$connect: admit a connection whose token is valid."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import admission, auth, config, door, metrics, origins, sample, websocket_api
from vitrina.auth import Identity
from vitrina.errors import Forbidden, Problem
from vitrina.websocket_api import Handshake

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Admit the bearer of a valid token, as the client type that the token names, or refuse."""
    logger.append_keys(**websocket_api.ids(event))
    try:
        request = websocket_api.handshake(event)
    except Problem as problem:
        return websocket_api.refuse_message(problem)
    try:
        door.require_edge(event)
        identity = _admit(request)
    except Problem as problem:
        logger.info("refused", code=problem.code)
        metrics.emit(HandshakesRefused=1)
        return websocket_api.refuse(problem)
    if sample.has(request.connection_id):
        logger.info("connected", client_type=identity.client_type, identity=identity.name)
    return websocket_api.accept(request)


def _admit(request: Handshake) -> Identity:
    if request.origin is not None and not origins.is_allowed(
        request.origin, config.current().allowed_origins
    ):
        raise Forbidden("origin_forbidden", "Pages of this origin may not connect.")
    identity = auth.read(request.token)
    if request.client_type not in (None, identity.client_type):
        raise Forbidden("client_type_mismatch", "The path is for another type of client.")
    admission.admit(request.connection_id, identity, request.takes_batches, request.positions)
    return identity
