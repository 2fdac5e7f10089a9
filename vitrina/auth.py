"""Tokens: who may come in, and as whom."""

import time
from functools import lru_cache
from typing import Annotated, Any, Self

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vitrina import aws, settings
from vitrina.channels import ClientType
from vitrina.errors import Forbidden, Unauthenticated

# Fixed here and never read from the token, so that neither `alg: none` nor a key of another kind
# can be talked into a verification (RFC 8725, section 3.1).
ALGORITHM = "HS256"
REQUIRED_CLAIMS = ["exp", "iat", "sub", "iss", "aud", "client_type"]
LONGEST_TOKEN = 4096
KEY_KEPT_SECONDS = 300

Id = Annotated[int, Field(ge=1, le=2**53 - 1)]
"""Ids stay within what JavaScript's numbers hold exactly."""


class Identity(BaseModel):
    """The bearer of a valid token."""

    model_config = ConfigDict(frozen=True)

    account_id: Id = Field(alias="sub")
    client_type: ClientType
    shop_id: Id | None = None
    shop_name: str | None = None
    expires_at: int = Field(alias="exp")
    """When the token ends, in seconds since 1970."""

    @model_validator(mode="after")
    def _a_shop_says_which(self) -> Self:
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


def issue(
    *,
    account_id: int,
    client_type: ClientType,
    shop_id: int | None = None,
    shop_name: str | None = None,
) -> str:
    """Return a signed token for an account, good for `token_lifetime_seconds`."""
    here = settings.current()
    now = int(time.time())
    claims: dict[str, Any] = {
        "sub": str(account_id),
        "client_type": client_type,
        "shop_id": shop_id,
        "shop_name": shop_name,
        "iat": now,
        "exp": now + here.token_lifetime_seconds,
        "iss": here.token_issuer,
        "aud": here.token_audience,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, _signing_key(), algorithm=ALGORITHM)


def verify(token: str | None) -> Identity:
    """Return who a token speaks for.

    Raises Unauthenticated with the code `token_missing`, `token_expired` or `token_invalid`; the
    sentence never repeats the token.
    """
    if not token:
        raise Unauthenticated("token_missing", "A token is needed.")
    if len(token) > LONGEST_TOKEN:
        raise Unauthenticated("token_invalid", "The token is not valid.")
    here = settings.current()
    try:
        claims = jwt.decode(
            token,
            _signing_key(),
            algorithms=[ALGORITHM],
            issuer=here.token_issuer,
            audience=here.token_audience,
            options={"require": REQUIRED_CLAIMS, "enforce_minimum_key_length": True},
        )
        return Identity.model_validate(claims)
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("token_expired", "The token has expired.") from None
    except (jwt.InvalidTokenError, ValidationError):
        raise Unauthenticated("token_invalid", "The token is not valid.") from None


def _signing_key() -> str:
    return _signing_key_during(int(time.time() // KEY_KEPT_SECONDS))


@lru_cache(maxsize=1)
def _signing_key_during(_period: int) -> str:
    """Return the key from Secrets Manager; one call a period, not one a connection."""
    secret = aws.secretsmanager().get_secret_value(SecretId=settings.current().signing_key_secret)
    return secret["SecretString"]
