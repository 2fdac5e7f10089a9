"""What people see and end of their own account, and administrators of others'."""

import json
from typing import Any

import pytest

from functions.accounts.handler import handler as accounts_handler
from functions.login.handler import handler as login_handler
from functions.sessions.handler import handler as sessions_handler
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Answer, Clock, HttpCall, stored_connections
from vitrina import accounts, admission, auth
from vitrina.accounts import Account
from vitrina.channels import ClientType

call = HttpCall(sessions_handler)
call_accounts = HttpCall(accounts_handler)

pytestmark = pytest.mark.usefixtures("management_api", "user_account")

ADMIN = "/api/v1/admin/accounts"


def log_in(**more: Any) -> Any:
    body = {"email": "user@example.com", "password": "password", **more}
    answer = HttpCall(login_handler)("POST", "/api/v1/auth/login", body)
    assert answer.status == 200
    return answer.body


def refused(token: str) -> str | None:
    code: str | None = call("GET", "/api/v1/me", token=token).body.get("code")
    return code


def listed(token: str) -> Any:
    return call("GET", "/api/v1/me/sessions", token=token).body["sessions"]


def connected(connection_id: str, tokens: Any) -> None:
    admission.admit(connection_id, auth.read(tokens["access_token"]))


def as_admin(method: str, path: str, **query: Any) -> Answer:
    return call_accounts(method, ADMIN + path, token=token_of(ClientType.ADMIN, 9), **query)


# --- One's own ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at")
def test_a_login_gives_the_account(user_account: Account) -> None:
    tokens = log_in()
    assert tokens["account"] == {"id": 1, "client_type": "user", "email": "user@example.com"}
    assert call("GET", "/api/v1/me", token=tokens["access_token"]).body == tokens["account"]
    assert (tokens["expires_in"], tokens["refresh_expires_in"]) == (3600, 60 * 86_400)


def test_a_shop_sees_its_shop() -> None:
    accounts.create("shop@example.com", "password", ClientType.SHOP, 10, "Fashion Store")
    tokens = log_in(email="shop@example.com")
    shop = {"shop_id": 10, "shop_name": "Fashion Store"}
    whole = {"id": 2, "client_type": "shop", "email": "shop@example.com", **shop}
    assert (
        tokens["account"] == call("GET", "/api/v1/me", token=tokens["access_token"]).body == whole
    )


def test_the_list_says_which_device_began_when_and_which_this_is(at: Clock) -> None:
    at(0)
    phone, nameless = log_in(device_name="  Anna's Pixel "), log_in()
    at(3600)
    body = {"refresh_token": phone["refresh_token"]}
    phone = call("POST", "/api/v1/auth/refresh", body).body
    found = listed(phone["access_token"])
    assert [each.get("device_name") for each in found] == ["Anna's Pixel", None]
    assert [each["current"] for each in found] == [True, False]
    assert found[0]["created_at"] == found[1]["created_at"] == found[1]["last_used_at"]
    assert found[0]["last_used_at"] > found[0]["created_at"]
    assert found[1]["id"] == nameless["refresh_token"].split(".")[1]
    at(60 * 86_400 + 1)  # the other one has expired
    left = as_admin("GET", "/1/sessions").body["sessions"]
    assert [each.get("device_name") for each in left] == ["Anna's Pixel"]


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\nb", "a\u202eb", "\u3164", 5])
def test_a_device_has_a_short_visible_name(name: Any) -> None:
    body = {"email": "user@example.com", "password": "password", "device_name": name}
    assert HttpCall(login_handler)("POST", "/api/v1/auth/login", body).status == 422


def test_logging_out_ends_one_session_and_closes_its_connections(
    management_api: ManagementApiStub,
) -> None:
    phone, tablet = log_in(), log_in()
    connected("phone", phone)
    connected("tablet", tablet)
    for _ in range(2):  # the same again, as its answer may be lost
        answer = call("POST", "/api/v1/auth/logout", token=phone["access_token"])
        assert (answer.status, answer.body) == (204, None)
    assert management_api.closed == ["phone"]
    [said] = management_api.received["phone"]
    assert json.loads(said)["event"] == "closing"
    assert stored_connections() == {"tablet"}
    assert (refused(phone["access_token"]), refused(tablet["access_token"])) == (
        "token_revoked",
        None,
    )
    assert call("POST", "/api/v1/auth/logout").body["code"] == "token_missing"


def test_another_device_is_logged_out_from_this_one(management_api: ManagementApiStub) -> None:
    phone, lost = log_in(), log_in()
    connected("lost", lost)
    [other] = [each for each in listed(phone["access_token"]) if not each["current"]]
    path = f"/api/v1/me/sessions/{other['id']}"
    for _ in range(2):
        assert call("DELETE", path, token=phone["access_token"]).status == 204
    assert management_api.closed == ["lost"]
    assert refused(lost["access_token"]) == "token_revoked"
    assert len(listed(phone["access_token"])) == 1
    assert call("DELETE", path, token=lost["access_token"]).status == 401


def test_nobody_ends_a_session_of_another_account() -> None:
    phone = log_in()
    [mine] = listed(phone["access_token"])
    stranger = token_of(ClientType.USER, 2)
    assert call("DELETE", f"/api/v1/me/sessions/{mine['id']}", token=stranger).status == 204
    assert refused(phone["access_token"]) is None


def test_all_own_sessions_end_at_once(management_api: ManagementApiStub) -> None:
    phone, tablet = log_in(), log_in()
    connected("phone", phone)
    connected("tablet", tablet)
    assert call("DELETE", "/api/v1/me/sessions", token=phone["access_token"]).status == 204
    assert sorted(management_api.closed) == ["phone", "tablet"]
    for each in (phone, tablet):
        assert refused(each["access_token"]) == "token_revoked"
    assert refused(log_in()["access_token"]) is None


# --- Administrators -------------------------------------------------------------------------------


def test_an_administrator_finds_an_account_and_ends_one_session(
    management_api: ManagementApiStub,
) -> None:
    phone, tablet = log_in(device_name="Phone"), log_in()
    connected("phone", phone)
    found = as_admin("GET", "", email=" User@Example.com").body
    assert found == phone["account"]
    activity = as_admin("GET", f"/{found['id']}/sessions").body
    assert {each.get("device_name") for each in activity["sessions"]} == {"Phone", None}
    assert not any(each["current"] for each in activity["sessions"])
    [connection] = activity["connections"]
    assert connection["connection_id"] == "phone"
    path = f"/{found['id']}/sessions/{connection['session_id']}"
    assert as_admin("DELETE", path).status == 204
    assert management_api.closed == ["phone"]
    assert refused(phone["access_token"]) == "token_revoked"
    assert refused(tablet["access_token"]) is None
    left = as_admin("GET", f"/{found['id']}/sessions").body
    assert (len(left["sessions"]), left["connections"]) == (1, [])


def test_an_unknown_or_bad_address_finds_nobody() -> None:
    unknown = as_admin("GET", "", email="nobody@example.com")
    assert (unknown.status, unknown.body["code"]) == (404, "account_not_found")
    assert as_admin("GET", "", email="nobody").status == 422
    assert as_admin("GET", "").status == 422


@pytest.mark.parametrize("client_type", [ClientType.USER, ClientType.SHOP])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/1/sessions"), ("DELETE", f"/1/sessions/{'A' * 22}")],
)
def test_only_administrators_see_others(client_type: ClientType, method: str, path: str) -> None:
    token = token_of(client_type, 5)
    answer = call_accounts(method, ADMIN + path, token=token, email="user@example.com")
    assert answer.status == 403


@pytest.mark.parametrize("session_id", ["A" * 21, "A" * 23, "A" * 21 + "%", "A" * 21 + "é"])
def test_an_id_of_another_shape_is_refused(session_id: str) -> None:
    token = log_in()["access_token"]
    for answer in (
        call("DELETE", f"/api/v1/me/sessions/{session_id}", token=token),
        as_admin("DELETE", f"/1/sessions/{session_id}"),
    ):
        assert answer.status in {404, 422}
