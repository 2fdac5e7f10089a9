"""Cached keys: read again every few minutes, and used longer while reading fails."""

import math
import time
from collections.abc import Callable
from threading import RLock
from typing import Generic, TypeVar

from aws_lambda_powertools import Logger

TTL_SECONDS = 300
MAX_OUTAGE_SECONDS = 86_400
"""The maximum age of known keys while they cannot be read again."""
RETRY_INTERVAL_SECONDS = 10
"""The minimum time between two reads: for unknown keys, and after a failure."""

logger = Logger()

Kept = TypeVar("Kept")


class Copy(Generic[Kept]):
    """A cache of keys, by their ids."""

    def __init__(self, read: Callable[[], dict[str, Kept]]) -> None:
        self._read = read
        # Threads that need new keys at the same moment read them once.
        self._lock = RLock()
        self.forget()

    def forget(self) -> None:
        self._keys: dict[str, Kept] = {}
        self._failure: Exception | None = None
        self._read_at = self._tried_at = -math.inf

    def all(self) -> dict[str, Kept]:
        """Return the keys, read again every TTL_SECONDS.

        If that fails, the known ones are used for up to MAX_OUTAGE_SECONDS. Raises what reading
        them raised when there are none to use.
        """
        with self._lock:
            if time.time() >= self._read_at + TTL_SECONDS:
                self._try_to_read()
            if self._failure and time.time() >= self._read_at + MAX_OUTAGE_SECONDS:
                raise self._failure.with_traceback(None)
            return self._keys

    def find(self, key_id: str) -> Kept | None:
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
        if now < self._tried_at + RETRY_INTERVAL_SECONDS:
            return
        self._tried_at = now
        try:
            self._keys = self._read()
        # Whatever the failure is, the known keys stay valid.
        except Exception as failure:  # noqa: BLE001
            self._failure = failure
            reason = repr(failure.__cause__ or failure)
            logger.warning("keys not read", reason=reason, known=len(self._keys))
        else:
            self._failure = None
            self._read_at = now
