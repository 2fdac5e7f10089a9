"""Delete an account of a deployed stack: make remove-account EMAIL=… [STAGE=…]

Its tokens are refused at once, and its connections are closed.
"""

import argparse
import sys

from pydantic import TypeAdapter, ValidationError

from ops import stack
from vitrina import accounts, admission, closing


def main() -> None:
    parser = argparse.ArgumentParser(description="Delete an account of a deployed stack.")
    parser.add_argument("email")
    stack.add_option(parser)
    arguments = parser.parse_args()
    try:
        email = TypeAdapter(accounts.Email).validate_python(arguments.email)
    except ValidationError as invalid:
        sys.exit("\n".join(error["msg"] for error in invalid.errors()))
    with stack.in_use(arguments.stack):
        # The address first, so that no login begins after the sessions have ended.
        deleted = accounts.delete(email)
        if deleted is None:
            sys.exit(f"{email} has no account.")
        closed = admission.disconnect(
            deleted.client_type, deleted.account_id, closing.close_account
        )
    print(f"Deleted account {deleted.account_id}: {email}; {closed} connections closed.")


if __name__ == "__main__":
    main()
