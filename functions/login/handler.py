"""Login with email and password, and refresh of tokens."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from vitrina import accounts, auth, config, failed_logins, http_api, responses
from vitrina.accounts import Email

app = http_api.resolver()


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email
    # Not the rule for new passwords: a short password is wrong, and the answer says no more.
    password: Annotated[str, Field(max_length=256)]


class Token(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int


@app.post(
    "/api/v1/auth/login",
    responses=responses.describe("credentials_invalid", "issued_elsewhere", "too_many_attempts"),
)
def login(credentials: Annotated[Credentials, Body()]) -> Token:
    """Exchange an email and a password for a token."""
    auth.require_issuing()
    failed_logins.count(credentials.email)
    account, eras = accounts.authenticate(credentials.email, credentials.password)
    failed_logins.forget(credentials.email)
    return _token(auth.issue(**account.model_dump(exclude={"email"}), eras=eras))


@app.post(
    "/api/v1/auth/refresh", responses=responses.describe("session_expired", "issued_elsewhere")
)
def refresh(bearer: http_api.Bearer) -> Token:
    """Exchange a valid token for a newer one, until its login is too old."""
    return _token(auth.refresh(bearer))


def _token(access_token: str) -> Token:
    return Token(access_token=access_token, expires_in=config.current().token_lifetime_seconds)


handler = http_api.handler(app)
