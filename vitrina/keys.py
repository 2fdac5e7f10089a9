"""The keys of tokens: our own secret and the one before it, or another issuer's public keys."""

import time
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import jwt

from vitrina import aws, settings
from vitrina.errors import Unavailable

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPublicKeys

KEPT_SECONDS = 300
# Tokens that name unknown keys must not make every process ask for keys without end.
AGAIN_SECONDS = 10
ISSUER_SECONDS = 2


class Secret(NamedTuple):
    """One version of the secret in Secrets Manager."""

    key_id: str
    value: str
    created_at: float


def signing() -> Secret:
    """Return the key to sign with; one call of Secrets Manager a period, not one a token."""
    return _current_during(int(time.time() // KEPT_SECONDS))


def verifying(token: str) -> "str | AllowedPublicKeys":
    """Return the key that a token says it is signed with.

    Raises jwt's InvalidTokenError when there is no such key, or not any more, and Unavailable
    `issuer_unreachable` when another issuer does not tell its keys.
    """
    if settings.current().token_jwks_url:
        return _published(token)
    key_id = jwt.get_unverified_header(token).get("kid")
    current = signing()
    # Who signs for us by other means may not know how the version is called.
    if key_id in (None, current.key_id):
        return current.value
    # The key before, or one that this process has not heard of yet.
    for secret in _both_during(int(time.time() // AGAIN_SECONDS)):
        if key_id == secret.key_id:
            return secret.value
    raise jwt.InvalidTokenError


@lru_cache(maxsize=1)
def _current_during(_period: int) -> Secret:
    return _read("AWSCURRENT")


@lru_cache(maxsize=1)
def _both_during(_period: int) -> list[Secret]:
    """Return the current key, and the one before it for as long as its tokens may last.

    Other processes sign with it for another five minutes after it was replaced.
    """
    current = _read("AWSCURRENT")
    replaced_at = current.created_at
    if time.time() > replaced_at + KEPT_SECONDS + settings.current().token_lifetime_seconds:
        return [current]
    try:
        return [current, _read("AWSPREVIOUS")]
    except aws.secretsmanager().exceptions.ResourceNotFoundException:
        return [current]


def _read(stage: Literal["AWSCURRENT", "AWSPREVIOUS"]) -> Secret:
    found = aws.secretsmanager().get_secret_value(
        SecretId=settings.current().signing_key_secret, VersionStage=stage
    )
    return Secret(found["VersionId"], found["SecretString"], found["CreatedDate"].timestamp())


def _published(token: str) -> "AllowedPublicKeys":
    try:
        found = _issuer().get_signing_key_from_jwt(token)
    # ValueError: what it answers is not JSON.
    except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, ValueError):
        raise Unavailable(
            "issuer_unreachable", "The issuer of tokens does not tell its keys."
        ) from None
    except jwt.PyJWKClientError:
        raise jwt.InvalidTokenError from None
    # Sets hold keys for other uses too, and a token may name any of them.
    if found.algorithm_name != settings.current().token_algorithm:
        raise jwt.InvalidTokenError
    key: AllowedPublicKeys = found.key
    return key


@cache
def _issuer() -> jwt.PyJWKClient:
    """Return who keeps the key set, and fetches it again for an unknown key, every 30 s at most."""
    return jwt.PyJWKClient(
        settings.current().token_jwks_url, lifespan=KEPT_SECONDS, timeout=ISSUER_SECONDS
    )
