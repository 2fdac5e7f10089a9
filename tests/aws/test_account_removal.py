"""The command that deletes an account: `make remove-account`."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from ops import account_removal, stack
from tests.aws.conftest import stored_connections
from vitrina import accounts, admission, auth, closing, logins
from vitrina.accounts import Account
from vitrina.channels import ClientType
from vitrina.errors import Unauthorized, Unavailable

EMAIL = "user@example.com"

pytestmark = pytest.mark.usefixtures("user_account")


@pytest.fixture
def remove(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], str]:
    """Return a way to run the command; it returns the last line."""
    monkeypatch.setattr(stack, "in_use", lambda _: nullcontext())
    monkeypatch.setattr(sys, "argv", ["command", EMAIL])

    def run() -> str:
        account_removal.main()
        return capsys.readouterr().out.splitlines()[-1]

    return run


@pytest.mark.parametrize("module", [closing, accounts])
def test_a_removal_that_was_killed_is_finished_when_it_is_run_again(
    remove: Callable[[], str],
    management_api: ManagementApiStub,
    user_account: Account,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
) -> None:
    """It is killed before the sessions end, or before the account is deleted."""
    token = token_of(ClientType.USER, user_account.account_id)
    admission.admit("open", auth.read(token))

    def crash(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(module, "disconnect" if module is closing else "delete", crash)
        with pytest.raises(MemoryError):
            remove()
    with pytest.raises(Unauthorized):
        accounts.authenticate(EMAIL, "password")
    assert remove().startswith(f"Deleted account {user_account.account_id}: {EMAIL}; ")
    with pytest.raises(Unauthorized):
        auth.verify(token)
    assert stored_connections() == set()
    with pytest.raises(SystemExit, match=r"^user@example\.com has no account\.$"):
        remove()


def test_a_login_under_way_begins_no_session_of_a_removed_account(
    remove: Callable[[], str], management_api: ManagementApiStub
) -> None:
    login = accounts.authenticate(EMAIL, "password")
    assert remove() == f"Deleted account 1: {EMAIL}; 0 connections closed."
    with pytest.raises(Unavailable):
        logins.begin(login)
