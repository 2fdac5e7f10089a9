"""Passwords: how they are compared, hashed and verified."""

import unicodedata
from collections.abc import Iterator

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

# RFC 9106's second recommended option (64 MiB), argon2-cffi's default.
_hasher = PasswordHasher()

# Verified when there is no such account, so that the response takes as long as a wrong password.
_UNKNOWN_ACCOUNT_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$Q8N2h8KqT9KRPAa9qPKwUA"
    "$QbXGYcbGkvQtqQPFjUvaZnnJFWxYTJES5kov1k2KLw0"
)


def comparable(password: str) -> str:
    """Return a password as RFC 8265, section 4.2.2 (OpaqueString) compares it.

    Every space is U+0020, and letters are composed (NFC). Not NFKC, and case is kept. Characters
    that a new password may not contain are kept: at a login they only make it wrong.
    """
    spaced = "".join(" " if unicodedata.category(each) == "Zs" else each for each in password)
    return unicodedata.normalize("NFC", spaced)


def hash_of(password: str) -> str:
    """Return what is stored of a password: argon2id with its parameters and a random salt."""
    return _hasher.hash(comparable(password))


def verify(password: str, stored: str | None) -> str | None:
    """Return the hash that an account has from now on, or None if the password is wrong.

    It is the stored hash, unless it has outdated parameters or version 0.1 made it. Without a
    stored hash the result is None, after the same time.
    """
    found = next((each for each in _spellings(password) if _is(each, stored)), None)
    if stored is None or found is None:
        return None
    is_current = found == comparable(password) and not _hasher.check_needs_rehash(stored)
    return stored if is_current else hash_of(password)


def _spellings(password: str) -> Iterator[str]:
    """Yield the spellings that may have been hashed: version 0.1 composed letters only."""
    yield (now := comparable(password))
    if (before := unicodedata.normalize("NFC", password)) != now:
        yield before


def _is(spelling: str, stored: str | None) -> bool:
    try:
        return _hasher.verify(stored or _UNKNOWN_ACCOUNT_HASH, spelling)
    except VerifyMismatchError:
        return False
