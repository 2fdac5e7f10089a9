"""Tokens that are refreshed, extended, revoked, rotated, or come from another issuer."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from functions.accounts.handler import handler as accounts_handler
from functions.connect.handler import handler as connect_handler
from functions.login.handler import handler as login_handler
from functions.message.handler import handler as message_handler
from harness import deployment
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import claims, token_of
from tests.aws.conftest import Answer, Clock, HttpCall, connect, stored, stored_connections
from vitrina import auth, aws, config, connections, keys
from vitrina.channels import ClientType
from vitrina.config import Config
from vitrina.errors import Problem
from vitrina.sessions import Eras

call_accounts = HttpCall(accounts_handler)
call_login = HttpCall(login_handler)

pytestmark = pytest.mark.usefixtures("management_api")

HOUR = 3600


def refresh(token: str | None) -> Answer:
    return call_login("POST", "/api/v1/auth/refresh", token=token)


def extend(token: str, connection_id: str = "c1") -> Any:
    context = {"eventType": "MESSAGE", "connectionId": connection_id}
    body = json.dumps({"type": "auth", "token": token})
    return json.loads(message_handler({"requestContext": context, "body": body}, CONTEXT)["body"])


def shake_hands(token: str, connection_id: str = "new") -> int:
    event = {
        "requestContext": {"eventType": "CONNECT", "connectionId": connection_id},
        "queryStringParameters": {"token": token},
    }
    status: int = connect_handler(event, CONTEXT)["statusCode"]
    return status


def code_of(token: str) -> str:
    try:
        auth.verify(token)
    except Problem as problem:
        return problem.code
    return "good"


# --- Refreshing and extending ---


def test_a_token_is_exchanged_for_a_newer_one_of_the_same_bearer(
    at: Clock,
) -> None:
    old = token_of(ClientType.SHOP, account_id=7)
    at(HOUR - 10)
    answer = refresh(old)
    assert (answer.status, answer.body["expires_in"]) == (200, HOUR)
    at(HOUR + 10)
    assert code_of(old) == "token_expired"
    bearer = auth.verify(answer.body["access_token"])
    assert (bearer.account_id, bearer.shop_id, bearer.shop_name) == (7, 10, "Fashion Store")
    assert refresh(old).body["code"] == "token_expired"
    assert refresh(None).body["code"] == "token_missing"


def test_no_chain_of_refreshes_outlives_the_session(at: Clock) -> None:
    half_an_hour = HOUR // 2
    session = config.current().session_lifetime_seconds
    token = token_of(ClientType.USER)
    for seconds in range(half_an_hour, session, half_an_hour):
        at(seconds)
        token = auth.refresh(auth.read(token))
    at(session - 1)
    last = refresh(token).body["access_token"]
    at(session + 1)
    answer = refresh(last)
    assert (answer.status, answer.body["code"]) == (401, "session_expired")


def test_auth_extends_an_open_connection_in_all_its_rows(at: Clock) -> None:
    connect("c1", ClientType.USER, account_id=42)
    connections.join(stored("c1"), "sale")
    at(HOUR / 2)
    answer = extend(token_of(ClientType.USER, account_id=42))
    assert answer["event"] == "authenticated"
    rows = aws.dynamodb().scan(TableName="connections")["Items"]
    assert len(rows) == 3
    [end] = {int(row["expires_at"]["N"]) for row in rows}
    assert end - int(rows[0]["connected_at"]["N"]) in (HOUR * 3 / 2, HOUR * 3 / 2 - 1)
    assert answer["data"]["expires_at"].startswith(
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(end))
    )


def test_no_token_extends_a_connection_beyond_api_gateways_two_hours(
    at: Clock,
) -> None:
    connect("c1", ClientType.USER)
    at(HOUR * 3 / 2)
    extend(token_of(ClientType.USER))
    row = connections.find("c1")
    assert row
    assert row.expires_at - row.connected_at == 2 * HOUR


def test_a_connection_whose_token_ran_out_is_open_to_auth_until_it_is_closed(
    at: Clock,
) -> None:
    connect("c1", ClientType.USER)
    at(HOUR + 30)
    assert extend(token_of(ClientType.USER))["event"] == "authenticated"
    row = connections.find("c1")
    assert row
    assert not row.has_expired


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (lambda: token_of(ClientType.USER, account_id=43), "identity_mismatch"),
        (lambda: token_of(ClientType.ADMIN, account_id=42), "identity_mismatch"),
        (lambda: token_of(ClientType.SHOP, account_id=42), "identity_mismatch"),
        (lambda: "garbage", "token_invalid"),
        (lambda: "", "message_invalid"),
        (lambda: "x" * 5000, "message_invalid"),
    ],
)
def test_another_token_changes_nothing(token: Callable[[], str], code: str) -> None:
    connect("c1", ClientType.USER, account_id=42)
    before = connections.find("c1")
    answer = extend(token())
    assert (answer["event"], answer["data"]["code"]) == ("error", code)
    assert connections.find("c1") == before
    assert extend(token_of(ClientType.USER), "never-seen")["data"]["code"] == "connection_expired"


# --- Disconnecting an account ---


def disconnect(account_id: object, token: str | None = None) -> Answer:
    path = f"/api/v1/admin/accounts/{account_id}/disconnect"
    return call_accounts("POST", path, token=token or token_of(ClientType.ADMIN))


def test_a_disconnected_accounts_sockets_close_and_its_older_tokens_are_refused_everywhere(
    management_api: ManagementApiStub, at: Clock
) -> None:
    shop, colleague = (token_of(ClientType.SHOP, account_id=n) for n in (7, 8))
    connect("phone", ClientType.SHOP, account_id=7)
    connect("tablet", ClientType.SHOP, account_id=7)
    connect("colleague", ClientType.SHOP, account_id=8)
    connect("user", ClientType.USER, account_id=9)
    connections.join(stored("phone"), "sale")
    at(1)
    answer = disconnect(7)
    assert (answer.status, answer.body) == (200, {"account_id": 7, "closed": 2})
    assert set(management_api.received) == set(management_api.closed) == {"phone", "tablet"}
    event = json.loads(management_api.received["phone"][0])
    assert (event["event"], event["data"]) == ("closing", {"reason": "account_disconnected"})
    assert stored_connections() == {"colleague", "user"}

    assert shake_hands(shop) == 401
    assert refresh(shop).body["code"] == "token_revoked"
    assert code_of(shop) == "token_revoked"
    newer = token_of(ClientType.SHOP, account_id=7, eras=Eras(1, 0))
    assert shake_hands(newer, "new-login") == 200
    assert extend(shop, "new-login")["data"]["code"] == "token_revoked"
    assert code_of(colleague) == "good"
    assert code_of(newer) == "good"


def test_a_connection_opened_while_its_account_is_disconnected_is_closed(
    monkeypatch: pytest.MonkeyPatch, at: Clock
) -> None:
    token = token_of(ClientType.USER, account_id=7)
    at(1)
    add = connections.add

    def revoke_then_add(connection_id: str, identity: auth.Identity) -> connections.Connection:
        assert disconnect(7).body["closed"] == 0
        return add(connection_id, identity)

    monkeypatch.setattr(connections, "add", revoke_then_add)
    assert shake_hands(token) == 401
    assert stored_connections() == set()


def test_one_whose_handshake_has_not_ended_is_left_to_the_sweep(
    management_api: ManagementApiStub,
) -> None:
    """If its row were deleted, it would open a moment later and stay open."""
    management_api.behave = lambda _: 410
    connect("c1", ClientType.USER, account_id=7)
    disconnect(7)
    row = connections.find("c1")
    assert row
    assert row.has_expired


def test_a_connection_that_cannot_be_closed_gets_no_more_events(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitrina.closing.BUDGET_SECONDS", 0.3)
    management_api.behave = lambda _: 500
    connect("c1", ClientType.USER, account_id=7)
    disconnect(7)
    row = connections.find("c1")
    assert row
    assert row.has_expired


@pytest.mark.parametrize("client_type", [ClientType.USER, ClientType.SHOP])
def test_only_admins_disconnect(client_type: ClientType) -> None:
    assert disconnect(7, token_of(client_type)).status == 403
    for spelling in ("x", "+7", "07", "7.0", " 7", "٧"):
        assert disconnect(spelling).status == 422


# --- Keys ---


def rotate(value: str = "n" * 64) -> None:
    aws.secretsmanager().put_secret_value(SecretId="signing-key", SecretString=value)


def test_a_replaced_key_is_good_until_its_tokens_have_run_out(at: Clock) -> None:
    old = token_of(ClientType.USER)
    rotate()
    keys.forget()
    new = token_of(ClientType.USER)
    assert [jwt.get_unverified_header(token)["kid"] for token in (old, new)] == [
        version["VersionId"]
        for stage in ("AWSPREVIOUS", "AWSCURRENT")
        for version in [
            aws.secretsmanager().get_secret_value(SecretId="signing-key", VersionStage=stage)
        ]
    ]
    assert code_of(old) == code_of(new) == "good"
    forged = jwt.encode(
        claims(exp=int(time.time()) + 9 * HOUR),
        "k" * 64,
        "HS256",
        headers={"kid": jwt.get_unverified_header(old)["kid"]},
    )
    assert code_of(forged) == "good"
    at(HOUR + keys.KEY_TTL_SECONDS + 60)
    assert code_of(forged) == "token_invalid"


def test_a_leaked_key_that_is_replaced_twice_is_invalid_after_five_minutes(at: Clock) -> None:
    leaked = token_of(ClientType.ADMIN)
    at(0)
    rotate()
    at(keys.KEY_TTL_SECONDS)
    assert code_of(leaked) == "good"
    rotate("m" * 64)
    at(2 * keys.KEY_TTL_SECONDS)
    assert code_of(leaked) == "token_invalid"
    assert code_of(token_of(ClientType.ADMIN)) == "good"


def test_a_process_without_the_new_key_reads_it() -> None:
    before = keys.signing()
    rotate()
    keys.forget()
    new = token_of(ClientType.USER)
    keys.forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "signing", lambda: before)
        assert code_of(new) == "good"


def test_unknown_keys_are_not_read_again_and_again(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked = keys._read, []

    def count(stage: Any) -> keys.Secret:
        asked.append(stage)
        return read(stage)

    monkeypatch.setattr(keys, "_read", count)
    for n in range(50):
        token = jwt.encode(claims(), "k" * 64, "HS256", headers={"kid": f"key-{n}"})
        assert code_of(token) == "token_invalid"
    assert asked == ["AWSCURRENT", "AWSCURRENT", "AWSPREVIOUS"]


# --- Another issuer ---


class Issuer:
    """A JWKS server."""

    def __init__(self) -> None:
        self.keys = {"key-1": rsa.generate_private_key(65537, 2048)}
        self.fetches = 0
        self.answer: bytes | None = None
        self.url = ""

    def key_set(self) -> bytes:
        public = [
            RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig"}
            for kid, key in self.keys.items()
        ]
        return self.answer or json.dumps({"keys": public}).encode()

    def token(self, kid: str = "key-1", algorithm: str = "RS256", **changes: Any) -> str:
        whole = claims(iss="https://id.example.com", aud="marketplace", **changes)
        return jwt.encode(whole, self.keys[kid], algorithm, headers={"kid": kid})


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(issuer.key_set())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        issuer.url = f"http://127.0.0.1:{server.server_port}/jwks"
        deployment.configure(
            monkeypatch,
            token_jwks_url=issuer.url,
            token_algorithm="RS256",
            token_issuer="https://id.example.com",
            token_audience="marketplace",
        )
        yield issuer
        server.shutdown()
        thread.join()


def test_another_issuers_tokens_are_valid_and_its_keys_are_fetched_once(
    issuer: Issuer,
) -> None:
    for n in range(5):
        assert shake_hands(issuer.token(sub="42"), f"c{n}") == 200
    assert issuer.fetches == 1
    row = connections.find("c1")
    assert row
    assert row.identity == "42"


def test_our_own_key_is_no_key_of_another_issuer(issuer: Issuer) -> None:
    ours = claims(iss="https://id.example.com", aud="marketplace")
    public = RSAAlgorithm.to_jwk(issuer.keys["key-1"].public_key()).encode()
    head, body = (
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": "key-1"}, ours)
    )
    mac = hmac.digest(public, head + b"." + body, "sha256")
    signed_with_the_public_key = b".".join([head, body, urlsafe_b64encode(mac).rstrip(b"=")])
    for token in (
        jwt.encode(ours, "k" * 64, "HS256"),
        jwt.encode(ours, "k" * 64, "HS256", headers={"kid": "key-1"}),
        signed_with_the_public_key.decode(),
        issuer.token(algorithm="RS512"),
    ):
        assert code_of(token) == "token_invalid"
    assert code_of(issuer.token(exp=int(time.time()) - 1)) == "token_expired"


def test_a_new_key_of_the_issuer_is_fetched_and_unknown_ones_do_not_storm_it(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code_of(issuer.token()) == "good"
    issuer.keys["key-2"] = rsa.generate_private_key(65537, 2048)
    half_a_minute_later = time.monotonic() + 31
    monkeypatch.setattr(time, "monotonic", lambda: half_a_minute_later)
    assert code_of(issuer.token("key-2")) == "good"
    issuer.keys["key-3"] = rsa.generate_private_key(65537, 2048)
    unknown = issuer.token("key-3")
    for _ in range(20):
        assert code_of(unknown) == "token_invalid"
    assert issuer.fetches == 2


def test_a_key_for_another_use_is_none_for_tokens(issuer: Issuer) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(curve.public_key(), as_dict=True) | {"kid": "ec"}
    issuer.answer = json.dumps({"keys": [jwk]}).encode()
    whole = claims(iss="https://id.example.com", aud="marketplace")
    for token in (
        jwt.encode(whole, curve, "ES256", headers={"kid": "ec"}),
        jwt.encode(whole, issuer.keys["key-1"], "RS256", headers={"kid": "ec"}),
    ):
        assert code_of(token) == "token_invalid"


def test_an_issuer_that_does_not_answer_is_no_fault_of_the_token(issuer: Issuer) -> None:
    for answer in (b"<html>", b"[]", b'{"keys":[]}'):
        issuer.answer = answer
        assert code_of(issuer.token()) in {"issuer_unreachable", "token_invalid"}
    issuer.answer = None
    assert code_of(issuer.token()) == "good"


def test_an_issuer_that_is_down_makes_connecting_unavailable(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINA_TOKEN_JWKS_URL", "http://127.0.0.1:9/jwks")
    config.forget()
    assert code_of(issuer.token()) == "issuer_unreachable"
    assert shake_hands(issuer.token()) == 503


def test_a_deployment_with_another_issuer_issues_no_tokens(issuer: Issuer) -> None:
    assert refresh(issuer.token()).body["code"] == "issued_elsewhere"
    body = {"email": "user@example.com", "password": "password"}
    assert call_login("POST", "/api/v1/auth/login", body).body["code"] == "issued_elsewhere"
    assert aws.dynamodb().scan(TableName="platform")["Items"] == []


def test_public_keys_and_a_secret_do_not_go_together() -> None:
    everything = config.current().model_dump()
    for wrong in (
        {"token_jwks_url": "https://id.example.com/jwks"},
        {"token_algorithm": "RS256"},
        {"token_jwks_url": "http://id.example.com/jwks", "token_algorithm": "RS256"},
    ):
        with pytest.raises(ValueError, match="token_"):
            Config.model_validate(everything | wrong)
