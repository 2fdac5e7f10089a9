"""Tokens of clients: issue, verify, refresh, revoke."""

import math
import time
from typing import Annotated, Any, Self

import jwt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from vitrina import aws, config, keys
from vitrina.channels import ClientType
from vitrina.errors import Forbidden, NotFound, Unauthorized
from vitrina.types import MAX_SAFE_INTEGER, MAX_TOKEN_CHARACTERS, Id, ShopName, Timestamp

REQUIRED_CLAIMS = ["exp", "iat", "sub", "iss", "aud", "client_type"]


class Identity(BaseModel):
    """The bearer of a valid token."""

    model_config = ConfigDict(frozen=True)

    account_id: Id = Field(alias="sub")
    client_type: ClientType
    shop_id: Id | None = None
    shop_name: ShopName | None = None
    issued_at: Timestamp = Field(alias="iat")
    expires_at: Annotated[int, Field(gt=0, le=MAX_SAFE_INTEGER)] = Field(alias="exp")
    """When the token ends, in seconds since 1970."""
    logged_in_at: Timestamp | None = Field(default=None, alias="auth_time")
    """When the password was given; refreshed tokens keep it."""

    @model_validator(mode="after")
    def _shops_have_a_shop(self) -> Self:
        if self.client_type is ClientType.SHOP and not (self.shop_id and self.shop_name):
            raise ValueError("the token of a shop needs shop_id and shop_name")
        return self

    @property
    def name(self) -> str:
        """The identity within its type, as in the channels `user:42` and `shop:10`."""
        return str(self.shop_id if self.client_type is ClientType.SHOP else self.account_id)

    def require(self, client_type: ClientType) -> None:
        """Raise Forbidden unless this is that type of client."""
        if self.client_type is not client_type:
            raise Forbidden(
                "client_type_forbidden",
                f"This needs a token of type {client_type}, and yours is of type "
                f"{self.client_type}.",
            )


def require_issuing() -> None:
    """Raise NotFound `issued_elsewhere` when tokens come from another issuer."""
    here = config.current()
    if here.token_jwks_url:
        raise NotFound("issued_elsewhere", f"Tokens come from {here.token_issuer}.")


def issue(
    *,
    account_id: int,
    client_type: ClientType,
    shop_id: int | None = None,
    shop_name: str | None = None,
    logged_in_at: float | None = None,
) -> str:
    """Return a signed token for an account, valid for `token_lifetime_seconds`.

    Raises NotFound `issued_elsewhere`.
    """
    require_issuing()
    here = config.current()
    # In milliseconds, so that a token issued right after a revocation is valid.
    now = math.floor(time.time() * 1000) / 1000
    claims: dict[str, Any] = {
        "sub": str(account_id),
        "client_type": client_type,
        "shop_id": shop_id,
        "shop_name": shop_name,
        "iat": now,
        "exp": int(now) + here.token_lifetime_seconds,
        "auth_time": logged_in_at or now,
        "iss": here.token_issuer,
        "aud": here.token_audience,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    key = keys.signing()
    return jwt.encode(
        present, key.value, algorithm=here.token_algorithm, headers={"kid": key.key_id}
    )


def refresh(identity: Identity) -> str:
    """Return a new token for the bearer of a valid one.

    Raises Unauthorized `session_expired` when the login is older than `session_lifetime_seconds`,
    and NotFound `issued_elsewhere`.
    """
    logged_in_at = identity.logged_in_at or identity.issued_at
    if logged_in_at + config.current().session_lifetime_seconds <= time.time():
        raise Unauthorized("session_expired", "The login is too long ago; log in again.")
    return issue(
        account_id=identity.account_id,
        client_type=identity.client_type,
        shop_id=identity.shop_id,
        shop_name=identity.shop_name,
        logged_in_at=logged_in_at,
    )


def verify(token: str | None) -> Identity:
    """Return the identity of a valid token that is not revoked.

    Raises what `read` and `require_unrevoked` raise.
    """
    identity = read(token)
    require_unrevoked(identity)
    return identity


def read(token: str | None) -> Identity:
    """Return the identity of a valid token, without looking for a revocation.

    Raises Unauthorized `token_missing`, `token_expired` or `token_invalid`, whose detail never
    repeats the token. Raises Unavailable `issuer_unreachable`, and jwt's InvalidKeyError when the
    signing key is too short.
    """
    if not token:
        raise Unauthorized("token_missing", "A token is needed.")
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise Unauthorized("token_invalid", "The token is not valid.")
    here = config.current()
    try:
        claims = jwt.decode(
            token,
            keys.verifying(token),
            # Never read from the token: `alg: none` or a key of another kind must not verify it
            # (RFC 8725, section 3.1).
            algorithms=[here.token_algorithm],
            issuer=here.token_issuer,
            audience=here.token_audience,
            options={"require": REQUIRED_CLAIMS, "enforce_minimum_key_length": True},
        )
        return Identity.model_validate(claims)
    except jwt.ExpiredSignatureError:
        raise Unauthorized("token_expired", "The token has expired.") from None
    # ValueError: a claim breaks a rule of `Identity`, or the token is not text.
    except (jwt.InvalidTokenError, ValueError):
        raise Unauthorized("token_invalid", "The token is not valid.") from None


def revoke(account_id: int) -> None:
    """Refuse every token of an account that was issued up to now."""
    row = {"name": _account(account_id), "tokens_valid_after": _milliseconds(time.time())}
    aws.dynamodb().put_item(TableName=config.current().platform_table, Item=aws.to_item(row))


def require_unrevoked(identity: Identity) -> None:
    """Raise Unauthorized `token_revoked` for a token older than its account's revocation."""
    found = aws.dynamodb().get_item(
        TableName=config.current().platform_table,
        Key={"name": {"S": _account(identity.account_id)}},
        ConsistentRead=True,
    )
    row = aws.from_item(found.get("Item", {}))
    if _milliseconds(identity.issued_at) <= row.get("tokens_valid_after", 0):
        raise Unauthorized("token_revoked", "The token was revoked; log in again.")


def _account(account_id: int) -> str:
    return f"account#{account_id}"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
