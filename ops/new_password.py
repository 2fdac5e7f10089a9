"""A new password: asked for, and refused if it is easy to guess.

Only commands set passwords, so the functions neither have the list of common ones nor read it.
"""

import getpass
import sys
from pathlib import Path

import precis_i18n
from pydantic import TypeAdapter

from vitrina import accounts
from vitrina.accounts import Email, Password
from vitrina.errors import Invalid

_COMMON = Path(__file__).with_name("common_passwords.txt")


def ask(email: Email) -> Password:
    """Return the password for an account, asked for or read from a pipe.

    Other users could see an argument. Raises what `check` raises.
    """
    typed = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    return check(typed, email)


def check(password: str, email: Email) -> Password:
    """Return a password in the form that is compared, if it may be that of an account.

    Raises Invalid `request_invalid`, and pydantic's ValidationError for its length.
    """
    try:
        # PRECIS refuses an empty text as it refuses a character.
        opaque = precis_i18n.get_profile("OpaqueString").enforce(password) if password else ""
    except UnicodeEncodeError:
        raise _refused(
            "has a character that no password may have (RFC 8265), such as an invisible one"
        ) from None
    TypeAdapter(accounts.Password).validate_python(opaque)
    folded = opaque.casefold()
    if folded in {email.casefold(), email.casefold().partition("@")[0]}:
        raise _refused("is the email address or its first part")
    if folded in _COMMON.read_text("utf-8").splitlines():
        raise _refused("is one of the most common ones, which are guessed first")
    return opaque


def _refused(sentence: str) -> Invalid:
    return Invalid("request_invalid", f"The password {sentence}.")
