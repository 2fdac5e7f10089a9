"""Login and accounts."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from functions.login.handler import handler
from tests.aws.conftest import HttpCall
from vitrina import accounts, auth, aws
from vitrina.accounts import Account
from vitrina.channels import ClientType
from vitrina.errors import Conflict

call = HttpCall(handler)


def login(body: Any) -> Any:
    return call("POST", "/api/v1/auth/login", body)


def test_the_seeds_credentials_give_a_token(user_account: Account) -> None:
    answer = login({"email": "user@example.com", "password": "password"})
    assert answer.status == 200
    assert answer.body | {"access_token": ""} == {
        "access_token": "",
        "token_type": "bearer",
        "expires_in": 3600,
    }
    identity = auth.verify(answer.body["access_token"])
    assert (identity.account_id, identity.client_type) == (1, ClientType.USER)


@pytest.mark.parametrize("email", [" User@Example.COM ", "USER@EXAMPLE.COM"])
def test_an_address_is_the_same_in_capitals(user_account: Account, email: str) -> None:
    assert login({"email": email, "password": "password"}).status == 200


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(user_account: Account) -> None:
    wrong = login({"email": "user@example.com", "password": "Password"})
    unknown = login({"email": "nobody@example.com", "password": "password"})
    assert wrong == unknown
    assert (wrong.status, wrong.body["code"]) == (401, "credentials_invalid")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"email": "user@example.com"}, 422),
        ({"email": "no address", "password": "password"}, 422),
        ({"email": "user@example.com", "password": "x" * 257}, 422),
        ({"email": "user@example.com", "password": None}, 422),
        ({"email": "user@example.com", "password": "password", "admin": True}, 422),
        ("password", 400),
        (None, 422),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_malformed_login_is_refused(user_account: Account, body: Any, status: int) -> None:
    assert login(body).status == status


def test_no_password_is_logged_or_repeated(
    user_account: Account, logged: Callable[[], str]
) -> None:
    password = "correct horse battery staple"
    answers = [
        login({"email": "user@example.com", "password": password}),
        login({"email": "user@example.com", "password": password, "extra": password}),
        login(f'{{"email":"user@example.com","password":"{password}"'),
    ]
    assert [answer.status for answer in answers] == [401, 422, 400]
    assert password not in str(answers)
    assert password not in logged()


def test_a_password_is_stored_as_argon2id_only(user_account: Account) -> None:
    [row] = aws.dynamodb().scan(TableName="accounts")["Items"]
    assert row["password_hash"]["S"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert "'password'" not in str(list(row.values()))


def test_an_address_has_one_account(user_account: Account) -> None:
    with pytest.raises(Conflict):
        accounts.create("user@example.com", "another password", ClientType.ADMIN)
    assert login({"email": "user@example.com", "password": "password"}).status == 200


def test_accounts_have_consecutive_ids(cloud: None) -> None:
    emails = [TypeAdapter(accounts.Email).validate_python(f"{n}@example.com") for n in range(3)]
    created = [accounts.create(email, "password", ClientType.USER) for email in emails]
    assert [account.account_id for account in created] == [1, 2, 3]
