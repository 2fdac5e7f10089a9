"""Refresh tokens: their text, and what a presented token means for its session.

A token has two halves. The secret belongs to the session and never changes; only its hash is
stored. The turn is replaced when the token is used. So an old token differs from a forged one, and
a lost response can be repeated, without storing old tokens.
"""

import binascii
import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from vitrina.errors import Unauthorized

SECRET_BYTES = 32
TURN_BYTES = 16

# Clients refresh twice at once, and again after a timeout: they get the same token for this long.
ROTATION_INTERVAL_MS = 120_000
# For this long, a replaced token is answered with its successor.
GRACE_MS = 30_000
# Successors whose responses may have been lost.
MAX_CURRENT_TURNS = 4

_SHAPE = re.compile(
    r"((?:user|shop|admin):[1-9][0-9]{0,15})\.([\w-]{22})\.([\w-]{43})\.([\w-]{22})"
)


class RefreshToken(NamedTuple):
    account: str
    """As in `user:42`."""
    session_id: str
    secret: bytes
    turn: bytes

    def __str__(self) -> str:
        return f"{self.account}.{self.session_id}.{_text(self.secret)}.{_text(self.turn)}"

    def __repr__(self) -> str:
        # No traceback shows the halves.
        return f"RefreshToken({self.account}, {self.session_id})"


class Turns(NamedTuple):
    """The known turns of a session; any other turn is older."""

    current: tuple[bytes, ...]
    """Those that replaced the parent, the latest last; each may be the one that arrived."""
    parent: bytes | None
    """Whose successors are the current ones; good until one of these is used."""
    issued_at_ms: int
    """When the latest was issued, in milliseconds since 1970."""


class Successor(NamedTuple):
    """The turn to answer with, and the turns to store; they may be the ones that are stored."""

    turn: bytes
    turns: Turns


def new(account: str) -> RefreshToken:
    """Return the first token of a new session."""
    session_id = _text(secrets.token_bytes(16))
    return RefreshToken(account, session_id, secrets.token_bytes(SECRET_BYTES), new_turn())


def new_turn() -> bytes:
    return secrets.token_bytes(TURN_BYTES)


def parse(text: str) -> RefreshToken:
    """Read a token, whose secret may be wrong; raises Unauthorized `refresh_token_invalid`."""
    found = _SHAPE.fullmatch(text) if text.isascii() else None
    if found:
        account, session_id, secret, turn = found.groups()
        token = RefreshToken(account, session_id, _bytes(secret), _bytes(turn))
        # The last letter of a half has spare bits: one token has one spelling.
        if str(token) == text:
            return token
    raise invalid()


def hash_of(secret: bytes) -> bytes:
    # The secret has 256 random bits, so a slow hash would add no protection.
    return hashlib.sha256(secret).digest()


def require_secret(token: RefreshToken, secret_hash: bytes) -> None:
    """Raise Unauthorized `refresh_token_invalid` for another secret, in constant time."""
    if not hmac.compare_digest(hash_of(token.secret), secret_hash):
        raise invalid()


def succeed(turns: Turns, presented: bytes, now_ms: int, fresh: bytes) -> Successor | None:
    """Return what follows a turn whose secret was right; None if the turn was used before.

    `fresh` is a new turn, which is used if one is due. The parent is accepted until one of its
    successors is used: until then the response may have been lost.
    """
    age_ms = now_ms - turns.issued_at_ms
    if presented in turns.current:
        if age_ms < ROTATION_INTERVAL_MS:
            return Successor(presented, turns)
        return Successor(fresh, Turns((fresh,), presented, now_ms))
    if presented == turns.parent:
        if age_ms < GRACE_MS:
            return Successor(turns.current[-1], turns)
        kept = turns.current[1 - MAX_CURRENT_TURNS :]
        return Successor(fresh, Turns((*kept, fresh), presented, now_ms))
    return None


def invalid() -> Unauthorized:
    return Unauthorized("refresh_token_invalid", "The refresh token is not valid.")


def _text(half: bytes) -> str:
    return urlsafe_b64encode(half).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:  # pragma: no cover - the shape has the right length
        raise invalid() from None
