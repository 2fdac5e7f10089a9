"""Admission: a connection is stored only while its account's tokens are not revoked.

A handshake stores the connection, then looks for a revocation. A disconnection writes the
revocation, then closes the connections it finds. In whatever order they run, either the handshake
finds the revocation, or the disconnection finds the connection.
"""

from collections.abc import Callable

from vitrina import auth, config, connections, subscriptions
from vitrina.auth import Identity
from vitrina.errors import Problem, TooManyRequests

# `greet` closes an identity's oldest connections beyond its limit within a second. Until then this
# many times the limit may be stored.
MAX_LIMITS_STORED = 2
RETRY_AFTER_SECONDS = 5


def admit(connection_id: str, identity: Identity) -> None:
    """Store a connection.

    Raises TooManyRequests `too_many_connections`, or Unauthorized `token_revoked`; nothing is
    stored then.
    """
    _require_room(identity)
    connections.add(connection_id, identity)
    try:
        auth.require_unrevoked(identity)
    except Problem:
        connections.forget(connection_id)
        raise


def _require_room(identity: Identity) -> None:
    limit = config.current().connections_per_identity
    stored = subscriptions.count_of_identity(identity.client_type, identity.name)
    if stored >= MAX_LIMITS_STORED * limit:
        sentence = f"{identity.client_type} {identity.name} may have {limit} connections at a time."
        raise TooManyRequests("too_many_connections", sentence, RETRY_AFTER_SECONDS)


def disconnect(account_id: int, close_account: Callable[[int], int]) -> int:
    """Revoke the tokens of an account and close its connections; return how many were open.

    `close_account` is that of `vitrina.closing`, which `connect` does not import: it takes libcurl.
    """
    auth.revoke(account_id)
    return close_account(account_id)
