"""Tokens: valid ones, and tokens that are wrong in one way each."""

import time
from collections.abc import Callable
from typing import Any

import jwt

from vitrina import auth
from vitrina.channels import ClientType


def token_of(client_type: ClientType, account_id: int = 1, **shop: Any) -> str:
    """Return a valid token; the default shop is 10, "Fashion Store"."""
    if client_type is ClientType.SHOP:
        shop = {"shop_id": 10, "shop_name": "Fashion Store"} | shop
    return auth.issue(account_id=account_id, client_type=client_type, **shop)


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
