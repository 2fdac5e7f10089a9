"""Keys of tokens: our own secret and the previous one, or another issuer's public keys."""

import json
import math
import time
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from threading import RLock
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar

import jwt
from aws_lambda_powertools import Logger

from vitrina import aws, config
from vitrina.errors import Unavailable

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPublicKeys

KEY_TTL_SECONDS = 300
KEY_OUTAGE_SECONDS = 86_400
"""For how long known keys are used while they cannot be read again: the age of the oldest."""
KEY_RETRY_SECONDS = 10
"""Limits how often a process asks for keys: for unknown ones, and after a failure."""
ISSUER_TIMEOUT_SECONDS = 2
MAX_KEY_SET_BYTES = 1_000_000
# CURLOPT_QUICK_EXIT, for which pycurl has no name: closing does not wait for the name server.
_QUICK_EXIT = 322

logger = Logger()

Key = TypeVar("Key")


class _Copy(Generic[Key]):
    """Keys that are kept elsewhere, by their ids."""

    def __init__(self, read: Callable[[], dict[str, Key]]) -> None:
        self._read = read
        # Threads that need new keys at the same moment read them once.
        self._lock = RLock()
        self.forget()

    def forget(self) -> None:
        self._keys: dict[str, Key] = {}
        self._failure: Exception | None = None
        self._read_at = self._tried_at = -math.inf

    def all(self) -> dict[str, Key]:
        """Return the keys, read again every KEY_TTL_SECONDS.

        If that fails, the known ones are used for up to KEY_OUTAGE_SECONDS. Raises what reading
        them raised when there are none to use.
        """
        with self._lock:
            if time.time() >= self._read_at + KEY_TTL_SECONDS:
                self._try_to_read()
            if self._failure and time.time() >= self._read_at + KEY_OUTAGE_SECONDS:
                raise self._failure.with_traceback(None)
            return self._keys

    def find(self, key_id: str) -> Key | None:
        """Return a key, or None when there is none of this id.

        Raises what reading the keys raised when an unknown key may be a new one.
        """
        with self._lock:
            if key_id not in self.all():
                self._try_to_read()
            found = self._keys.get(key_id)
            if found is None and self._failure:
                raise self._failure.with_traceback(None)
            return found

    def _try_to_read(self) -> None:
        now = time.time()
        if now < self._tried_at + KEY_RETRY_SECONDS:
            return
        self._tried_at = now
        try:
            self._keys = self._read()
        # Whatever the reason is, the known keys are as good as before.
        except Exception as failure:  # noqa: BLE001
            self._failure = failure
            reason = repr(failure.__cause__ or failure)
            logger.warning("keys not read", reason=reason, known=len(self._keys))
        else:
            self._failure = None
            self._read_at = now


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
    # Tokens that are signed elsewhere with our key may lack the id of its version.
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
    if time.time() > replaced_at + KEY_TTL_SECONDS + config.current().token_lifetime_seconds:
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

    libcurl has one timeout for everything: a name server that does not answer, each address of a
    host, and an answer that comes byte by byte. A function that runs into its own timeout loses the
    keys that it knows.
    """
    # Functions that post nothing, with keys of our own, start without libcurl.
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


_current = _Copy(_read_current)
_both = _Copy(_read_both)
_issuer = _Copy(_read_key_set)
