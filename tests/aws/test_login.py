"""Login and accounts."""

import json
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal
from unicodedata import normalize

import pytest
from argon2 import PasswordHasher
from pydantic import TypeAdapter

from functions.login.handler import handler
from harness import gateway_events
from harness.gateway_events import CONTEXT
from tests.aws.conftest import Answer, Clock, HttpCall
from vitrina import accounts, auth, aws, login_attempts, logins, passwords
from vitrina.accounts import Account
from vitrina.buckets import Rate
from vitrina.channels import ClientType
from vitrina.errors import Conflict, TooManyRequests, Unavailable

call = HttpCall(handler)


def login(body: Any, **more: Any) -> Any:
    return call("POST", "/api/v1/auth/login", body, **more)


def login_from(source: str, body: Any) -> Any:
    event = gateway_events.http("POST", "/api/v1/auth/login", body=body)
    event["requestContext"]["http"]["sourceIp"] = source
    answer = handler(event, CONTEXT)
    return Answer(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


@pytest.mark.usefixtures("at")
def test_an_email_and_a_password_give_a_token(user_account: Account) -> None:
    answer = login({"email": "user@example.com", "password": "password"})
    assert answer.status == 200
    secrets = dict.fromkeys(("access_token", "refresh_token", "device"), "")
    assert answer.body | secrets == {
        **secrets,
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_expires_in": 60 * 86_400,
        "account": {"id": 1, "client_type": "user", "email": "user@example.com"},
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
        ({"email": "user@example.com", "password": "password", "device": "x" * 201}, 422),
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


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the email of each attempt whose password was hashed, and let each source try twice."""
    monkeypatch.setattr(login_attempts, "PAIR", Rate(2, 60))
    authenticate, emails = accounts.authenticate, []

    def count(email: str, password: str) -> accounts.Login:
        emails.append(email)
        return authenticate(email, password)

    monkeypatch.setattr(accounts, "authenticate", count)
    return emails


@pytest.mark.parametrize("email", ["user@example.com", "nobody@example.com"])
def test_beyond_its_tries_a_source_waits_and_no_password_is_hashed(
    user_account: Account, at: Clock, hashed: list[str], email: str
) -> None:
    wrong = WRONG | {"email": email}
    assert [login(wrong).status for _ in range(2)] == [401, 401]
    # The right password as well, so that nobody learns it while waiting.
    for body in (wrong, wrong | {"password": "password"}):
        answer = login(body)
        assert (answer.status, answer.body["code"]) == (429, "too_many_attempts")
        assert answer.headers["Retry-After"] == "60"
    assert hashed == [email] * 2
    at(60)
    assert login(wrong).status == 401
    assert login(wrong).status == 429


def test_a_right_password_gives_the_tries_back(
    user_account: Account, at: Clock, hashed: list[str]
) -> None:
    for _ in range(3):
        assert [login(body).status for body in (WRONG, RIGHT)] == [401, 200]
    platform = aws.dynamodb().scan(TableName="platform")["Items"]
    names = {row["name"]["S"].split("#")[1] for row in platform if "#" in row["name"]["S"]}
    assert names == {"known", "source", "address"}


def test_another_source_and_a_device_have_tries_of_their_own(
    user_account: Account, at: Clock, hashed: list[str]
) -> None:
    device = login(RIGHT).body["device"]
    for _ in range(3):
        login(WRONG)
    assert login(RIGHT).status == 429
    assert login(RIGHT | {"device": device[:-1]}).status == 429
    assert login(RIGHT | {"device": device}).status == 200
    assert login_from("198.51.100.1", RIGHT).status == 200


def test_a_header_is_not_believed_about_where_a_login_comes_from(
    user_account: Account, at: Clock, hashed: list[str]
) -> None:
    statuses = [
        login(WRONG, headers={name: f"203.0.113.{number}"}).status
        for number, name in enumerate(("x-forwarded-for", "x-real-ip", "forwarded"))
    ]
    assert statuses == [401, 401, 429]


def test_concurrent_logins_over_the_table_are_all_counted(user_account: Account) -> None:
    def begin(_: int) -> int:
        try:
            login_attempts.begin("user@example.com", "192.0.2.1")
        except TooManyRequests:
            return 429
        return 401

    with ThreadPoolExecutor(8) as pool:
        found = Counter(pool.map(begin, range(40)))
    assert found == {401: 30, 429: 10}


def test_a_crash_before_the_answer_costs_one_try(
    user_account: Account, at: Clock, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "authenticate", crash)
        assert login(RIGHT).status == 500
    assert [login(RIGHT).status, login(WRONG).status] == [200, 401]


def test_no_address_and_no_password_is_stored_with_attempts(user_account: Account) -> None:
    login(WRONG)
    login(RIGHT)
    platform = str(aws.dynamodb().scan(TableName="platform"))
    assert not re.search(r"user@example|wrong password", platform)


def test_a_password_is_stored_as_argon2id_only(
    cloud: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher())
    accounts.create("user@example.com", "password", ClientType.USER)
    [row] = aws.dynamodb().scan(TableName="accounts")["Items"]
    assert row["password_hash"]["S"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert "'password'" not in str(list(row.values()))


# --- Hashes of other parameters -------------------------------------------------------------------


def hash_now() -> str:
    [row] = aws.dynamodb().scan(TableName="accounts")["Items"]
    return row["password_hash"]["S"]


@pytest.fixture
def grown(user_account: Account, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let new hashes cost more than the account's, and return how they begin."""
    hasher = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    return "$argon2id$v=19$m=16,t=2,p=1$"


def test_a_login_renews_a_hash_of_older_parameters_once(
    grown: str, logged: Callable[[], str]
) -> None:
    before = hash_now()
    assert (login(WRONG).status, hash_now()) == (401, before)
    assert login(RIGHT).status == 200
    renewed = hash_now()
    assert renewed.startswith(grown)
    assert [login(body).status for body in (RIGHT, WRONG)] == [200, 401]
    assert hash_now() == renewed
    assert "argon2id" not in logged()


def test_a_new_password_that_is_set_during_a_login_is_never_overwritten(
    grown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = passwords.verify

    def verify_late(password: str, stored: str | None) -> str | None:
        renewed = verify(password, stored)
        with monkeypatch.context() as patch:
            patch.setattr(passwords, "verify", verify)
            assert accounts.set_password("user@example.com", "another password")
        return renewed

    with monkeypatch.context() as patch:
        patch.setattr(passwords, "verify", verify_late)
        assert login(RIGHT).status == 200
    assert login(RIGHT).status == 401
    assert login(RIGHT | {"password": "another password"}).status == 200


def test_concurrent_logins_renew_a_hash_and_all_succeed(grown: str) -> None:
    def enter(_: int) -> int:
        # Not by the handler: Powertools' routes take one request of a process at a time.
        found = accounts.authenticate(RIGHT["email"], RIGHT["password"])
        return logins.begin(found).row.account_id

    with ThreadPoolExecutor(4) as pool:
        assert len({*pool.map(enter, range(4))}) == 1
    assert hash_now().startswith(grown)
    assert login(RIGHT).status == 200


def test_a_hash_that_is_renewed_meanwhile_is_no_reason_to_lose_a_new_password(
    grown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says that the account is changing, and is run again."""
    hash_of = passwords.hash_of

    def hash_late(password: str) -> str:
        monkeypatch.setattr(passwords, "hash_of", hash_of)
        assert login(RIGHT).status == 200
        return hash_of(password)

    monkeypatch.setattr(passwords, "hash_of", hash_late)
    with pytest.raises(Unavailable):
        accounts.set_password("user@example.com", "another password")
    assert accounts.set_password("user@example.com", "another password")
    assert login(RIGHT).status == 401


def test_a_password_is_not_set_where_there_is_no_account(user_account: Account) -> None:
    assert accounts.set_password("nobody@example.com", "another password") is None
    assert len(aws.dynamodb().scan(TableName="accounts")["Items"]) == 1


def test_a_login_is_as_good_with_another_kind_of_space(user_account: Account) -> None:
    accounts.set_password("user@example.com", "long\u00a0\u3000words")
    for password in ("long  words", "long\u2003\u00a0words"):
        assert login(RIGHT | {"password": password}).status == 200
    assert login(RIGHT | {"password": "long words"}).status == 401


@pytest.mark.parametrize(
    "password", ["long\u00a0words", "long\u00adwords", "tab\tand é", "ok\ufe0f"]
)
def test_a_password_of_version_0_1_is_right_whatever_it_has(
    user_account: Account, password: str
) -> None:
    """That version composed letters, and left all else as it was."""
    row = aws.dynamodb().scan(TableName="accounts")["Items"][0]
    hashed = passwords._hasher.hash(normalize("NFC", password))
    aws.dynamodb().put_item(TableName="accounts", Item=row | aws.to_item({"password_hash": hashed}))
    for form in ("NFC", "NFD"):
        assert login(RIGHT | {"password": normalize(form, password)}).status == 200
    assert (hash_now() == hashed) is (passwords.comparable(password) == password)


def test_an_address_has_one_account(user_account: Account) -> None:
    with pytest.raises(Conflict):
        accounts.create("user@example.com", "another password", ClientType.ADMIN)
    assert login({"email": "user@example.com", "password": "password"}).status == 200


def test_accounts_have_consecutive_ids(cloud: None) -> None:
    emails = [TypeAdapter(accounts.Email).validate_python(f"{n}@example.com") for n in range(3)]
    created = [accounts.create(email, "password", ClientType.USER) for email in emails]
    assert [account.account_id for account in created] == [1, 2, 3]
