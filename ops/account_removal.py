"""Delete an account of a deployed stack: make remove-account EMAIL=… [STAGE=…]

Its tokens are refused at once, and its connections are closed.
"""

import argparse
import secrets
import sys
from typing import NamedTuple

from pydantic import TypeAdapter

from ops import stack
from vitrina import accounts, closing, preferences, session_rows
from vitrina.accounts import Account, Email


class Removed(NamedTuple):
    account: Account
    closed: int
    """How many connections were closed."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Delete an account of a deployed stack.")
    parser.add_argument("email")
    stack.add_option(parser)
    arguments = parser.parse_args()
    with stack.refusals():
        email = TypeAdapter(Email).validate_python(arguments.email)
        with stack.in_use(arguments.stack):
            removed = remove(email)
    if removed is None:
        sys.exit(f"{email} has no account.")
    account_id = removed.account.account_id
    print(f"Deleted account {account_id}: {email}; {removed.closed} connections closed.")


def remove(email: Email) -> Removed | None:
    """End an account's sessions, close its connections and delete it; None when there is none.

    First its password becomes one that nobody knows, so that no login begins after the sessions
    have ended. The account itself is deleted last: until then the command can be run again. Raises
    Unavailable `busy` when the account changes meanwhile.
    """
    account = accounts.set_password(email, secrets.token_urlsafe())
    if account is None:
        return None
    closed = closing.disconnect(account.client_type, account.account_id)
    preferences.delete(session_rows.name(account.client_type, account.account_id))
    accounts.delete(email)
    return Removed(account, closed)


if __name__ == "__main__":
    main()
