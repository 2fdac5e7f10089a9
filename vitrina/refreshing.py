"""Refreshing: a refresh token is exchanged for an access token, and for its own successor."""

import time

from vitrina import (
    aws,
    clock,
    closing,
    config,
    refresh_tokens,
    session_rows,
    sessions,
    trail,
)
from vitrina.errors import Unauthorized, Unavailable
from vitrina.refresh_tokens import RefreshToken
from vitrina.session_rows import AccountRow, Granted, StoredSession
from vitrina.sessions import Snapshot

# Of writes: other refreshes of the session may come first.
MAX_ATTEMPTS = 5


def refresh(text: str) -> Granted:
    """Return what a refresh token is exchanged for.

    A token that was used before ends its session, as somebody has a copy. Raises Unauthorized
    `refresh_token_invalid`, `session_ended`, `session_expired` or `refresh_token_reused`, and
    Unavailable `busy`.
    """
    token = refresh_tokens.parse(text)
    snapshot = sessions.read(token.account)
    for _ in aws.attempts(MAX_ATTEMPTS):
        session = _living_session(snapshot, token)
        now_ms = clock.now_ms()
        fresh = refresh_tokens.new_turn()
        successor = refresh_tokens.succeed(session.turns, token.turn, now_ms, fresh)
        if successor is None:
            raise _reused(snapshot.row, token)
        if successor.turns == session.turns:
            return Granted(snapshot.row, token._replace(turn=successor.turn), session)
        expires_at = now_ms // 1000 + config.current().session_lifetime_seconds
        renewed = session._replace(turns=successor.turns, expires_at=expires_at)
        is_stored, row = _rotate(snapshot.row, token.session_id, session, renewed)
        if is_stored:
            return Granted(row, token._replace(turn=successor.turn), renewed)
        snapshot = snapshot._replace(row=row)
    raise Unavailable("busy", "This session is refreshed too often at once; try again.")


def _living_session(snapshot: Snapshot, token: RefreshToken) -> StoredSession:
    session = snapshot.row.sessions.get(token.session_id)
    if session:
        # First: without the secret nobody may learn about a session or end it.
        refresh_tokens.require_secret(token, session.secret_hash)
        trail.note(actor=snapshot.row.account, session=token.session_id)
    if session is None or token.session_id not in snapshot.row.living(snapshot.everyone_era):
        raise Unauthorized("session_ended", "The session has ended; log in again.")
    if session.expires_at <= time.time():
        raise Unauthorized("session_expired", "The session was unused too long; log in again.")
    return session


def _rotate(
    row: AccountRow, session_id: str, session: StoredSession, renewed: StoredSession
) -> tuple[bool, AccountRow]:
    """Replace a stored session, if it is as it was read and the account has not been ended."""
    condition, seen = session_rows.unchanged(era=row.era)
    return session_rows.update(
        row.account,
        "SET #session = :new, expires_at = :until",
        {
            ":new": renewed.to_map(),
            ":seen": session.to_map(),
            ":until": session_rows.expires_at(),
            **seen,
        },
        f"#session = :seen AND {condition}",
        {"#session": session_rows.attribute(session_id)},
    )


def _reused(row: AccountRow, token: RefreshToken) -> Unauthorized:
    """End the session of a token that was used before; return the refusal."""
    closing.end_session(row.client_type, row.account_id, token.session_id)
    return Unauthorized(
        "refresh_token_reused", "The refresh token was used before; the session has ended."
    )
