"""Create an account in a deployed stack: make account EMAIL=… TYPE=user|shop|admin [STAGE=…]

The command asks for the password or reads it from a pipe.
"""

import argparse

from pydantic import TypeAdapter

from ops import new_password, stack
from vitrina import accounts
from vitrina.channels import ClientType
from vitrina.types import ShopName


def main() -> None:
    parser = argparse.ArgumentParser(description="Create an account in a deployed stack.")
    parser.add_argument("email")
    parser.add_argument("client_type", choices=list(ClientType), type=ClientType)
    parser.add_argument("--shop-id", type=int)
    parser.add_argument("--shop-name")
    stack.add_option(parser)
    arguments = parser.parse_args()
    with stack.refusals():
        email = TypeAdapter(accounts.Email).validate_python(arguments.email)
        shop_name = TypeAdapter(ShopName | None).validate_python(arguments.shop_name)
        password = new_password.ask(email)
        with stack.in_use(arguments.stack):
            account = accounts.create(
                email, password, arguments.client_type, arguments.shop_id, shop_name
            )
    print(f"Created account {account.account_id}: {account.email}, {account.client_type}")


if __name__ == "__main__":
    main()
