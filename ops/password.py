"""Set a new password in a deployed stack: make password EMAIL=… [STAGE=…]

The command asks for the password or reads it from a pipe. It ends the sessions of the account: its
tokens are refused at once, and its connections are closed.
"""

import argparse
import sys

from pydantic import TypeAdapter

from ops import new_password, stack
from vitrina import accounts, closing


def main() -> None:
    parser = argparse.ArgumentParser(description="Set an account's password in a deployed stack.")
    parser.add_argument("email")
    stack.add_option(parser)
    arguments = parser.parse_args()
    with stack.refusals():
        email = TypeAdapter(accounts.Email).validate_python(arguments.email)
        password = new_password.ask(email)
        with stack.in_use(arguments.stack):
            account = accounts.set_password(email, password)
            if account is None:
                sys.exit(f"{email} has no account.")
            # The password first, so that no login with the old one begins after the sessions have
            # ended. After a failure between the two the command is run again.
            closed = closing.disconnect(account.client_type, account.account_id)
    print(f"Set the password of {email}; {closed} connections closed.")


if __name__ == "__main__":
    main()
