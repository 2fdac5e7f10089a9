"""The accounts of one run: random addresses that nobody owns, random passwords."""

import secrets
from typing import NamedTuple

from pydantic import TypeAdapter

from vitrina import accounts
from vitrina.channels import ClientType

# Reserved: nothing is ever delivered to it (RFC 2606).
DOMAIN = "example.invalid"
# Far above the numbers of real shops.
FIRST_SHOP_ID = 10**12
MAX_SHOP_ID = 10**15


class Person(NamedTuple):
    """One account, before it is created."""

    email: str
    password: str
    client_type: ClientType


class Cast(NamedTuple):
    """The people of a run, and the names that only this run uses."""

    people: dict[str, Person]
    shop_id: int
    room: str


def choose() -> Cast:
    """Return the cast of a new run: one person of each type, and one who is disconnected."""
    mark = secrets.token_hex(6)
    types = {str(each): each for each in ClientType} | {"leaver": ClientType.USER}
    people = {
        name: Person(f"verify-{mark}-{name}@{DOMAIN}", secrets.token_urlsafe(32), client_type)
        for name, client_type in types.items()
    }
    shop_id = FIRST_SHOP_ID + secrets.randbelow(MAX_SHOP_ID - FIRST_SHOP_ID)
    return Cast(people, shop_id, room=f"verify-{mark}")


def create(person: Person, shop_id: int) -> int:
    """Store an account; return its id."""
    password = TypeAdapter(accounts.Password).validate_python(person.password)
    shop = (shop_id, "Verification") if person.client_type is ClientType.SHOP else (None, None)
    return accounts.create(person.email, password, person.client_type, *shop).account_id
