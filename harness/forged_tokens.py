"""Tokens that must be refused: forged without the key, or signed by a careless issuer."""

import hmac
import json
import math
import time
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from harness.tokens import claims
from vitrina.types import MAX_TOKEN_CHARACTERS

FORGERS_KEY = "f" * 64


def serialize(header: Any, payload: Any, key: str | bytes) -> str:
    """Return a token with any header and payload, as JSON or as bytes, signed with HMAC."""
    signed = f"{_segment(header)}.{_segment(payload)}"
    key = key.encode() if isinstance(key, str) else key
    return f"{signed}.{_segment(hmac.digest(key, signed.encode(), 'sha256'))}"


def _segment(part: Any) -> str:
    whole = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(whole).rstrip(b"=").decode()


def forged() -> dict[str, str]:
    """Return tokens that someone without the key can make."""
    return {
        **{f"alg {alg!r}": _unsigned({"alg": alg}) for alg in _ALGORITHMS},
        "no alg": _unsigned({"typ": "JWT"}),
        **{
            f"kid {str(kid)[:40]!r}": serialize({"alg": "HS256", "kid": kid}, claims(), key)
            for kid in _KEY_IDS
            for key in ("", FORGERS_KEY)
        },
        **{f"header {name}": _with_own_key({name: value}) for name, value in _KEY_HEADERS.items()},
        "jwk of a secret": serialize({"alg": "HS256", "jwk": _SECRET}, claims(), FORGERS_KEY),
        "alg twice": serialize(b'{"alg":"none","alg":"HS256"}', claims(), b""),
        **{f"{alg} with its jwk": token for alg, token in _signed_with_a_pair().items()},
    }


def careless(key: str) -> dict[str, str]:
    """Return tokens with claims, headers or payloads that are wrong, signed with the right key."""
    sign: dict[str, Any] = {"alg": "HS256"}
    return {
        **{
            f"{claim} {str(value)[:40]!r}": serialize(sign, claims(**{claim: value}), key)
            for claim, values in _wrong_claims().items()
            for value in values
        },
        **{
            f"shop {shop}": serialize(sign, claims(client_type="shop", **shop), key)
            for shop in _SHOPS
        },
        **{
            f"payload {payload[:20]!r}": serialize(sign, payload, key)
            for payload in (*_PAYLOADS, json.dumps([claims()]).encode())
        },
        "nested": serialize(sign | {"cty": "JWT"}, serialize(sign, claims(), key).encode(), key),
        **{f"header {more}": serialize(sign | more, claims(), key) for more in _HEADERS},
        "detached": serialize(sign | {"b64": False, "crit": ["b64"]}, b"", key),
        "too long": serialize(sign, claims(x="x" * MAX_TOKEN_CHARACTERS), key),
    }


def respelled(token: str) -> dict[str, str]:
    """Return other spellings of a valid token."""
    header, payload, signature = token.split(".")
    spare_bits = chr(ord(signature[-1]) + 1)
    return {
        "padded signature": f"{token}=",
        "padded twice": f"{token}==",
        "padded header": f"{header}=.{payload}.{signature}",
        "spare bits": token[:-1] + spare_bits,
        "space before": f" {token}",
        "space after": f"{token} ",
        "line break": f"{token}\n",
        "line break inside": f"{header}\n.{payload}.{signature}",
        "tab inside": f"{header}.\t{payload}.{signature}",
        "NUL": f"{token}\0",
        "zero-width space": f"{token}\u200b",
        "byte order mark": f"\ufeff{token}",
        "full-width dots": token.replace(".", "．"),
        "escaped dots": token.replace(".", "%2E"),
        "scheme": f"Bearer {token}",
        "lower case": token.lower(),
        "a dot more": f"{token}.",
        "a dot less": token.replace(".", "", 1),
        "a dot before": f".{token}",
        "five parts": f"{token}.{payload}.{signature}",
        "no signature": f"{header}.{payload}.",
        "half a signature": token[:-20],
        "signature twice": token + signature,
        "empty payload": f"{header}..{signature}",
        "plus": f"{token[:-1]}+",
        "as JSON": json.dumps({"protected": header, "payload": payload, "signature": signature}),
    }


_ALGORITHMS = ("none", "None", "NONE", "nOnE", "", None, 5, ["HS256"], "hs256", "HS256 ", "HS512")
_KEY_IDS = (
    *("../../../../dev/null", "/dev/null", "file:///dev/null", "https://example.com/key"),
    *("' OR '1'='1", "key-1' UNION SELECT 'x", "key-2", "AWSCURRENT", "", "\0", "x" * 3000),
    *(None, 5, True, ["key-1"], {"key-1": "key-1"}),
)
_KEY_HEADERS = {
    "jku": "https://example.com/jwks",
    "x5u": "https://example.com/certificate",
    "x5c": ["MIIB"],
    "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
}
_SECRET = {"kty": "oct", "k": _segment(FORGERS_KEY.encode())}
_HEADERS: tuple[dict[str, Any], ...] = (
    *({"crit": crit} for crit in ([], ["exp"], "b64", ["b64"], [5], None)),
    *({"b64": False}, {"b64": False, "crit": ["b64"]}),
    *({"kid": kid} for kid in (5, None, ["key-1"])),
)
_PAYLOADS = (b"", b"null", b"5", b'"text"', b"[]", b"{}", b"{", b"\xff", b"[" * 2000)
_SHOPS: tuple[dict[str, Any], ...] = (
    *({"shop_name": "Fashion Store"}, {"shop_id": 10}, {"shop_id": 10, "shop_name": ""}),
    *({"shop_id": 10, "shop_name": name} for name in (5, ["Fashion Store"], {"a": 1})),
    *(
        {"shop_id": shop_id, "shop_name": "Fashion Store"}
        for shop_id in (
            True,
            10.0,
            1.5,
            0,
            -10,
            "010",
            " 10",
            "10\n",
            "１０",
            [10],
            2**53,
            math.nan,
        )
    ),
)


def _wrong_claims() -> dict[str, tuple[Any, ...]]:
    now = int(time.time())
    no_times = (math.nan, math.inf, -math.inf, "soon", [now], {"now": now}, "", 10**300, 10**2000)
    return {
        "sub": (
            *(True, False, 42, 42.0, 0, [], ["42"], {"42": 42}, math.nan, math.inf, 10**2000),
            *("", "0", "-42", "+42", "042", " 42", "42 ", "42\n", "42\0", "4_2", "42.0", "4e1"),
            *("0x2a", "NaN", "true", "４２", "٤٢", "4２", "²", "42\u200b", "9" * 17, "9" * 2000),
            str(2**53),
        ),
        "client_type": ("ADMIN", "admin ", "admin\0", "", True, 5, ["admin"], {"admin": 1}),
        "exp": (*no_times, str(now + 60), now + 60.5, 2**53),
        "iat": (*no_times, str(now), True, 0, -1, now + 60),
        "nbf": (*no_times, now + 60),
        "auth_time": (*no_times, str(now), True, 0, -1),
        "iss": ("", "Vitrina", "vitrina ", "vitrina\0", ["vitrina"], {"vitrina": 1}, True, 5),
        "aud": ("", "Vitrina", [], ["x"], ["vitrina", 5], [["vitrina"]], {"vitrina": 1}, True, 5),
        "jti": (5, ["x"]),
    }


def _unsigned(header: dict[str, Any]) -> str:
    return f"{_segment(header)}.{_segment(claims(client_type='admin'))}."


def _with_own_key(header: dict[str, Any]) -> str:
    return serialize({"alg": "HS256"} | header, claims(client_type="admin"), FORGERS_KEY)


def _signed_with_a_pair() -> dict[str, str]:
    pairs: dict[str, tuple[Algorithm, Any]] = {
        "RS256": (RSAAlgorithm(RSAAlgorithm.SHA256), rsa.generate_private_key(65537, 2048)),
        "ES256": (ECAlgorithm(ECAlgorithm.SHA256), ec.generate_private_key(ec.SECP256R1())),
        "EdDSA": (OKPAlgorithm(), ed25519.Ed25519PrivateKey.generate()),
    }
    tokens = {}
    for name, (algorithm, key) in pairs.items():
        jwk = json.loads(algorithm.to_jwk(key.public_key()))
        signed = f"{_segment({'alg': name, 'jwk': jwk})}.{_segment(claims())}"
        tokens[name] = f"{signed}.{_segment(algorithm.sign(signed.encode(), key))}"
    return tokens
