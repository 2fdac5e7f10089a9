"""Which tokens open the door, and which do not."""

import base64
import json
import time
from contextlib import suppress
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from harness import forged_tokens
from harness.deployment import KEY
from harness.tokens import claims
from vitrina import auth, keys, logins, refresh_tokens
from vitrina.channels import ClientType
from vitrina.config import Config
from vitrina.errors import Forbidden, Unauthorized
from vitrina.keys import Secret
from vitrina.session_rows import AccountRow, Eras

pytestmark = pytest.mark.usefixtures("configured")


def signed(key: Any = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm)


def segment(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def code_of(token: str | None) -> str:
    with pytest.raises(Unauthorized) as refused:
        auth.read(token)
    if token and len(token) > 30:
        assert token not in str(refused.value)
    return refused.value.code


def test_an_issued_token_is_valid_and_names_its_bearer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(time.time())
    monkeypatch.setattr(time, "time", lambda: now)
    row = AccountRow("shop:7", shop_id=10, shop_name="Лавка «Ёлка»")
    begun = refresh_tokens.new("shop:7")
    token = auth.issue(row, begun.session_id, logins.new_session(begun, Eras(3, 5)))
    identity = auth.read(token)
    assert (identity.account_id, identity.client_type) == (7, ClientType.SHOP)
    assert (identity.shop_id, identity.shop_name) == (10, "Лавка «Ёлка»")
    assert identity.expires_at == now + 3600
    assert (identity.session_id, identity.eras) == (begun.session_id, (3, 5))


def test_a_shop_is_known_by_its_shop_and_everyone_else_by_the_account() -> None:
    shop = auth.read(signed(client_type="shop", shop_id=10, shop_name="Fashion Store"))
    assert (shop.name, auth.read(signed()).name) == ("10", "42")


@pytest.mark.parametrize("token", [None, ""])
def test_a_missing_token_has_its_own_code(token: str | None) -> None:
    assert code_of(token) == "token_missing"


def test_an_expired_token_is_refused_with_its_own_code() -> None:
    assert code_of(signed(exp=int(time.time()) - 1)) == "token_expired"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "someone-else"},
        {"aud": "another-app"},
        {"client_type": "root"},
        {"sub": "not-a-number"},
        {"sub": "0"},
        {"client_type": "shop"},
        {"client_type": "shop", "shop_id": 10, "shop_name": "\u3164"},
        {"client_type": "shop", "shop_id": 10, "shop_name": "a\u202eb"},
        *({name: None} for name in auth.REQUIRED_CLAIMS),
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_or_missing_is_refused(changes: dict[str, Any]) -> None:
    assert code_of(signed(**changes)) == "token_invalid"


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_clocks_of_functions_may_differ_by_five_seconds(
    claim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int(time.time())
    monkeypatch.setattr(time, "time", lambda: now)
    ahead: dict[str, Any] = {claim: now + 4.9}
    auth.read(signed(**ahead))
    far_ahead: dict[str, Any] = {claim: now + 60}
    assert code_of(signed(**far_ahead)) == "token_invalid"


def test_a_token_ends_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(time.time())
    token = signed(exp=now + 1)
    monkeypatch.setattr(time, "time", lambda: now + 0.9)
    auth.read(token)
    monkeypatch.setattr(time, "time", lambda: now + 1)
    assert code_of(token) == "token_expired"


def test_a_users_token_has_no_shop() -> None:
    user = auth.read(signed(shop_id=10, shop_name="Fashion Store"))
    assert (user.shop_id, user.shop_name) == (None, None)


def test_a_forged_signature_is_refused() -> None:
    head, body, signature = signed().split(".")
    other = signed(client_type="admin").split(".")[1]
    assert code_of(f"{head}.{other}.{signature}") == "token_invalid"
    assert code_of(signed(key="x" * 64)) == "token_invalid"
    assert code_of(f"{head}.{body}.") == "token_invalid"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_a_token_without_an_algorithm_is_refused(algorithm: str) -> None:
    header = segment({"alg": algorithm, "typ": "JWT"})
    assert code_of(f"{header}.{segment(claims())}.") == "token_invalid"


def test_the_token_does_not_choose_the_algorithm() -> None:
    assert code_of(signed(algorithm="HS512")) == "token_invalid"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    assert code_of(signed(key=pem, algorithm="RS256")) == "token_invalid"


def test_a_key_shorter_than_32_bytes_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = signed(key="short")
    monkeypatch.setattr(keys, "signing", lambda: Secret("key-1", "short", created_at=0))
    with pytest.raises(jwt.InvalidKeyError):
        auth.read(token)


def codes_of(tokens: dict[str, str]) -> set[str]:
    """Return the codes of the refusals; a token that is accepted stands there by its name."""
    codes = set()
    for name, token in tokens.items():
        try:
            auth.read(token)
        except Unauthorized as refused:
            codes.add(refused.code)
        else:
            codes.add(f"accepted: {name}")
    return codes


def test_nobody_without_the_key_makes_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_read", lambda _: Secret("key-1", KEY, created_at=0))
    assert codes_of(forged_tokens.forged()) == {"token_invalid"}


def test_what_a_careless_issuer_signs_is_refused() -> None:
    assert codes_of(forged_tokens.careless(KEY)) == {"token_invalid"}


def test_a_token_has_one_spelling() -> None:
    token = signed()
    auth.read(token)
    assert codes_of(forged_tokens.respelled(token)) == {"token_invalid"}


def test_the_last_of_equal_claims_counts_as_rfc_7519_allows() -> None:
    payload = json.dumps(claims()).replace("{", '{"sub": "1", "client_type": "admin", ', 1)
    identity = auth.read(forged_tokens.serialize({"alg": "HS256"}, payload.encode(), KEY))
    assert (identity.account_id, identity.client_type) == (42, ClientType.USER)


@hypothesis_settings(max_examples=3 * hypothesis_settings().max_examples)
@given(
    strategies.text(min_size=1, max_size=6000)
    | strategies.text(strategies.characters(categories=["Cs", "Ll"]), min_size=1)
)
def test_any_text_is_refused_and_never_breaks_anything(text: str) -> None:
    assert code_of(text) == "token_invalid"


@given(
    strategies.dictionaries(
        strategies.sampled_from([*auth.REQUIRED_CLAIMS, "shop_id", "shop_name", "nbf"]),
        strategies.none()
        | strategies.integers()
        | strategies.text()
        | strategies.lists(strategies.text()),
    )
)
def test_signed_claims_of_any_shape_never_break_anything(changes: dict[str, Any]) -> None:
    header = segment({"alg": "HS256", "typ": "JWT"})
    unsigned = f"{header}.{segment(claims() | changes)}"
    signature = jwt.get_algorithm_by_name("HS256").sign(unsigned.encode(), KEY.encode())
    token = f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    with suppress(Unauthorized):
        auth.read(token)


def test_another_type_of_client_is_forbidden(configured: Config) -> None:
    user = auth.read(signed())
    user.require(ClientType.USER)
    with pytest.raises(Forbidden) as refused:
        user.require(ClientType.ADMIN)
    assert refused.value.code == "client_type_forbidden"
