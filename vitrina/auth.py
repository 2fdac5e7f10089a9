"""Access tokens: issue, verify."""

import math
import time
from typing import Annotated, Any, Literal, Self

import jwt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from vitrina import config, keys, session_rows, sessions
from vitrina.channels import ClientType
from vitrina.errors import Forbidden, Unauthorized
from vitrina.session_rows import NO_ERAS, AccountRow, Eras, Granted, StoredSession
from vitrina.sessions import Session
from vitrina.types import (
    MAX_SAFE_INTEGER,
    MAX_TOKEN_CHARACTERS,
    SESSION_ID_PATTERN,
    Id,
    Number,
    ShopName,
    Timestamp,
)

REQUIRED_CLAIMS = ["exp", "iat", "sub", "iss", "aud", "client_type"]
LEEWAY_SECONDS = 5
"""How far the clock of the function that issued a token may be ahead of this one."""
ISSUER_LEEWAY_SECONDS = 30
"""The same for another issuer's clock."""


def _require_one_spelling(value: object) -> object:
    is_number = type(value) is int
    is_text = isinstance(value, str) and value.isascii() and value.isdigit() and value[0] != "0"
    if not (is_number or is_text):
        raise ValueError("expected digits")
    return value


# pydantic would take "042", "+42", " 42 ", 42.0 and true as well. For another issuer "042" and "42"
# may be two accounts.
ClaimedId = Annotated[Id, BeforeValidator(_require_one_spelling)]
ClaimedTime = Annotated[Timestamp, Number]


class Identity(BaseModel):
    """The bearer of a valid token."""

    model_config = ConfigDict(frozen=True)

    account_id: ClaimedId = Field(alias="sub")
    client_type: ClientType
    shop_id: ClaimedId | None = None
    shop_name: ShopName | None = None
    issued_at: ClaimedTime = Field(alias="iat")
    expires_at: Annotated[int, Field(gt=0, le=MAX_SAFE_INTEGER), Number] = Field(alias="exp")
    """When the token ends, in seconds since 1970."""
    logged_in_at: ClaimedTime | None = Field(default=None, alias="auth_time")
    """When the password was given; refreshed tokens keep it."""
    session_id: Annotated[str, Field(pattern=SESSION_ID_PATTERN)] | None = Field(
        default=None, alias="sid"
    )
    eras: Eras = Field(default=NO_ERAS, alias="era")
    """Of the account and of everyone, as they were at the login; refreshed tokens keep them."""

    @model_validator(mode="after")
    def _logs_in_before_it_is_issued(self) -> Self:
        # Two functions with different clocks may have set them.
        if (self.logged_in_at or 0) > self.issued_at + ISSUER_LEEWAY_SECONDS:
            raise ValueError("auth_time is later than iat")
        return self

    @model_validator(mode="before")
    @classmethod
    def _others_have_no_shop(cls, claims: dict[str, Any]) -> dict[str, Any]:
        # Another issuer may name a shop in anyone's token; its products are for tokens of the shop.
        if claims.get("client_type") == ClientType.SHOP:
            return claims
        return {**claims, "shop_id": None, "shop_name": None}

    @model_validator(mode="after")
    def _shops_have_a_shop(self) -> Self:
        if self.client_type is ClientType.SHOP and not (self.shop_id and self.shop_name):
            raise ValueError("the token of a shop needs shop_id and shop_name")
        return self

    @property
    def name(self) -> str:
        """The identity within its type, as in the channels `user:42` and `shop:10`."""
        return str(self.shop_id if self.client_type is ClientType.SHOP else self.account_id)

    @property
    def own_channel(self) -> str:
        """The channel of the identity, such as `user:42`."""
        return f"{self.client_type}:{self.name}"

    @property
    def session(self) -> Session:
        return Session(
            session_rows.name(self.client_type, self.account_id),
            self.session_id,
            self.eras,
            self.shop_id,
            began_at=self.logged_in_at or self.issued_at,
        )

    def require(self, client_type: ClientType) -> None:
        """Raise Forbidden unless this is that type of client."""
        if self.client_type is not client_type:
            raise Forbidden(
                "client_type_forbidden",
                f"This needs a token of type {client_type}, and yours is of type "
                f"{self.client_type}.",
            )


class Tokens(BaseModel):
    """The tokens that a login or a refresh returns."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - no password
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    """When the session ends unless it is used; both in seconds."""


def tokens(granted: Granted) -> Tokens:
    """Return the tokens of a session that has begun or is refreshed."""
    return Tokens(
        access_token=issue(granted.row, granted.refresh_token.session_id, granted.session),
        expires_in=config.current().token_lifetime_seconds,
        refresh_token=str(granted.refresh_token),
        refresh_expires_in=granted.session.expires_at - int(time.time()),
    )


def issue(account: AccountRow, session_id: str, session: StoredSession) -> str:
    """Return a signed access token of a session, valid for `token_lifetime_seconds`.

    Raises NotFound `issued_elsewhere`.
    """
    sessions.require_issuing()
    here = config.current()
    now = math.floor(time.time() * 1000) / 1000
    claims: dict[str, Any] = {
        "sub": str(account.account_id),
        "client_type": account.client_type,
        "shop_id": account.shop_id,
        "shop_name": account.shop_name,
        "iat": now,
        "exp": int(now) + here.token_lifetime_seconds,
        "auth_time": session.created_at,
        "sid": session_id,
        "era": session.eras,
        "iss": here.token_issuer,
        "aud": here.token_audience,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    key = keys.signing()
    return jwt.encode(
        present, key.value, algorithm=here.token_algorithm, headers={"kid": key.key_id}
    )


def verify(token: str | None) -> Identity:
    """Return the identity of a valid token whose session has not ended.

    Raises what `read` raises, and Unauthorized `token_revoked`.
    """
    identity = read(token)
    sessions.require_alive(identity.session)
    return identity


def read(token: str | None) -> Identity:
    """Return the identity of a valid token, whose session may have ended.

    Raises Unauthorized `token_missing`, `token_expired` or `token_invalid`, whose detail never
    repeats the token. Raises Unavailable `issuer_unreachable`, and jwt's InvalidKeyError when the
    signing key is too short.
    """
    if not token:
        raise Unauthorized("token_missing", "A token is needed.")
    # PyJWT accepts padding, which RFC 7515 excludes: one token would have several spellings.
    if len(token) > MAX_TOKEN_CHARACTERS or "=" in token:
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
            leeway=ISSUER_LEEWAY_SECONDS if here.token_jwks_url else LEEWAY_SECONDS,
        )
        if here.token_jwks_url:
            # Only this service's own tokens have these; the issuer's `sid` means something else.
            claims = {name: claims[name] for name in claims.keys() - {"era", "sid"}}
            claims["sub"] = claims.get(here.token_account_claim)
        identity = Identity.model_validate(claims)
        # PyJWT's leeway is for `iat`, `nbf` and `exp`, and a token ends on time.
        if identity.expires_at <= time.time():
            raise jwt.ExpiredSignatureError  # noqa: TRY301 - handled with PyJWT's own
    except jwt.ExpiredSignatureError:
        raise Unauthorized("token_expired", "The token has expired.") from None
    # ValueError: a claim breaks a rule of `Identity`, or the token is not text.
    except (jwt.InvalidTokenError, ValueError):
        raise Unauthorized("token_invalid", "The token is not valid.") from None
    return identity
