"""Keys of tokens: our own secret and the previous one, or another issuer's public keys."""

import json
import time
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Literal, NamedTuple

import jwt

from vitrina import aws, config, copies
from vitrina.copies import Copy
from vitrina.errors import Unavailable

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPublicKeys

ISSUER_TIMEOUT_SECONDS = 2
MAX_KEY_SET_BYTES = 1_000_000
# CURLOPT_QUICK_EXIT, for which pycurl has no name: closing does not wait for the name server.
_QUICK_EXIT = 322


class Secret(NamedTuple):
    """One version of the secret in Secrets Manager."""

    key_id: str
    value: str
    created_at: float


def forget() -> None:
    """Read all keys again at their next use."""
    for copy in (_current, _both, _issuer):
        copy.forget()


def signing() -> Secret:
    """Return the key to sign with."""
    [current] = _current.all().values()
    return current


def verifying(token: str) -> "str | AllowedPublicKeys":
    """Return the key that a token's header names.

    Raises jwt's InvalidTokenError for an unknown or expired key, and Unavailable
    `issuer_unreachable` when another issuer's keys cannot be read.
    """
    key_id = jwt.get_unverified_header(token).get("kid")
    return _published(key_id) if config.current().token_jwks_url else _own(key_id)


# --- Our own secret -------------------------------------------------------------------------------


def _own(key_id: str | None) -> str:
    current = signing()
    # Tokens that other programs sign with this key may lack the id of its version.
    if key_id is None or key_id == current.key_id:
        return current.value
    # The previous key, or one that is newer than this process's copy.
    found = _both.find(key_id)
    if found is None:
        raise jwt.InvalidTokenError
    return found.value


def _read_current() -> dict[str, Secret]:
    current = _read("AWSCURRENT")
    return {current.key_id: current}


def _read_both() -> dict[str, Secret]:
    """Return the current key, and the previous one until its last tokens have expired.

    Other processes sign with the previous key for up to five minutes after its replacement.
    """
    both = _read_current()
    [replaced_at] = (current.created_at for current in both.values())
    if time.time() > replaced_at + copies.TTL_SECONDS + config.current().token_lifetime_seconds:
        return both
    try:
        previous = _read("AWSPREVIOUS")
    except aws.secretsmanager().exceptions.ResourceNotFoundException:
        return both
    return both | {previous.key_id: previous}


def _read(stage: Literal["AWSCURRENT", "AWSPREVIOUS"]) -> Secret:
    found = aws.secretsmanager().get_secret_value(
        SecretId=config.current().signing_key_secret, VersionStage=stage
    )
    return Secret(found["VersionId"], found["SecretString"], found["CreatedDate"].timestamp())


# --- Another issuer -------------------------------------------------------------------------------


def _published(key_id: str | None) -> "AllowedPublicKeys":
    found = _issuer.find(key_id) if key_id else None
    # A key set may have keys for other uses, and a token may name any of them.
    if found is None or found.algorithm_name != config.current().token_algorithm:
        raise jwt.InvalidTokenError
    key: AllowedPublicKeys = found.key
    return key


def _read_key_set() -> dict[str, jwt.PyJWK]:
    """Return the issuer's keys for signatures; raises Unavailable `issuer_unreachable`."""
    try:
        entries = json.loads(_fetch(config.current().token_jwks_url))["keys"]
        found = [_public_key(entry) for entry in entries]
    # KeyError and TypeError: the JSON is no key set.
    except (OSError, ValueError, KeyError, TypeError) as failure:
        raise Unavailable("issuer_unreachable", "The issuer's keys cannot be read.") from failure
    return {
        key.key_id: key
        for key in found
        if key and isinstance(key.key_id, str) and key.public_key_use in ("sig", None)
    }


def _public_key(entry: dict[str, str]) -> jwt.PyJWK | None:
    """Return a key of a key set; None for an entry that is no key, or one of an unknown kind."""
    try:
        return jwt.PyJWK(entry)
    except (jwt.PyJWTError, AttributeError, NotImplementedError):
        return None


def _fetch(url: str) -> bytes:
    """Return what is at a URL, without following redirects; raises OSError.

    libcurl's timeout includes name resolution, all addresses of a host, and slow responses. A
    function that reaches its own timeout loses its cached keys.
    """
    # Imported here: functions that post nothing and have a secret of their own need no libcurl.
    import pycurl

    answer = BytesIO()
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(_QUICK_EXIT, 1)
    curl.setopt(pycurl.CAINFO, aws.ca_bundle())
    curl.setopt(pycurl.TIMEOUT_MS, int(ISSUER_TIMEOUT_SECONDS * 1000))
    curl.setopt(pycurl.MAXFILESIZE, MAX_KEY_SET_BYTES)
    curl.setopt(pycurl.WRITEDATA, answer)
    try:
        curl.perform()
        status = curl.getinfo(pycurl.RESPONSE_CODE)
    except pycurl.error as failure:
        raise OSError(*failure.args) from None
    finally:
        curl.close()
    if status != HTTPStatus.OK:
        raise OSError(f"status {status}")
    return answer.getvalue()


_current = Copy(_read_current)
_both = Copy(_read_both)
_issuer = Copy(_read_key_set)
