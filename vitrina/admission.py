"""Admission: a connection is stored, and stays, only while its session is alive.

A handshake stores the connection, then reads the session; a message that extends a connection does
the same. Ending a session writes the end, then closes the connections that it finds
(`vitrina.closing`). In any order of these steps, either the handshake reads the end, or the ending
finds the connection.
"""

from typing import TYPE_CHECKING

from vitrina import config, connections, sessions, subscriptions
from vitrina.connections import Connection
from vitrina.errors import Problem, TooManyRequests

if TYPE_CHECKING:
    from vitrina.auth import Identity

# `greet` closes an identity's oldest connections beyond its limit within a second. Until then, up
# to this many times the limit may be stored.
MAX_LIMITS_STORED = 2
RETRY_AFTER_SECONDS = 5


def admit(
    connection_id: str,
    identity: "Identity",
    takes_batches: bool = False,
    positions: str | None = None,
) -> None:
    """Store a connection; with `takes_batches` a frame may contain several events.

    `positions` come from the handshake; `greet` reads them.

    Raises Unauthorized `token_revoked`, or TooManyRequests `too_many_requests` or
    `too_many_connections`; then nothing stays stored.
    """
    sessions.refuse_known_end(identity.session)
    _require_room(identity)
    connections.add(connection_id, identity, takes_batches, positions)
    try:
        sessions.require_alive(identity.session, to_connect=True)
    except Problem:
        connections.forget(connection_id)
        raise


def extend(connection: Connection, identity: "Identity") -> int:
    """Move the end of a connection to that of another token of its session; return it.

    Raises what `connections.extend` raises, and Unauthorized `token_revoked` after the connection
    has been expired, so that it gets no more events.
    """
    end = connections.extend(connection, identity)
    try:
        sessions.require_alive(identity.session)
    except Problem:
        connections.expire(connection.connection_id)
        raise
    return end


def _require_room(identity: "Identity") -> None:
    limit = config.current().connections_per_identity
    stored = subscriptions.count_of_identity(identity.client_type, identity.name)
    if stored >= MAX_LIMITS_STORED * limit:
        sentence = f"{identity.client_type} {identity.name} may have {limit} connections at a time."
        raise TooManyRequests("too_many_connections", sentence, RETRY_AFTER_SECONDS)
