"""Admission: a connection is stored only while its account's tokens are not revoked.

A handshake stores the connection, then looks for a revocation. A disconnection writes the
revocation, then closes the connections it finds. In whatever order they run, either the handshake
finds the revocation, or the disconnection finds the connection.
"""

from collections.abc import Callable

from vitrina import auth, connections
from vitrina.auth import Identity
from vitrina.errors import Problem


def admit(connection_id: str, identity: Identity) -> None:
    """Store a connection; raises Unauthorized `token_revoked` and stores nothing after all."""
    connections.add(connection_id, identity)
    try:
        auth.require_unrevoked(identity)
    except Problem:
        connections.forget(connection_id)
        raise


def disconnect(account_id: int, close_account: Callable[[int], int]) -> int:
    """Revoke the tokens of an account and close its connections; return how many were open.

    `close_account` is that of `vitrina.closing`, which `connect` does not import: it takes libcurl.
    """
    auth.revoke(account_id)
    return close_account(account_id)
