"""The commands that set passwords: `make account` and `make password`."""

import io
import sys
from collections.abc import Callable
from contextlib import nullcontext
from types import ModuleType
from typing import Any

import pytest

from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from ops import account, password, stack
from tests.aws.conftest import stored_connections
from vitrina import accounts, admission, auth, aws, endings
from vitrina.accounts import Account
from vitrina.channels import ClientType
from vitrina.errors import Unauthorized

EMAIL = "user@example.com"
NEW = "correct horse"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a way to run a command with a password from a pipe; it returns the last line."""
    monkeypatch.setattr(stack, "in_use", lambda _: nullcontext())

    def run(command: ModuleType, *arguments: str, typed: str) -> str:
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{typed}\n"))
        command.main()
        return capsys.readouterr().out.splitlines()[-1]

    return run


def may_log_in(password: str, email: str = EMAIL) -> bool:
    try:
        accounts.authenticate(email, password)
    except Unauthorized:
        return False
    return True


@pytest.mark.usefixtures("user_account")
@pytest.mark.parametrize("command", [account, password])
@pytest.mark.parametrize("typed", ["Baseball", "new@example.com", "in\u200bvisible", "short"])
def test_a_password_that_is_easy_to_guess_is_refused_with_a_sentence(
    run: Callable[..., str], command: ModuleType, typed: str
) -> None:
    before = aws.dynamodb().scan(TableName="accounts")["Items"]
    with pytest.raises(SystemExit, match=r"^(The password .*\.|String should have .*)$"):
        run(command, "new@example.com", *(["user"] if command is account else []), typed=typed)
    assert aws.dynamodb().scan(TableName="accounts")["Items"] == before


@pytest.mark.usefixtures("cloud")
def test_an_account_gets_its_password_as_it_is_compared(run: Callable[..., str]) -> None:
    said = run(account, "New@Example.com", "user", typed="пароль\u00a0и\u0306од")
    assert said == "Created account 1: new@example.com, user"
    assert may_log_in("пароль йод", "new@example.com")


@pytest.mark.usefixtures("cloud")
def test_who_has_no_account_gets_no_password(run: Callable[..., str]) -> None:
    with pytest.raises(SystemExit, match=r"^nobody@example\.com has no account\.$"):
        run(password, "nobody@example.com", typed=NEW)


def test_after_a_crash_the_command_is_run_again_and_ends_the_sessions(
    user_account: Account,
    management_api: ManagementApiStub,
    run: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The old password is out first: no login with it comes after the sessions have ended."""
    token = token_of(ClientType.USER, user_account.account_id)
    admission.admit("open", auth.read(token))

    def crash(*_: Any) -> int:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(endings, "end_account", crash)
        with pytest.raises(MemoryError):
            run(password, EMAIL, typed=NEW)
    assert (may_log_in("password"), may_log_in(NEW)) == (False, True)
    assert run(password, EMAIL, typed=NEW) == f"Set the password of {EMAIL}; 1 connections closed."
    with pytest.raises(Unauthorized):
        auth.verify(token)
    assert stored_connections() == set()
    assert may_log_in(NEW)


def test_an_account_that_changes_meanwhile_keeps_its_password_and_its_sessions(
    user_account: Account, run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_of(ClientType.USER, user_account.account_id)
    read = accounts._row

    def read_then_replace(email: str) -> dict[str, Any]:
        monkeypatch.setattr(accounts, "_row", read)
        row = read(email)
        accounts.set_password(email, "another password")
        return row

    monkeypatch.setattr(accounts, "_row", read_then_replace)
    with pytest.raises(SystemExit, match=r"^This account is changing; try again\.$"):
        run(password, EMAIL, typed=NEW)
    assert may_log_in("another password")
    assert auth.verify(token)
