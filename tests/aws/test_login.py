"""Login and accounts."""

from collections.abc import Callable
from typing import Any, Literal
from unicodedata import normalize

import pytest
from argon2 import PasswordHasher
from pydantic import TypeAdapter

from functions.login.handler import handler
from tests.aws.conftest import Clock, HttpCall
from vitrina import accounts, auth, aws, failed_logins
from vitrina.accounts import Account
from vitrina.channels import ClientType
from vitrina.errors import Conflict

call = HttpCall(handler)


def login(body: Any) -> Any:
    return call("POST", "/api/v1/auth/login", body)


def test_an_email_and_a_password_give_a_token(user_account: Account) -> None:
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


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("created", ["NFC", "NFD"])
def test_letters_in_two_parts_are_the_same_as_in_one(
    cloud: None, created: Literal["NFC", "NFD"], form: Literal["NFC", "NFD"]
) -> None:
    """Keyboards of Apple and others write й and é in different ways."""
    email, password = "йод.andré@example.com", "пароль-йод"
    stored = TypeAdapter(accounts.Email).validate_python(normalize(created, email))
    accounts.create(stored, normalize(created, password), ClientType.USER)
    body = {"email": normalize(form, email), "password": normalize(form, password)}
    assert login(body).status == 200


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


WRONG = {"email": "user@example.com", "password": "wrong password"}
RIGHT = WRONG | {"password": "password"}


def test_failures_of_one_address_make_the_next_attempt_wait_longer(
    user_account: Account, at: Clock
) -> None:
    now = 0
    waits: list[int] = []
    at(now)
    while len(waits) < 8:
        answer = login(WRONG)
        if answer.status == 401:
            continue
        assert (answer.status, answer.body["code"]) == (429, "too_many_attempts")
        # The right password as well, so that nobody learns it while waiting.
        assert login(RIGHT).status == 429
        waits.append(int(answer.headers["Retry-After"]))
        now += waits[-1]
        at(now)
    assert waits[-1] == failed_logins.MAX_WAIT_SECONDS
    assert waits == sorted(waits)
    assert login(RIGHT).status == 200


def test_an_address_without_an_account_is_slowed_alike(user_account: Account, at: Clock) -> None:
    at(0)

    def answers(email: str) -> list[Any]:
        body = {"email": email, "password": "wrong password"}
        return [(answer.status, answer.body) for answer in [login(body) for _ in range(6)]]

    found = answers("user@example.com")
    assert found == answers("nobody@example.com")
    assert [status for status, _ in found] == [401] * 4 + [429] * 2


def test_a_login_that_succeeds_and_time_that_passes_begin_anew(
    user_account: Account, at: Clock
) -> None:
    for _ in range(3):
        for _ in range(3):
            assert login(WRONG).status == 401
        assert login(RIGHT).status == 200
    for _ in range(4):
        assert login(WRONG).status == 401
    assert login(WRONG).status == 429
    at(failed_logins.FORGOTTEN_AFTER_SECONDS + 60)
    for _ in range(4):
        assert login(WRONG).status == 401


def test_attempts_at_the_same_moment_are_counted_each(
    user_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = failed_logins._put

    def put_too_late(*arguments: Any) -> bool:
        monkeypatch.undo()
        assert [login(WRONG).status for _ in range(4)] == [401] * 4
        return put(*arguments)

    monkeypatch.setattr(failed_logins, "_put", put_too_late)
    assert login(RIGHT).status == 429


def test_no_address_is_stored_with_its_failures(user_account: Account) -> None:
    login(WRONG)
    assert "user@example.com" not in str(aws.dynamodb().scan(TableName="platform"))


def test_a_password_is_stored_as_argon2id_only(
    cloud: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher())
    accounts.create("user@example.com", "password", ClientType.USER)
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
