"""Tokens that are wrong in one way each."""

import time
from typing import Any

import jwt


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a user's good token, changed; None leaves a claim out."""
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


def refused(key: str) -> dict[str, str]:
    """Return tokens that must open nothing, by what is wrong with them; `key` is the real one."""
    return {
        "missing": "",
        "garbage": "garbage",
        "very long": "x" * 7000,
        "forged signature": jwt.encode(claims(), "x" * 64, "HS256"),
        "alg none": jwt.encode(claims(), "", "none"),
        "another algorithm": jwt.encode(claims(), key, "HS384"),
        "expired": jwt.encode(claims(exp=int(time.time()) - 1), key, "HS256"),
        "wrong issuer": jwt.encode(claims(iss="x"), key, "HS256"),
        "wrong audience": jwt.encode(claims(aud="x"), key, "HS256"),
        "no expiry": jwt.encode(claims(exp=None), key, "HS256"),
    }
