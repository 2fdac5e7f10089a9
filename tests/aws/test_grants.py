"""The rows that functions may read and write, as the tests of this layer enforce them."""

import pytest

from functions.login.handler import handler as login
from harness import gateway_events
from harness.gateway_events import CONTEXT
from tests.aws.grants import allows
from vitrina import accounts, platform_settings, sessions
from vitrina.channels import ClientType


def test_a_login_reaches_its_own_rows_and_no_others() -> None:
    assert allows("login", "platform", "DeleteItem", ["login#pair#x", "login#source#y"])
    for row in ("settings", "last_account_id", "account#1", "stats", "submissions#10"):
        for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem"):
            assert not allows("login", "platform", action, [row])
    assert not allows("login", "platform", "BatchGetItem", ["login#pair#x", "settings"])
    assert not allows("login", "sessions", "UpdateItem", ["user:1"])


@pytest.mark.usefixtures("cloud")
def test_a_function_that_asks_for_more_fails_here(monkeypatch: pytest.MonkeyPatch) -> None:
    event = gateway_events.http(
        "POST", "/api/v1/auth/login", body={"email": "a@b.example", "password": "12345678"}
    )
    assert login(event, CONTEXT)["statusCode"] == 401
    for more in (platform_settings.read, lambda: sessions.end_account(ClientType.USER, 1)):
        monkeypatch.setattr(accounts, "authenticate", lambda *_, more=more: more())
        assert login(event, CONTEXT)["statusCode"] == 500
