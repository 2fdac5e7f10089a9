"""The rows that functions may read and write, as the tests of this layer enforce them."""

from collections.abc import Callable

import pytest

from functions.login.handler import handler as login
from harness import gateway_events
from harness.gateway_events import CONTEXT
from infra.cdk.functions import FUNCTIONS
from tests.aws.grants import allows, attributes


def test_a_login_reaches_its_own_rows_and_no_others() -> None:
    assert allows("login", "platform", "DeleteItem", ["login#pair#x", "login#source#y"])
    for row in ("settings", "last_account_id", "account#1", "stats", "submissions#10"):
        for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem"):
            assert not allows("login", "platform", action, [row])
    assert not allows("login", "platform", "BatchGetItem", ["login#pair#x", "settings"])
    assert allows("login", "sessions", "UpdateItem", ["user:1"])
    assert not allows("login", "sessions", "UpdateItem", ["everyone"])
    assert not allows("login", "sessions", "DeleteItem", ["user:1"])


def test_a_login_may_replace_a_hash_and_nothing_else_of_an_account() -> None:
    hashed = {"UpdateExpression": "SET password_hash = :new", "ConditionExpression": "#h = :seen"}
    hashed["ExpressionAttributeNames"] = {"#h": "password_hash"}  # type: ignore[assignment]
    promoted = {"UpdateExpression": "SET password_hash = :new, client_type = :admin"}
    assert attributes(promoted) == {"password_hash", "client_type"}
    for request, is_allowed in ((hashed, True), (promoted, False)):
        named = attributes(request)
        assert allows("login", "accounts", "UpdateItem", ["a@b.example"], named) is is_allowed
    for action in ("PutItem", "DeleteItem"):
        assert not allows("login", "accounts", action, ["a@b.example"], {"password_hash"})


@pytest.mark.usefixtures("cloud")
def test_a_function_that_asks_for_more_fails_here(
    monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    event = gateway_events.http(
        "POST", "/api/v1/auth/login", body={"email": "a@b.example", "password": "12345678"}
    )
    assert login(event, CONTEXT)["statusCode"] == 401
    tables = {line: of for line, of in FUNCTIONS["login"].tables.items() if "login#" not in line}
    monkeypatch.setitem(FUNCTIONS, "login", FUNCTIONS["login"]._replace(tables=tables))
    assert login(event, CONTEXT)["statusCode"] == 500
    assert "login may not BatchGetItem" in logged()
