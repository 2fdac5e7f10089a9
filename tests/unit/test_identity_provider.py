"""The identity provider of docs/security.md: its trigger makes tokens that are valid."""

import json
import time
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from harness import deployment
from infra.cdk import stages
from tests.guide import pages
from vitrina import auth, keys
from vitrina.auth import Identity
from vitrina.channels import ClientType
from vitrina.errors import Unauthorized

PAGE = pages.ROOT / "docs/security.md"
ACCOUNT = {"custom:account_id": "42"}
SHOP = {"custom:shop_id": "10", "custom:shop_name": "Лавка «Ёлка»"}
# What a trigger cannot change of an access token, by Cognito's documentation.
FIXED = {
    *("acr", "amr", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat", "iss"),
    *("jti", "nbf", "nonce", "origin_jti", "sub", "token_use", "username", "version"),
}


@cache
def options() -> dict[str, str]:
    """Return the stage's options of the page."""
    found: dict[str, str] = json.loads(pages.block(PAGE, "file", "cdk.json"))
    return found


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(autouse=True)
def _provider(monkeypatch: pytest.MonkeyPatch, key: rsa.RSAPrivateKey) -> None:
    """Trust the pool as the page says, and let it publish its key."""
    deployment.configure(monkeypatch, **options())
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    published = {"keys": [public | {"kid": "1", "alg": "RS256", "use": "sig"}]}
    addresses = {options()["token_jwks_url"]: json.dumps(published).encode()}
    monkeypatch.setattr(keys, "_fetch", addresses.__getitem__)


def trigger(event: dict[str, Any]) -> dict[str, Any]:
    program: dict[str, Any] = {}
    exec(pages.block(PAGE, "file", "cognito_claims.py"), program)  # noqa: S102 - of the page
    changed: dict[str, Any] = program["handler"](event, None)
    return changed


def claims_of(attributes: dict[str, str], groups: list[str] | None) -> dict[str, Any]:
    """Return the claims of an access token that a pool makes."""
    now = int(time.time())
    own: dict[str, Any] = {
        "sub": "b3c4a872-8041-70b5-2f0a-7f1d3cde9a10",
        "iss": options()["token_issuer"],
        "client_id": options()["token_audience"],
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": now - 60,
        "iat": now,
        "exp": now + 3600,
        "username": "b3c4a872-8041-70b5-2f0a-7f1d3cde9a10",
    }
    event = {
        "version": "2",
        "triggerSource": "TokenGeneration_Authentication",
        "callerContext": {"awsSdkVersion": "1", "clientId": own["client_id"]},
        "request": {
            "userAttributes": {"sub": own["sub"], "email": "a@b.example"} | attributes,
            "groupConfiguration": {"groupsToOverride": groups, "preferredRole": None},
            "scopes": [own["scope"]],
        },
        "response": {"claimsAndScopeOverrideDetails": None},
    }
    details = trigger(event)["response"]["claimsAndScopeOverrideDetails"]
    added: dict[str, Any] = details["accessTokenGeneration"]["claimsToAddOrOverride"]
    assert not FIXED & {*added}
    assert added["aud"] == own["client_id"]
    return own | added


def read(key: rsa.RSAPrivateKey, claims: dict[str, Any]) -> Identity:
    return auth.read(jwt.encode(claims, key, "RS256", headers={"kid": "1"}))


@pytest.mark.parametrize(
    ("groups", "client_type", "name"),
    [
        (None, ClientType.USER, "42"),
        (["newsletter"], ClientType.USER, "42"),
        (["shop"], ClientType.SHOP, "10"),
        (["shop", "admin"], ClientType.ADMIN, "42"),
    ],
)
def test_a_token_of_the_example_is_valid(
    key: rsa.RSAPrivateKey, groups: list[str] | None, client_type: ClientType, name: str
) -> None:
    identity = read(key, claims_of(ACCOUNT | SHOP, groups))
    assert (identity.account_id, identity.client_type, identity.name) == (42, client_type, name)
    assert identity.session.began_at == identity.issued_at - 60


def test_nobody_chooses_a_type_by_an_attribute(key: rsa.RSAPrivateKey) -> None:
    own = {"custom:client_type": "admin", "client_type": "admin"}
    assert read(key, claims_of(ACCOUNT | own, [])).client_type is ClientType.USER


@pytest.mark.parametrize(("attributes", "groups"), [({}, []), (ACCOUNT, ["shop"])])
def test_without_a_number_or_a_shop_there_is_no_token(
    attributes: dict[str, str], groups: list[str]
) -> None:
    with pytest.raises(KeyError, match="custom:"):
        claims_of(attributes, groups)


@pytest.mark.parametrize(
    "change",
    [
        {"account_id": None},
        {"account_id": "042"},
        {"account_id": "b3c4a872"},
        {"aud": "another app client"},
        {"client_type": None},
        {"iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_OTHER"},
    ],
    ids=str,
)
def test_a_token_without_what_the_trigger_adds_is_refused(
    key: rsa.RSAPrivateKey, change: dict[str, Any]
) -> None:
    claims = claims_of(ACCOUNT, []) | change
    with pytest.raises(Unauthorized, match="not valid"):
        read(key, {name: value for name, value in claims.items() if value is not None})


def test_a_stage_accepts_the_options() -> None:
    stage = stages.choose({"stage": "prod", "prod": options()}.get)
    assert options().items() <= stage.policy().items()
