"""Refresh: what each token gives, and what it changes in the account's row."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from functions.connect.handler import handler as connect_handler
from functions.login.handler import handler as login_handler
from functions.sessions.handler import handler as sessions_handler
from functions.sweep.handler import handler as sweep_handler
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import begin, token_of
from tests.aws.conftest import Answer, Clock, HttpCall, stored_connections
from vitrina import (
    accounts,
    admission,
    auth,
    aws,
    config,
    endings,
    logins,
    refresh_tokens,
    refreshing,
    sessions,
)
from vitrina.auth import Tokens
from vitrina.channels import ClientType
from vitrina.errors import Unavailable
from vitrina.refresh_tokens import RefreshToken

pytestmark = pytest.mark.usefixtures("management_api")

call = HttpCall(sessions_handler)
call_login = HttpCall(login_handler)

HOUR, DAY = 3600, 86_400


def new_session(account: str = "user:1") -> Tokens:
    return auth.tokens(begin(sessions.read(account, with_everyone=True)))


def refresh(token: str) -> Answer:
    return call("POST", "/api/v1/auth/refresh", {"refresh_token": token})


def refreshed(token: str) -> str:
    answer = refresh(token)
    assert answer.status == 200, answer.body
    auth.verify(answer.body["access_token"])
    new: str = answer.body["refresh_token"]
    return new


def code_of(token: str) -> str:
    answer = refresh(token)
    assert answer.status == 401
    code: str = answer.body["code"]
    return code


def rows() -> list[Any]:
    return sorted(map(str, aws.dynamodb().scan(TableName="sessions")["Items"]))


def audited(lines: str) -> list[str]:
    """Return the codes of the audit lines of refreshes."""
    found = map(json.loads, lines.splitlines())
    return [line.get("code", "") for line in found if line["message"] == "audit"]


# --- Time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [121, 10 * HOUR, 21 * DAY, 59 * DAY])
def test_an_app_that_was_away_for_weeks_is_still_logged_in(at: Clock, seconds: float) -> None:
    tokens = new_session()
    at(seconds)
    answer = refresh(tokens.refresh_token)
    assert (answer.status, answer.body["expires_in"]) == (200, HOUR)
    assert answer.body["refresh_expires_in"] == 60 * DAY
    at(seconds + 59 * DAY)
    assert refresh(answer.body["refresh_token"]).status == 200


def test_after_sixty_days_without_use_it_says_that_the_session_expired(at: Clock) -> None:
    tokens = new_session()
    at(61 * DAY)
    before = rows()
    assert code_of(tokens.refresh_token) == "session_expired"
    assert rows() == before


def test_within_two_minutes_the_same_refresh_token_comes_back_and_nothing_is_written(
    at: Clock,
) -> None:
    tokens = new_session()
    before = rows()
    for seconds in (0, 29, 31, 119):
        at(seconds)
        assert refreshed(tokens.refresh_token) == tokens.refresh_token
    assert rows() == before
    at(121)
    assert refreshed(tokens.refresh_token) != tokens.refresh_token


# --- Lost answers and copies ----------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [1, 31, 10 * HOUR, 59 * DAY])
def test_an_answer_that_was_lost_is_repeated_until_its_successor_was_used(
    at: Clock, management_api: ManagementApiStub, logged: Callable[[], str], seconds: float
) -> None:
    tokens = new_session()
    at(HOUR)
    lost = refreshed(tokens.refresh_token)
    at(HOUR + seconds)
    second = refreshed(tokens.refresh_token)
    assert (second == lost) is (seconds < 30)
    last = refreshed(tokens.refresh_token)
    at(HOUR + seconds + 121)
    held = refreshed(last)
    at(HOUR + seconds + 121 + HOUR)
    admission.admit("open", auth.read(refresh(held).body["access_token"]))
    before = len(audited(logged()))
    assert code_of(tokens.refresh_token) == "refresh_token_reused"
    assert code_of(held) == "session_ended"
    assert audited(logged())[before:] == ["refresh_token_reused", "session_ended"]
    assert management_api.closed == ["open"]
    assert stored_connections() == set()


def test_only_what_was_used_before_ends_a_session(at: Clock) -> None:
    tokens, other = new_session(), new_session("user:2")
    grandparent = tokens.refresh_token
    at(HOUR)
    parent = refreshed(grandparent)
    at(2 * HOUR)
    loser = refreshed(parent)
    at(2 * HOUR + 31)
    current = refreshed(parent)
    good = refresh_tokens.parse(current)
    before = rows()
    for token, code in (
        ("garbage", "refresh_token_invalid"),
        (tokens.access_token, "refresh_token_invalid"),
        (str(good._replace(secret=bytes(32))), "refresh_token_invalid"),
        (
            str(refresh_tokens.parse(grandparent)._replace(secret=bytes(32))),
            "refresh_token_invalid",
        ),
        (str(good._replace(account="user:2")), "session_ended"),
        (str(good._replace(account="user:3")), "session_ended"),
        (str(good._replace(account="shop:1")), "session_ended"),
        (str(_of_another(good, other)), "refresh_token_invalid"),
        (str(good._replace(session_id="A" * 22)), "session_ended"),
    ):
        assert code_of(token) == code
        assert rows() == before
    assert refreshed(current) == current
    assert refreshed(loser) == loser  # its answer may be the one that arrived
    assert rows() == before
    at(3 * HOUR)
    refreshed(current)
    assert code_of(loser) == "refresh_token_reused"
    assert code_of(current) == "session_ended"
    refreshed(other.refresh_token)


def _of_another(token: RefreshToken, other: Tokens) -> RefreshToken:
    theirs = refresh_tokens.parse(other.refresh_token)
    return token._replace(account=theirs.account, session_id=theirs.session_id)


def test_a_grandparent_ends_the_session(at: Clock) -> None:
    grandparent = new_session().refresh_token
    at(HOUR)
    parent = refreshed(grandparent)
    at(2 * HOUR)
    current = refreshed(parent)
    assert code_of(grandparent) == "refresh_token_reused"
    assert [code_of(each) for each in (grandparent, parent, current)] == ["session_ended"] * 3


# --- At once --------------------------------------------------------------------------------------


def test_eight_refreshes_at_once_leave_all_callers_a_working_session(at: Clock) -> None:
    token = new_session().refresh_token
    with ThreadPoolExecutor(8) as pool:
        for number in range(1, 21):
            at(number * HOUR)
            # Not by the handler: Powertools' routes take one request of a process at a time.
            given = list(pool.map(refreshing.refresh, [token] * 8))
            [token] = {auth.tokens(granted).refresh_token for granted in given}


def test_logins_at_once_never_exceed_the_limit(at: Clock) -> None:
    accounts.create("user@example.com", "password", ClientType.USER)

    def log_in(_: int) -> str | None:
        """Return the session that begins, or None when the account is busy."""
        with suppress(Unavailable):
            found = accounts.authenticate("user@example.com", "password")
            return logins.begin(found).refresh_token.session_id
        return None

    with ThreadPoolExecutor(20) as pool:
        given = {*pool.map(log_in, range(20))} - {None}
    assert log_in(0)
    living = sessions.read("user:1", with_everyone=True).row.living(0)
    assert len(living) == 12 if len(given) > 11 else living.keys() >= given


def test_a_login_beyond_the_limit_ends_the_session_that_was_unused_longest(
    at: Clock, management_api: ManagementApiStub
) -> None:
    held = []
    for number in range(12):
        at(number)
        held.append(new_session())
    at(HOUR)
    used = refreshed(held[0].refresh_token)
    admission.admit("open", auth.read(held[1].access_token))
    at(HOUR + 1)
    new_session()
    assert refreshed(used)
    assert code_of(held[1].refresh_token) == "session_ended"
    assert all(refreshed(each.refresh_token) for each in held[2:])
    at(HOUR + 40)
    sweep_handler({}, CONTEXT)
    assert management_api.closed == ["open"]


def test_sessions_that_are_over_make_room_first(at: Clock) -> None:
    """Those of an older era, and those that expired a week ago."""
    new_session()
    at(68 * DAY)
    endings.end_account(ClientType.USER, 2)
    tokens = new_session()
    assert [*sessions.read("user:1").row.sessions] == [tokens.refresh_token.split(".")[1]]
    endings.end_account(ClientType.USER, 1)
    again = new_session()
    assert [*sessions.read("user:1").row.sessions] == [again.refresh_token.split(".")[1]]


# --- Strangers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [None, {}, {"refresh_token": None}, {"refresh_token": 5}, {"refresh_token": "x" * 4097}],
    ids=lambda body: str(body)[:30],
)
def test_a_refresh_token_is_taken_from_the_body_alone(body: Any) -> None:
    tokens = new_session()
    before = rows()
    for more in (
        {"token": tokens.refresh_token},
        {"token": tokens.access_token},
        {"refresh_token": tokens.refresh_token},
        {"headers": {"refresh-token": tokens.refresh_token}},
    ):
        answer: Answer = call("POST", "/api/v1/auth/refresh", body, **more)
        assert answer.status == 422
    extra = {"refresh_token": tokens.refresh_token, "token": "x"}
    assert call("POST", "/api/v1/auth/refresh", extra).status == 422
    assert rows() == before


def test_a_refresh_token_is_no_access_token(logged: Callable[[], str]) -> None:
    token = new_session().refresh_token
    assert call("GET", "/api/v1/me", token=token).body["code"] == "token_invalid"
    context = {"eventType": "CONNECT", "connectionId": "new"}
    event = {"requestContext": context, "queryStringParameters": {"token": token}}
    assert connect_handler(event, CONTEXT)["statusCode"] == 401
    assert stored_connections() == set()
    refresh(token)
    for part in token.split(".")[2:]:
        assert part not in logged()


def test_the_table_alone_gives_no_token() -> None:
    token = refresh_tokens.parse(new_session().refresh_token)
    stored = aws.dynamodb().scan(TableName="sessions")["Items"]
    assert token.turn in stored[0][f"s#{token.session_id}"]["M"]["current"]["L"][0].values()
    assert repr(token.secret)[2:-1] not in str(stored)


def test_a_login_writes_nothing_without_the_right_password() -> None:
    accounts.create("user@example.com", "password", ClientType.USER)
    for email in ("user@example.com", "nobody@example.com"):
        body = {"email": email, "password": "wrong password"}
        assert call_login("POST", "/api/v1/auth/login", body).status == 401
    assert rows() == []


# --- Cost -----------------------------------------------------------------------------------------


def test_a_refresh_is_one_read_and_one_conditional_write(at: Clock, calls: list[str]) -> None:
    tokens = new_session()
    at(HOUR)
    sessions.everyone_era()
    calls.clear()
    token = refreshed_once(tokens.refresh_token)
    assert calls == ["BatchGetItem", "UpdateItem"]
    calls.clear()
    refreshed_once(token)
    assert calls == ["BatchGetItem"]


def refreshed_once(token: str) -> str:
    new: str = refresh(token).body["refresh_token"]
    return new


def test_twelve_sessions_fit_into_one_read_unit() -> None:
    names = ["Телефон Xiaomi Redmi Note 12 Анны, синий"] * config.current().sessions_per_account
    accounts.create("user@example.com", "password", ClientType.SHOP, 10, "Лавка «Ёлка»")
    for name in names:
        body = {"email": "user@example.com", "password": "password", "device_name": name}
        assert call_login("POST", "/api/v1/auth/login", body).status == 200
    [row] = aws.dynamodb().scan(TableName="sessions")["Items"]
    assert _size(row) < 4096


def _size(item: Any) -> int:
    """Return the bytes of an item, as DynamoDB's documentation counts them."""
    total = 0
    for name, value in item.items():
        [(kind, content)] = value.items()
        total += len(name.encode())
        match kind:
            case "S":
                total += len(content.encode())
            case "N":
                total += len(content) // 2 + 2
            case "B":
                total += len(content)
            case "L":
                total += 3 + sum(1 + _size({"": each}) for each in content)
            case "M":
                total += 3 + len(content) + _size(content)
            case "SS":
                total += sum(map(len, content))
    return total


def test_a_session_of_a_shop_is_refreshed_with_its_shop(at: Clock) -> None:
    token_of(ClientType.SHOP, 7)
    snapshot = sessions.read("shop:7", with_everyone=True)
    tokens = auth.tokens(begin(snapshot, shop_id=10, shop_name="Fashion Store"))
    at(HOUR)
    bearer = auth.verify(refresh(tokens.refresh_token).body["access_token"])
    assert (bearer.account_id, bearer.shop_id, bearer.shop_name) == (7, 10, "Fashion Store")
