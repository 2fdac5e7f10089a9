"""Access tokens that extend connections, are revoked, or come from another issuer; keys."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from unittest.mock import Mock

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from functions.accounts.handler import handler as accounts_handler
from functions.connect.handler import handler as connect_handler
from functions.login.handler import handler as login_handler
from functions.message.handler import handler as message_handler
from functions.products.handler import handler as products_handler
from functions.sessions.handler import handler as sessions_handler
from harness import deployment, forged_tokens
from harness.deployment import KEY
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import claims, token_of
from tests.aws.conftest import Answer, Clock, HttpCall, connect, stored, stored_connections
from vitrina import auth, aws, config, connections, copies, keys
from vitrina.channels import ClientType
from vitrina.config import Config
from vitrina.errors import Problem

call_accounts = HttpCall(accounts_handler)
call_login = HttpCall(login_handler)
call_products = HttpCall(products_handler)
call_sessions = HttpCall(sessions_handler)

pytestmark = pytest.mark.usefixtures("management_api")

HOUR = 3600


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


# --- Extending ---


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
        (lambda: token_of(ClientType.USER, account_id=42, new_session=True), "identity_mismatch"),
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
    assert code_of(shop) == "token_revoked"
    newer = token_of(ClientType.SHOP, account_id=7)
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

    def revoke_then_add(*arguments: Any) -> connections.Connection:
        assert disconnect(7).body["closed"] == 0
        return add(*arguments)

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
        jwt.decode(old, options={"verify_signature": False}) | {"exp": int(time.time()) + 9 * HOUR},
        "k" * 64,
        "HS256",
        headers={"kid": jwt.get_unverified_header(old)["kid"]},
    )
    assert code_of(forged) == "good"
    at(HOUR + copies.TTL_SECONDS + 60)
    assert code_of(forged) == "token_invalid"


def test_a_leaked_key_that_is_replaced_twice_is_invalid_after_five_minutes(at: Clock) -> None:
    leaked = token_of(ClientType.ADMIN)
    at(0)
    rotate()
    at(copies.TTL_SECONDS)
    assert code_of(leaked) == "good"
    rotate("m" * 64)
    at(2 * copies.TTL_SECONDS)
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


def test_a_known_key_is_used_while_secrets_manager_fails(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = token_of(ClientType.USER)
    rotate()
    at(copies.TTL_SECONDS)
    assert code_of(old) == code_of(token_of(ClientType.USER)) == "good"
    read = keys._read
    asked = Mock(side_effect=aws.secretsmanager().exceptions.InternalServiceError({}, "Get"))
    monkeypatch.setattr(keys, "_read", asked)
    at(3 * copies.TTL_SECONDS)
    for _ in range(5):
        assert code_of(old) == code_of(token_of(ClientType.USER)) == "good"
    # The current key, and both for the token of the previous one.
    assert asked.call_count == 2
    at(copies.TTL_SECONDS + copies.MAX_OUTAGE_SECONDS)
    with pytest.raises(aws.secretsmanager().exceptions.InternalServiceError):
        token_of(ClientType.USER)
    monkeypatch.setattr(keys, "_read", read)
    at(copies.TTL_SECONDS + copies.MAX_OUTAGE_SECONDS + copies.RETRY_INTERVAL_SECONDS)
    assert code_of(token_of(ClientType.USER)) == "good"


def test_a_function_without_a_key_does_not_ask_at_every_token(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_of(ClientType.USER)
    keys.forget()
    asked = Mock(side_effect=aws.secretsmanager().exceptions.InternalServiceError({}, "Get"))
    monkeypatch.setattr(keys, "_read", asked)
    for _ in range(5):
        with pytest.raises(aws.secretsmanager().exceptions.InternalServiceError):
            auth.verify(token)
    assert asked.call_count == 1


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


# --- Forged tokens ---


def test_no_forged_token_opens_a_connection_and_nothing_of_it_is_logged(
    logged: Callable[[], str],
) -> None:
    tokens = {
        **forged_tokens.forged(),
        **forged_tokens.careless(KEY),
        **forged_tokens.respelled(token_of(ClientType.USER)),
    }
    assert {name for name, token in tokens.items() if shake_hands(token) != 401} == set()
    lines = [json.loads(line) for line in logged().splitlines()]
    assert {line.get("code") for line in lines if line["message"] == "refused"} == {"token_invalid"}
    assert stored_connections() == set()
    text = json.dumps(lines)
    parts = {part for token in tokens.values() for part in token.split(".") if len(part) > 20}
    assert {part for part in parts if part in text} == set()
    assert "/dev/null" not in text


# --- Another issuer ---


@cache
def private_key(_: str) -> rsa.RSAPrivateKey:
    """Return the key of this id, which takes long to make: each id has its own."""
    return rsa.generate_private_key(65537, 2048)


class Issuer:
    """A JWKS server that does what a test says."""

    def __init__(self) -> None:
        self.keys = {"key-1": private_key("key-1")}
        self.fetches = 0
        self.status = 200
        self.answer: bytes | None = None
        self.is_dripping = False
        """Whether its answers come byte by byte and do not end."""
        self.ends = Event()
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
            self.send_response(issuer.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            with suppress(ConnectionError):
                while issuer.is_dripping and not issuer.ends.wait(0.02):
                    self.wfile.write(b" ")
                self.wfile.write(issuer.key_set())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=[0.01])
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
        issuer.ends.set()
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
    header = {"alg": "HS256", "kid": "key-1"}
    public = issuer.keys["key-1"].public_key()
    formats = [
        RSAAlgorithm.to_jwk(public).encode(),
        *(
            public.public_bytes(Encoding.PEM, f)
            for f in (PublicFormat.PKCS1, PublicFormat.SubjectPublicKeyInfo)
        ),
        *(
            public.public_bytes(Encoding.DER, f)
            for f in (PublicFormat.PKCS1, PublicFormat.SubjectPublicKeyInfo)
        ),
        public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
    ]
    for token in (
        jwt.encode(ours, "k" * 64, "HS256"),
        forged_tokens.serialize(header, ours, "k" * 64),
        *(forged_tokens.serialize(header, ours, key) for key in formats),
        *(forged_tokens.serialize(header | {"alg": "RS256"}, ours, key) for key in formats),
        issuer.token(algorithm="RS512"),
    ):
        assert code_of(token) == "token_invalid"
    assert code_of(issuer.token(exp=int(time.time()) - 1)) == "token_expired"


def test_a_new_key_of_the_issuer_is_fetched_and_unknown_ones_do_not_storm_it(
    issuer: Issuer, at: Clock
) -> None:
    assert code_of(issuer.token()) == "good"
    issuer.keys["key-2"] = private_key("key-2")
    at(copies.RETRY_INTERVAL_SECONDS)
    assert code_of(issuer.token("key-2")) == "good"
    issuer.keys["key-3"] = private_key("key-3")
    unknown = issuer.token("key-3")
    for _ in range(20):
        assert code_of(unknown) == "token_invalid"
    assert issuer.fetches == 2


def test_a_withdrawn_key_is_invalid_after_five_minutes(issuer: Issuer, at: Clock) -> None:
    token = issuer.token()
    assert code_of(token) == "good"
    issuer.answer = b'{"keys": []}'
    at(copies.TTL_SECONDS)
    assert code_of(token) == "token_invalid"


def test_threads_that_need_the_keys_at_once_fetch_them_once(issuer: Issuer) -> None:
    token = issuer.token()
    with ThreadPoolExecutor(8) as pool:
        assert {*pool.map(code_of, [token] * 16)} == {"good"}
    assert issuer.fetches == 1


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


def test_entries_that_are_no_keys_do_not_hide_the_others(issuer: Issuer) -> None:
    strange = [None, 5, "x", {}, {"kty": "RSA", "alg": "none"}, {"kty": "RSA", "n": 5, "kid": "a"}]
    symmetric = {"kty": "oct", "k": urlsafe_b64encode(b"k" * 64).decode(), "kid": "symmetric"}
    found = json.loads(issuer.key_set())["keys"]
    issuer.answer = json.dumps({"keys": [*strange, symmetric, *found]}).encode()
    assert code_of(issuer.token()) == "good"
    whole = claims(iss="https://id.example.com", aud="marketplace")
    ours = jwt.encode(whole, "k" * 64, "HS256", headers={"kid": "symmetric"})
    assert code_of(ours) == "token_invalid"


def _is_down(issuer: Issuer) -> None:
    issuer.status = 503


def _redirects(issuer: Issuer) -> None:
    issuer.status = 302


def _answers_html(issuer: Issuer) -> None:
    issuer.answer = b"<html>"


def _answers_a_list(issuer: Issuer) -> None:
    issuer.answer = b"[]"


def _answers_too_much(issuer: Issuer) -> None:
    issuer.answer = b" " * keys.MAX_KEY_SET_BYTES + issuer.key_set()


def _drips(issuer: Issuer) -> None:
    issuer.is_dripping = True


@pytest.mark.parametrize(
    "fails", [_is_down, _redirects, _answers_html, _answers_a_list, _answers_too_much, _drips]
)
def test_known_keys_are_used_while_the_issuer_fails(
    fails: Callable[[Issuer], None], issuer: Issuer, at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "ISSUER_TIMEOUT_SECONDS", 0.2)
    assert shake_hands(issuer.token(), "first") == 200
    fails(issuer)
    at(copies.TTL_SECONDS)
    for n in range(5):
        assert shake_hands(issuer.token(), f"c{n}") == 200
    assert issuer.fetches == 2
    at(copies.MAX_OUTAGE_SECONDS - 1)
    assert code_of(issuer.token()) == "good"
    assert issuer.fetches == 3
    issuer.keys["key-2"] = private_key("key-2")
    # Perhaps a new key: the client tries again.
    assert code_of(issuer.token("key-2")) == "issuer_unreachable"
    at(copies.MAX_OUTAGE_SECONDS)
    assert code_of(issuer.token()) == "issuer_unreachable"
    assert issuer.fetches == 3
    issuer.status, issuer.answer, issuer.is_dripping = 200, None, False
    at(copies.MAX_OUTAGE_SECONDS + copies.RETRY_INTERVAL_SECONDS)
    assert code_of(issuer.token()) == code_of(issuer.token("key-2")) == "good"


def test_a_function_without_keys_does_not_ask_a_failing_issuer_at_every_token(
    issuer: Issuer, at: Clock
) -> None:
    issuer.status = 500
    for n in range(5):
        assert shake_hands(issuer.token(), f"c{n}") == 503
    assert issuer.fetches == 1
    issuer.status = 200
    at(copies.RETRY_INTERVAL_SECONDS)
    assert shake_hands(issuer.token()) == 200


def test_an_issuer_that_cannot_be_reached_makes_connecting_unavailable(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    monkeypatch.setenv("VITRINA_TOKEN_JWKS_URL", "http://127.0.0.1:9/jwks")
    config.forget()
    assert code_of(issuer.token()) == "issuer_unreachable"
    assert shake_hands(issuer.token()) == 503
    [warning] = [
        line for line in map(json.loads, logged().splitlines()) if line["level"] == "WARNING"
    ]
    assert (warning["message"], warning["known"]) == ("keys not read", 0)
    assert "127.0.0.1" in warning["reason"]


def test_another_issuers_clock_may_be_half_a_minute_ahead(issuer: Issuer, at: Clock) -> None:
    now = time.time()
    assert code_of(issuer.token(iat=now + 29, nbf=now + 29, exp=int(now) + 90)) == "good"
    assert code_of(issuer.token(iat=now + 32, exp=int(now) + 90)) == "token_invalid"
    assert code_of(issuer.token(nbf=now + 32, exp=int(now) + 90)) == "token_invalid"
    assert code_of(issuer.token(iat=now - 60, exp=int(now))) == "token_expired"


def test_a_users_token_that_names_a_shop_shows_nothing_of_the_shop(issuer: Issuer) -> None:
    shop: dict[str, Any] = {"shop_id": 10, "shop_name": "Fashion Store"}
    user = auth.read(issuer.token(client_type="user", **shop))
    admin = auth.read(issuer.token(client_type="admin", shop_id="not a number"))
    assert [user.shop_id, user.shop_name, admin.shop_id] == [None, None, None]
    seller = issuer.token(client_type="shop", **shop)
    body = {"product_name": "Product", "description": "Description", "price": 1}
    submitted = call_products("POST", "/api/v1/products", body, token=seller)
    assert submitted.status == 201
    path = f"/api/v1/products/{submitted.body['product_id']}"
    assert call_products("GET", path, token=seller).status == 200
    for client_type in (ClientType.USER, ClientType.ADMIN):
        token = issuer.token(client_type=client_type, **shop)
        status = call_products("GET", path, token=token).status
        assert status == (404 if client_type is ClientType.USER else 200)


def test_a_deployment_with_another_issuer_issues_no_tokens(issuer: Issuer) -> None:
    body = {"email": "user@example.com", "password": "password"}
    token = issuer.token(sid="a session of the issuer's")
    answers = [
        call_login("POST", "/api/v1/auth/login", body),
        call_sessions("POST", "/api/v1/auth/refresh", {"refresh_token": "x"}),
        call_sessions("POST", "/api/v1/auth/logout", token=token),
        call_sessions("GET", "/api/v1/me/sessions", token=token),
        call_sessions("DELETE", "/api/v1/me/sessions", token=token),
        call_sessions("DELETE", f"/api/v1/me/sessions/{'A' * 22}", token=token),
        call_accounts(
            "GET",
            "/api/v1/admin/accounts",
            token=issuer.token(client_type="admin"),
            email="a@b.example",
        ),
    ]
    assert [(answer.status, answer.body["code"]) for answer in answers] == [
        (404, "issued_elsewhere")
    ] * len(answers)
    assert call_sessions("GET", "/api/v1/me", token=token).body == {"id": 42, "client_type": "user"}
    for table in ("platform", "sessions"):
        assert aws.dynamodb().scan(TableName=table)["Items"] == []


def test_another_issuers_accounts_are_disconnected_by_subject_and_type(
    issuer: Issuer, management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch, at: Clock
) -> None:
    monkeypatch.setenv("VITRINA_MANAGEMENT_URL", management_api.url)
    config.forget()
    phone, admin = issuer.token(), issuer.token(client_type="admin", sub="9")
    assert shake_hands(phone, "phone") == 200
    path = "/api/v1/admin/accounts/42/sessions"
    activity = call_accounts("GET", path, token=admin, client_type="user").body
    assert activity["sessions"] == []
    assert [each["connection_id"] for each in activity["connections"]] == ["phone"]
    assert disconnect(42, admin).body["closed"] == 1
    assert management_api.closed == ["phone"]
    assert (code_of(phone), code_of(admin)) == ("token_revoked", "good")
    [row] = [
        row
        for row in aws.dynamodb().scan(TableName="sessions")["Items"]
        if row["account"]["S"] == "user:42"
    ]
    assert "expires_at" not in row


def test_public_keys_and_a_secret_do_not_go_together() -> None:
    everything = config.current().model_dump()
    for wrong in (
        {"token_jwks_url": "https://id.example.com/jwks"},
        {"token_algorithm": "RS256"},
        {"token_account_claim": "account_id"},
        {"token_jwks_url": "http://id.example.com/jwks", "token_algorithm": "RS256"},
    ):
        with pytest.raises(ValueError, match="token_"):
            Config.model_validate(everything | wrong)
