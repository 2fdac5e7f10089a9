"""Tokens: valid ones, and tokens that are wrong in one way each."""

import time
from collections.abc import Callable
from typing import Any

import jwt

from vitrina import auth, logins, session_rows, sessions
from vitrina.accounts import Account, Login
from vitrina.channels import ClientType
from vitrina.session_rows import Granted
from vitrina.sessions import Snapshot


def token_of(
    client_type: ClientType,
    account_id: int | None = None,
    *,
    new_session: bool = False,
    **shop: Any,
) -> str:
    """Return a valid token of an account's latest session, or of a new one.

    The default shop is 10, "Fashion Store". The default account is 1, or has the shop's number.
    """
    if client_type is ClientType.SHOP:
        shop = {"shop_id": 10, "shop_name": "Fashion Store"} | shop
    account_id = account_id or shop.get("shop_id", 1)
    snapshot = sessions.read(session_rows.name(client_type, account_id), with_everyone=True)
    living = snapshot.row.living(snapshot.everyone_era)
    if new_session or not living:
        return auth.tokens(begin(snapshot, **shop)).access_token
    session_id, session = max(living.items(), key=lambda each: each[1].created_at)
    return auth.issue(snapshot.row, session_id, session)


def begin(snapshot: Snapshot, **shop: Any) -> Granted:
    """Begin a session as a login does, of an account that may have no password."""
    account = Account(
        email=f"{snapshot.row.account}@example.com",
        account_id=snapshot.row.account_id,
        client_type=snapshot.row.client_type,
        **shop,
    )
    return logins.begin(Login(account, snapshot))


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a user's valid token, with changes; None removes a claim."""
    now = int(time.time())
    whole = {
        "sub": "42",
        "client_type": "user",
        "iat": now,
        "exp": now + 60,
        "iss": "vitrina",
        "aud": "vitrina",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


INVALID: dict[str, Callable[[str], str]] = {
    "missing": lambda _key: "",
    "garbage": lambda _key: "garbage",
    "very long": lambda _key: "x" * 7000,
    "forged signature": lambda _key: jwt.encode(claims(), "x" * 64, "HS256"),
    "alg none": lambda _key: jwt.encode(claims(), "", "none"),
    "another algorithm": lambda key: jwt.encode(claims(), key, "HS384"),
    "expired": lambda key: jwt.encode(claims(exp=int(time.time()) - 1), key, "HS256"),
    "wrong issuer": lambda key: jwt.encode(claims(iss="x"), key, "HS256"),
    "wrong audience": lambda key: jwt.encode(claims(aud="x"), key, "HS256"),
    "no expiry": lambda key: jwt.encode(claims(exp=None), key, "HS256"),
}
"""Makes a token with each fault, from the real signing key."""


def invalid(key: str) -> dict[str, str]:
    """Return a token with each fault."""
    return {fault: make(key) for fault, make in INVALID.items()}
