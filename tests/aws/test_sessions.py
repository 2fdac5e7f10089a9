"""Sessions that end while something else is under way: stopped before each call, and then ended.

Whatever runs, once the ending has answered, no token that it gave works, and no connection stays
that would get an event.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from functions.connect.handler import handler as connect_handler
from functions.login.handler import handler as login_handler
from functions.message.handler import handler as message_handler
from harness.deployment import KEY
from harness.gateway_events import CONTEXT, frame_of
from harness.management_api import ManagementApiStub
from harness.tokens import claims, token_of
from tests.aws.conftest import Clock, HttpCall, connect, stored
from vitrina import (
    accounts,
    admission,
    auth,
    aws,
    closing,
    config,
    connections,
    sessions,
    subscriptions,
)
from vitrina.channels import ClientType
from vitrina.errors import Problem
from vitrina.events import Reason
from vitrina.sessions import Eras

EMAIL, PASSWORD = "user@example.com", "password"
call = HttpCall(login_handler)


@pytest.fixture(autouse=True)
def account(management_api: ManagementApiStub) -> accounts.Account:
    return accounts.create(EMAIL, PASSWORD, ClientType.USER)


# --- What may be under way, and returns the tokens that it gave ---


def log_in(_token: str) -> list[str]:
    answer = call("POST", "/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD})
    return [answer.body["access_token"]] if answer.status == 200 else []


def refresh(token: str) -> list[str]:
    answer = call("POST", "/api/v1/auth/refresh", token=token)
    return [answer.body["access_token"]] if answer.status == 200 else []


def shake_hands(token: str) -> list[str]:
    context = {"eventType": "CONNECT", "connectionId": "new"}
    connect_handler({"requestContext": context, "queryStringParameters": {"token": token}}, CONTEXT)
    return []


def say(message: Any) -> Any:
    context = {"eventType": "MESSAGE", "connectionId": "open"}
    return message_handler({"requestContext": context, "body": json.dumps(message)}, CONTEXT)


def extend(token: str) -> list[str]:
    say({"type": "auth", "token": token})
    return []


def join(_token: str) -> list[str]:
    say({"type": "join", "room": "sale"})
    return []


# --- What ends sessions ---


def disconnect() -> None:
    admission.disconnect(ClientType.USER, 1, closing.close_account)


def delete_the_account() -> None:
    assert accounts.delete(EMAIL)
    disconnect()


def replace_the_password() -> None:
    assert accounts.set_password(EMAIL, "another password")
    disconnect()


def end_everyone() -> None:
    sessions.end_everyone()
    # What another process kept is too old, as this command waits before it answers.
    sessions.forget()


UNDER_WAY = [log_in, refresh, shake_hands, extend, join]
ENDINGS = [disconnect, delete_the_account, replace_the_password, end_everyone]
# After these, the login that is under way has the wrong address or password.
FOR_GOOD = {delete_the_account, replace_the_password}


def works(token: str) -> bool:
    try:
        auth.verify(token)
    except Problem:
        return False
    return True


def receivers() -> set[str]:
    channels = ("user", "user:1", "room:sale")
    pages = subscriptions.first_pages(channels, 100)
    return {each.connection_id for _, page in pages for each in page.members.plain}


class Interrupted:
    """Runs something before the nth call of DynamoDB."""

    def __init__(self, patch: pytest.MonkeyPatch, before: int, run: Callable[[], None]) -> None:
        self.calls = 0
        self._patch = patch
        self._before = before
        self._run = run
        client = aws.dynamodb()
        send = client._make_api_call  # type: ignore[attr-defined]

        def send_after(operation: str, request: Any) -> Any:
            self.calls += 1
            if self.calls - 1 == before:
                patch.setattr(client, "_make_api_call", send)
                run()
                patch.setattr(client, "_make_api_call", send_after)
            return send(operation, request)

        patch.setattr(client, "_make_api_call", send_after)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("under_way", UNDER_WAY)
def test_nothing_that_is_under_way_outlives_an_ending(
    under_way: Callable[[str], list[str]],
    ending: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A login may begin anew after the ending: it then reads the era that has begun."""
    table = config.current().accounts_table
    [row] = aws.dynamodb().scan(TableName=table)["Items"]
    before = calls = 0
    outlived = []
    while before <= calls:  # in the last round the ending comes when everything has been done
        aws.dynamodb().put_item(TableName=table, Item=row)
        token = token_of(ClientType.USER, 1, eras=sessions.eras_at_login(ClientType.USER, 1))
        admission.admit("open", auth.read(token))
        with monkeypatch.context() as patch:
            interrupted = Interrupted(patch, before, ending)
            given = under_way(token)
            calls = interrupted.calls
        if before >= calls:
            ending()
        assert not works(token)
        assert receivers() == set(), f"ended before call {before}"
        outlived.append(any(map(works, given)))
        before += 1
    assert calls
    begun_anew = outlived.index(False)
    assert begun_anew == 0 or (under_way is log_in and ending not in FOR_GOOD)
    assert not any(outlived[begun_anew:])


def test_a_new_password_ends_the_logins_that_gave_the_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The password is read again after the era, and that one is verified."""
    look = sessions.eras_at_login

    def look_then_replace(*account: Any) -> Eras:
        eras = look(*account)
        accounts.set_password(EMAIL, "another password")
        return eras

    monkeypatch.setattr(sessions, "eras_at_login", look_then_replace)
    assert log_in("") == []


# --- Who is whom ---


def test_accounts_of_one_number_and_other_types_are_others() -> None:
    admin = token_of(ClientType.ADMIN, 1)
    connect("admin", ClientType.ADMIN, account_id=1)
    disconnect()
    assert works(admin)
    assert connections.find("admin")


@pytest.mark.parametrize("eras", [Eras(1, 0), Eras(0, 1), Eras(2**53 - 1, 2**53 - 1)])
def test_a_token_whose_era_has_not_begun_is_refused(eras: Eras) -> None:
    """It was forged with a leaked key, to outlive the end that follows."""
    assert not works(token_of(ClientType.USER, 1, eras=eras))


@pytest.mark.parametrize("era", [[0], [0, 0, 0], [-1, 0], "00", 7, [0.5, 0], {"account": 0}])
def test_eras_of_another_shape_are_refused(era: Any) -> None:
    assert not works(jwt.encode(claims(era=era), KEY, "HS256"))


def test_a_login_time_in_the_future_is_refused() -> None:
    assert not works(jwt.encode(claims(auth_time=int(time.time()) + 3600), KEY, "HS256"))


def test_a_token_without_eras_is_of_the_first() -> None:
    token = jwt.encode(claims(sub="1"), KEY, "HS256")
    assert works(token)
    disconnect()
    assert not works(token)


# --- Cost ---


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the operations of DynamoDB since."""
    made: list[str] = []
    client = aws.dynamodb()
    send = client._make_api_call  # type: ignore[attr-defined]

    def count(operation: str, request: Any) -> Any:
        made.append(operation)
        return send(operation, request)

    with monkeypatch.context() as patch:
        patch.setattr(client, "_make_api_call", count)
        yield made


def test_an_ended_token_costs_a_process_one_look(calls: list[str]) -> None:
    token = token_of(ClientType.USER, 1)
    disconnect()
    assert not works(token)
    calls.clear()
    for _ in range(50):
        assert not works(token)
    shake_hands(token)
    extended = frame_of(say({"type": "auth", "token": token}))
    assert json.loads(extended)["data"]["code"] == "connection_expired"
    assert calls == ["UpdateItem"]  # the message is counted


def test_everyones_row_is_read_every_two_seconds_at_most(calls: list[str], at: Clock) -> None:
    for moment in (0, 0.5, 1, 1.9):
        at(moment)
        for _ in range(5):
            sessions.everyone_era()
    assert calls == ["BatchGetItem"]
    at(2)
    sessions.everyone_era()
    assert calls == ["BatchGetItem"] * 2


def test_a_copy_from_before_the_clock_went_back_is_read_again(calls: list[str], at: Clock) -> None:
    sessions.everyone_era()
    at(-5)
    sessions.everyone_era()
    assert calls == ["BatchGetItem"] * 2


# --- Everyone ---


def test_after_everyones_end_no_row_gets_an_event_and_the_sweep_closes_it(
    management_api: ManagementApiStub,
) -> None:
    connect("old", ClientType.USER, account_id=1)
    end_everyone()
    assert receivers() == set()
    token = token_of(ClientType.USER, 2, eras=sessions.eras_at_login(ClientType.USER, 2))
    admission.admit("new", auth.read(token))
    assert works(token)
    closing.close_expired(time.monotonic() + 10)
    assert management_api.closed == ["old"]
    [said] = management_api.received["old"]
    assert json.loads(said)["data"]["reason"] == Reason.ACCOUNT_DISCONNECTED
    assert stored("new")


def test_a_connection_that_was_ended_is_never_extended() -> None:
    connect("open", ClientType.USER, account_id=1)
    connections.expire("open")
    answer = json.loads(frame_of(say({"type": "auth", "token": token_of(ClientType.USER, 1)})))
    assert answer["data"]["code"] == "connection_expired"
    row = connections.find("open")
    assert row
    assert row.has_ended
    assert row.expires_at <= time.time() - 60


# --- Another issuer: by time ---


def test_another_issuers_tokens_are_compared_by_time(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = config.current().model_copy(
        update={"token_algorithm": "ES256", "token_jwks_url": "https://login.example.com/keys"}
    )
    monkeypatch.setattr(config, "current", lambda: other)

    def identity(began: float) -> auth.Identity:
        whole = claims(sub="1", auth_time=began, iat=began)
        return auth.Identity.model_validate(whole)

    began = time.time()
    disconnect()
    for seconds, is_alive in ((-10, False), (0, False), (32, False), (34, True)):
        at(seconds)
        refused = None
        try:
            sessions.require_alive(identity(began + seconds).session)
        except Problem as problem:
            refused = problem.code
        assert refused == (None if is_alive else "token_revoked"), seconds
