"""Commands that end sessions: the last tests of a stack, whose older tokens are refused then."""

from pydantic import TypeAdapter

from local.client import Api, Client
from local.emulator import PASSWORD
from tests.emulator.conftest import sweep, wait_until
from tests.emulator.test_operations import make
from vitrina import accounts
from vitrina.channels import ClientType

WORD = TypeAdapter(accounts.Password).validate_python(PASSWORD)


def status(api: Api, token: str) -> int:
    answer = api.answer("GET", "/api/v1/me", token)
    return int(answer.status_code)


def test_a_removed_account_is_out_everywhere(api: Api) -> None:
    accounts.create("leaver@example.com", WORD, ClientType.USER)
    token = api.login("leaver@example.com", PASSWORD)
    with Client.connected(api.websocket_url("user", token)) as client:
        said = make("remove-account", "EMAIL=leaver@example.com")
        assert said.endswith("leaver@example.com; 1 connections closed.")
        [closing] = client.wait_for("closing")
        assert closing.event["data"] == {"reason": "account_disconnected"}
        wait_until(lambda: client.is_closed, wanted=True)
    assert status(api, token) == 401
    login = {"email": "leaver@example.com", "password": PASSWORD}
    assert api.answer("POST", "/api/v1/auth/login", None, json=login).status_code == 401


def test_a_new_password_ends_what_began_with_the_old_one(api: Api) -> None:
    accounts.create("forgetful@example.com", WORD, ClientType.USER)
    token = api.login("forgetful@example.com", PASSWORD)
    with Client.connected(api.websocket_url("user", token)) as client:
        said = make("password", "EMAIL=forgetful@example.com")
        assert said == "Set the password of forgetful@example.com; 1 connections closed."
        [closing] = client.wait_for("closing")
        assert closing.event["data"] == {"reason": "account_disconnected"}
        wait_until(lambda: client.is_closed, wanted=True)
    assert status(api, token) == 401
    login = {"email": "forgetful@example.com", "password": PASSWORD}
    assert api.answer("POST", "/api/v1/auth/login", None, json=login).status_code == 401
    again = api.login("forgetful@example.com", "a long password")
    with Client.connected(api.websocket_url("user", again)):
        assert status(api, again) == 200


def test_everyone_is_out_by_one_command_and_may_come_back(api: Api) -> None:
    tokens = {kind: api.login(f"{kind}@example.com", PASSWORD) for kind in ("user", "admin")}
    with Client.connected(api.websocket_url("user", tokens["user"])) as client:
        assert make("everyone-out").startswith("All tokens are refused")
        assert {status(api, token) for token in tokens.values()} == {401}
        sweep()
        [closing] = client.wait_for("closing")
        assert closing.event["data"] == {"reason": "account_disconnected"}
        wait_until(lambda: client.is_closed, wanted=True)
    again = api.login("user@example.com", PASSWORD)
    with Client.connected(api.websocket_url("user", again)):
        assert status(api, again) == 200
