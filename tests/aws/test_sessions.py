"""Sessions that end while something else is under way: stopped before each call, and then ended.

Whatever runs, once the ending has answered, no token that it gave works, and no connection stays
that would get an event.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from functions.connect.handler import handler as connect_handler
from functions.login.handler import handler as login_handler
from functions.message.handler import handler as message_handler
from functions.sessions.handler import handler as sessions_handler
from functions.sweep.handler import handler as sweep_handler
from harness.deployment import KEY
from harness.gateway_events import CONTEXT, frame_of
from harness.management_api import ManagementApiStub
from harness.tokens import begin, claims, token_of
from ops import account_removal
from tests.aws.conftest import Clock, HttpCall, connect, stored
from tests.aws.processes import Process, counted_calls
from vitrina import (
    accounts,
    admission,
    auth,
    aws,
    closing,
    config,
    connections,
    endings,
    sessions,
    subscriptions,
)
from vitrina.auth import Tokens
from vitrina.channels import ClientType
from vitrina.errors import Problem
from vitrina.events import Reason
from vitrina.session_rows import Eras
from vitrina.sessions import Snapshot

EMAIL, PASSWORD = "user@example.com", "password"
call = HttpCall(login_handler)
call_sessions = HttpCall(sessions_handler)


@pytest.fixture(autouse=True)
def account(management_api: ManagementApiStub) -> accounts.Account:
    return accounts.create(EMAIL, PASSWORD, ClientType.USER)


def new_session() -> Tokens:
    return auth.tokens(begin(sessions.read("user:1", with_everyone=True)))


# --- What may be under way, and returns the access tokens that it gave ---


def log_in(_tokens: Tokens) -> list[str]:
    answer = call("POST", "/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD})
    assert answer.status in {200, 401, 503}
    return [answer.body["access_token"]] if answer.status == 200 else []


def refresh(tokens: Tokens) -> list[str]:
    body = {"refresh_token": tokens.refresh_token}
    answer = call_sessions("POST", "/api/v1/auth/refresh", body)
    assert answer.status in {200, 401, 503}
    return [answer.body["access_token"]] if answer.status == 200 else []


def shake_hands(tokens: Tokens) -> list[str]:
    context = {"eventType": "CONNECT", "connectionId": "new"}
    query = {"token": tokens.access_token}
    connect_handler({"requestContext": context, "queryStringParameters": query}, CONTEXT)
    return []


def say(message: Any) -> Any:
    context = {"eventType": "MESSAGE", "connectionId": "open"}
    return message_handler({"requestContext": context, "body": json.dumps(message)}, CONTEXT)


def extend(tokens: Tokens) -> list[str]:
    say({"type": "auth", "token": tokens.access_token})
    return []


def join(_tokens: Tokens) -> list[str]:
    say({"type": "join", "room": "sale"})
    return []


def resume(_tokens: Tokens) -> list[str]:
    say({"type": "resume", "positions": {"user": {"epoch": "x", "seq": 0}}})
    return []


# --- What ends sessions ---


def log_out(tokens: Tokens) -> None:
    """As `DELETE /me/sessions/{id}`, an administrator and a token that was used before do too."""
    answer = call_sessions("POST", "/api/v1/auth/logout", token=tokens.access_token)
    assert answer.status == 204


def disconnect(_tokens: Tokens | None = None) -> None:
    closing.disconnect(ClientType.USER, 1)


def replace_the_password(_tokens: Tokens) -> None:
    assert accounts.set_password(EMAIL, "another password")
    disconnect()


def delete_the_account(_tokens: Tokens) -> None:
    assert account_removal.remove(EMAIL)


def end_everyone(_tokens: Tokens | None = None) -> None:
    endings.end_everyone()
    # What another process kept is too old, as this command waits before it answers.
    sessions.forget()


UNDER_WAY = [log_in, refresh, shake_hands, extend, join, resume]
ENDINGS = [log_out, disconnect, replace_the_password, delete_the_account, end_everyone]


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
    under_way: Callable[[Tokens], list[str]],
    ending: Callable[[Tokens], None],
    monkeypatch: pytest.MonkeyPatch,
    at: Clock,
) -> None:
    """A login is another session than the one that logs out, and may begin after the ending of all:
    it then reads the era that has begun. The refresh is one that rotates.
    """
    table = config.current().accounts_table
    [row] = aws.dynamodb().scan(TableName=table)["Items"]
    before = calls = 0
    outlived = []
    while before <= calls:  # in the last round the ending comes when everything has been done
        aws.dynamodb().put_item(TableName=table, Item=row)
        at(200 * before)
        tokens = new_session()
        at(200 * before + 121)
        admission.admit("open", auth.read(tokens.access_token))
        with monkeypatch.context() as patch:
            interrupted = Interrupted(patch, before, lambda: ending(tokens))  # noqa: B023
            given = under_way(tokens)
            calls = interrupted.calls
        if before >= calls:
            ending(tokens)
        assert not works(tokens.access_token)
        assert refresh(tokens) == []
        assert receivers() == set(), f"ended before call {before}"
        outlived.append(any(map(works, given)))
        before += 1
    assert calls
    if under_way is log_in and ending is log_out:
        assert all(outlived)
        return
    begun_anew = outlived.index(False)
    assert begun_anew == 0 or (under_way is log_in and ending in {disconnect, end_everyone})
    assert not any(outlived[begun_anew:])


@pytest.mark.parametrize("ending", [log_out, disconnect])
def test_an_ending_that_dies_is_finished_by_the_sweep_or_when_it_is_repeated(
    ending: Callable[[Tokens], None], management_api: ManagementApiStub, at: Clock
) -> None:
    calls, has_ended = 0, False
    while not has_ended:
        at(0)
        tokens = new_session()
        name = f"open-{calls}"
        admission.admit(name, auth.read(tokens.access_token))
        process = Process(lambda: ending(tokens))  # noqa: B023
        with counted_calls():
            has_ended = process.run(calls)
            process.kill()
        if not works(tokens.access_token):
            at(31)
            sweep_handler({}, CONTEXT)
            assert name in management_api.closed, f"died before call {calls}"
        at(32)
        ending(tokens)
        sweep_handler({}, CONTEXT)
        assert name in management_api.closed
        assert connections.find(name) is None
        assert not any(
            "unclosed" in row for row in aws.dynamodb().scan(TableName="sessions")["Items"]
        )
        calls += 1
    assert calls == 8


def test_endings_at_once_leave_nothing_open(at: Clock) -> None:
    """One stands still before each of its calls, while the other one runs from end to end."""

    def end_session(tokens: Tokens) -> None:
        session_id = auth.read(tokens.access_token).session_id
        assert session_id
        closing.end_session(ClientType.USER, 1, session_id)

    calls, has_ended = 0, False
    while not has_ended:
        one, other = new_session(), new_session()
        for name, tokens in (("one", one), ("other", other)):
            admission.admit(name, auth.read(tokens.access_token))
        process = Process(lambda: end_session(one))  # noqa: B023
        with counted_calls():
            has_ended = process.run(calls)
            end_session(other)
            process.run()
        assert receivers() == set()
        [row] = [
            row for row in aws.dynamodb().scan(TableName="sessions")["Items"] if "logins" in row
        ]
        assert not row.keys() & {"unclosed", "closing", "closing_since"}, calls
        calls += 1
    assert calls == 7


def test_a_new_password_ends_the_logins_that_gave_the_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The password is read again after the era, and that one is verified."""
    read = sessions.read

    def read_then_replace(account: str, *, with_everyone: bool = False) -> Snapshot:
        seen = read(account, with_everyone=with_everyone)
        accounts.set_password(EMAIL, "another password")
        return seen

    tokens = new_session()
    monkeypatch.setattr(sessions, "read", read_then_replace)
    assert log_in(tokens) == []


# --- Who is whom ---


def test_accounts_of_one_number_and_other_types_are_others() -> None:
    admin = token_of(ClientType.ADMIN, 1)
    connect("admin", ClientType.ADMIN, account_id=1)
    disconnect()
    assert works(admin)
    assert connections.find("admin")


def forged(token: str, **changes: Any) -> str:
    """Sign a token with other claims; None removes one."""
    whole = jwt.decode(token, options={"verify_signature": False}) | changes
    present = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(present, KEY, "HS256")


@pytest.mark.parametrize(
    "changes",
    [
        {"era": Eras(1, 0)},
        {"era": Eras(0, 1)},
        {"era": Eras(2**53 - 1, 2**53 - 1)},
        {"sid": None},
        {"sid": "A" * 22},
        {"sid": "A" * 21},
        {"sid": ["A" * 22]},
        {"sub": "2"},
        {"client_type": "admin"},
        {"client_type": "shop", "shop_id": 10, "shop_name": "Fashion Store"},
    ],
    ids=str,
)
def test_who_has_the_key_forges_no_token_of_a_session_that_does_not_say_so(changes: Any) -> None:
    token = token_of(ClientType.USER, 1)
    assert works(forged(token))
    assert not works(forged(token, **changes))


def test_a_shops_session_is_of_its_shop_alone() -> None:
    token = token_of(ClientType.SHOP, 7)
    assert works(forged(token))
    assert not works(forged(token, shop_id=11))


@pytest.mark.parametrize("changes", [{"sid": None}, {"sid": "A" * 22}, {}], ids=str)
def test_a_leaked_key_is_worth_nothing_once_everyones_sessions_have_ended(changes: Any) -> None:
    before = token_of(ClientType.ADMIN, 1)
    end_everyone()
    for era in (Eras(0, 0), Eras(0, 1), Eras(1, 1)):
        assert not works(forged(before, era=era, iat=int(time.time()), **changes))
    assert works(token_of(ClientType.ADMIN, 1))


@pytest.mark.parametrize("era", [[0], [0, 0, 0], [-1, 0], "00", 7, [0.5, 0], {"account": 0}])
def test_eras_of_another_shape_are_refused(era: Any) -> None:
    assert not works(jwt.encode(claims(era=era), KEY, "HS256"))


def test_a_login_time_in_the_future_is_refused() -> None:
    assert not works(jwt.encode(claims(auth_time=int(time.time()) + 3600), KEY, "HS256"))


def test_a_token_of_an_earlier_version_is_of_no_session() -> None:
    """Its bearer logs in once more."""
    for era in (None, Eras(0, 0)):
        assert not works(jwt.encode(claims(sub="1", era=era), KEY, "HS256"))


# --- Cost ---


def test_an_ended_token_costs_a_process_one_look(calls: list[str]) -> None:
    token = token_of(ClientType.USER, 1)
    disconnect()
    assert not works(token)
    calls.clear()
    for _ in range(50):
        assert not works(token)
    shake_hands(Tokens(access_token=token, expires_in=1, refresh_token="", refresh_expires_in=1))
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
    token = token_of(ClientType.USER, 2)
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
