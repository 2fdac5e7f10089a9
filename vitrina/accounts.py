"""Accounts: email, password, and the client type they log in as."""

import unicodedata
from typing import Annotated, Any, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from vitrina import aws, config, ids, passwords, session_rows, sessions
from vitrina.channels import ClientType
from vitrina.errors import Conflict, NotFound, Unauthorized, Unavailable
from vitrina.sessions import Snapshot
from vitrina.types import Id, OneLine, ShopName


def _composed(text: str) -> str:
    """Return a text with й as one character (NFC); some keyboards write it as two.

    Not NFKC: full-width letters are another address (RFC 6532, section 3.1).
    """
    return unicodedata.normalize("NFC", text)


Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"
    ),
    AfterValidator(_composed),
    OneLine,
]
Password = Annotated[str, StringConstraints(min_length=8, max_length=256)]


class Account(BaseModel):
    """One row of the accounts table, without its password."""

    model_config = ConfigDict(frozen=True)

    email: str
    account_id: Id
    client_type: ClientType
    shop_id: Id | None = None
    shop_name: Annotated[str, Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def _only_shops_have_a_shop(self) -> Self:
        if (self.client_type is ClientType.SHOP) != (self.shop_id is not None):
            raise ValueError("a shop, and only a shop, has shop_id")
        if (self.shop_id is None) != (self.shop_name is None):
            raise ValueError("shop_id and shop_name come together")
        return self


def create(
    email: Email,
    password: Password,
    client_type: ClientType,
    shop_id: int | None = None,
    shop_name: ShopName | None = None,
) -> Account:
    """Store a new account under the next account id.

    Raises Conflict `account_exists` when the address is taken.
    """
    account = Account(
        email=email,
        account_id=ids.next_id("account"),
        client_type=client_type,
        shop_id=shop_id,
        shop_name=shop_name,
    )
    row = {**account.model_dump(mode="json"), "password_hash": passwords.hash_of(password)}
    if not aws.is_written(
        aws.dynamodb().put_item,
        TableName=config.current().accounts_table,
        Item=aws.to_item(row),
        ConditionExpression="attribute_not_exists(email)",
    ):
        raise Conflict("account_exists", f"{email} has an account already.")
    return account


class Login(NamedTuple):
    """An account whose password was right, and what was stored of its sessions."""

    account: Account
    seen: Snapshot


def authenticate(email: str, password: str) -> Login:
    """Return the account with these credentials; `Email` has validated the address.

    Reads the account, its era, then the account again, and verifies the second password hash. So
    if the password is replaced, or the account is deleted or its sessions are ended during the
    login, no session outlives that. A hash with outdated parameters is replaced, unless another
    request changes it first.

    Raises Unauthorized `credentials_invalid` when the address or the password is wrong; both take
    the same time. Raises Unavailable `busy` when the address now belongs to another account.
    """
    client_type, account_id = _owner(_row(email))
    seen = sessions.read(session_rows.name(client_type, account_id), with_everyone=True)
    row = _row(email)
    if row and _owner(row) != (client_type, account_id):
        raise _busy()
    stored = row.get("password_hash")
    renewed = passwords.verify(password, stored)
    if renewed is None:
        raise Unauthorized("credentials_invalid", "The email or the password is wrong.")
    if renewed != stored:
        _replace_hash(row, renewed)
    return Login(Account.model_validate(row), seen)


def find(email: Email) -> Account:
    """Return the account of an address; raises NotFound `account_not_found`."""
    if row := _row(email):
        return Account.model_validate(row)
    raise NotFound("account_not_found", "No account has this address.")


def set_password(email: Email, password: Password) -> Account | None:
    """Give an account a new password, and return the account; None when there is none.

    Tokens stay valid until the caller ends the account's sessions. Raises Unavailable `busy` when
    another request changes the account at the same time.
    """
    row = _row(email)
    if not row:
        return None
    if not _replace_hash(row, passwords.hash_of(password)):
        raise _busy()
    return Account.model_validate(row)


def delete(email: Email) -> None:
    """Delete an account if there is one; its tokens stay valid until its sessions are ended."""
    aws.dynamodb().delete_item(
        TableName=config.current().accounts_table, Key={"email": {"S": email}}
    )


def _row(email: str) -> dict[str, Any]:
    return aws.get(config.current().accounts_table, {"email": email})


def _replace_hash(seen: dict[str, Any], password_hash: str) -> bool:
    """Replace the password hash of a row, unless it has changed since it was read."""
    return aws.update(
        config.current().accounts_table,
        {"email": seen["email"]},
        "SET password_hash = :new",
        {":new": password_hash, ":seen": seen["password_hash"]},
        "password_hash = :seen",
    ).is_done


def _busy() -> Unavailable:
    return Unavailable("busy", "This account is changing; try again.")


def _owner(row: dict[str, Any]) -> tuple[ClientType, int]:
    """Return the owner of a row; an unknown address is read as account 0, at the same cost."""
    return ClientType(row.get("client_type", ClientType.USER)), int(row.get("account_id", 0))
