"""Keys of tokens: our own secret and the previous one, or another issuer's public keys."""

import time
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import jwt

from vitrina import aws, config
from vitrina.errors import Unavailable

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPublicKeys

KEY_TTL_SECONDS = 300
# Limits how often tokens with unknown keys make a process ask Secrets Manager.
UNKNOWN_KEY_TTL_SECONDS = 10
ISSUER_TIMEOUT_SECONDS = 2


class Secret(NamedTuple):
    """One version of the secret in Secrets Manager."""

    key_id: str
    value: str
    created_at: float


def forget() -> None:
    """Read all keys again at their next use."""
    for cached in (_current_during, _both_during, _issuer):
        cached.cache_clear()


def signing() -> Secret:
    """Return the key to sign with; Secrets Manager is asked once per period."""
    return _current_during(int(time.time() // KEY_TTL_SECONDS))


def verifying(token: str) -> "str | AllowedPublicKeys":
    """Return the key that a token's header names.

    Raises jwt's InvalidTokenError for an unknown or expired key, and Unavailable
    `issuer_unreachable` when another issuer's keys cannot be read.
    """
    if config.current().token_jwks_url:
        return _published(token)
    key_id = jwt.get_unverified_header(token).get("kid")
    current = signing()
    # Tokens that are signed elsewhere with our key may lack the id of its version.
    if key_id in (None, current.key_id):
        return current.value
    # The previous key, or one that is newer than this process's copy.
    for secret in _both_during(int(time.time() // UNKNOWN_KEY_TTL_SECONDS)):
        if key_id == secret.key_id:
            return secret.value
    raise jwt.InvalidTokenError


@lru_cache(maxsize=1)
def _current_during(_period: int) -> Secret:
    return _read("AWSCURRENT")


@lru_cache(maxsize=1)
def _both_during(_period: int) -> list[Secret]:
    """Return the current key, and the previous one until its last tokens have expired.

    Other processes sign with the previous key for up to five minutes after its replacement.
    """
    current = _read("AWSCURRENT")
    replaced_at = current.created_at
    if time.time() > replaced_at + KEY_TTL_SECONDS + config.current().token_lifetime_seconds:
        return [current]
    try:
        return [current, _read("AWSPREVIOUS")]
    except aws.secretsmanager().exceptions.ResourceNotFoundException:
        return [current]


def _read(stage: Literal["AWSCURRENT", "AWSPREVIOUS"]) -> Secret:
    found = aws.secretsmanager().get_secret_value(
        SecretId=config.current().signing_key_secret, VersionStage=stage
    )
    return Secret(found["VersionId"], found["SecretString"], found["CreatedDate"].timestamp())


def _published(token: str) -> "AllowedPublicKeys":
    try:
        found = _issuer().get_signing_key_from_jwt(token)
    # ValueError: the answer is not JSON.
    except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, ValueError):
        raise Unavailable("issuer_unreachable", "The issuer's keys cannot be read.") from None
    except jwt.PyJWKClientError:
        raise jwt.InvalidTokenError from None
    # A key set may have keys for other uses, and a token may name any of them.
    if found.algorithm_name != config.current().token_algorithm:
        raise jwt.InvalidTokenError
    key: AllowedPublicKeys = found.key
    return key


@cache
def _issuer() -> jwt.PyJWKClient:
    """Return the cached key set, fetched again for an unknown key, at most every 30 s."""
    return jwt.PyJWKClient(
        config.current().token_jwks_url, lifespan=KEY_TTL_SECONDS, timeout=ISSUER_TIMEOUT_SECONDS
    )
