"""Login with email and password, and refresh of tokens."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from vitrina import accounts, auth, config, door, http_api, login_attempts, responses, trail
from vitrina.accounts import Email
from vitrina.errors import Unauthorized
from vitrina.login_attempts import MAX_DEVICE_CHARACTERS

app = http_api.resolver()


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email
    # Not the rule for new passwords: a short password is wrong, and the answer says no more.
    password: Annotated[str, Field(max_length=256)]
    # Of an earlier login; an invalid one counts as none.
    device: Annotated[str, Field(max_length=MAX_DEVICE_CHARACTERS)] | None = None


class Token(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int


class LoggedIn(Token):
    device: str
    """To be sent with this device's next login."""


@app.post(
    "/api/v1/auth/login",
    responses=responses.describe("credentials_invalid", "issued_elsewhere", "too_many_attempts"),
)
def login(credentials: Annotated[Credentials, Body()]) -> LoggedIn:
    """Exchange an email and a password for a token."""
    auth.require_issuing()
    source = door.client_address(app.current_event.raw_event)
    attempt = login_attempts.begin(credentials.email, source, credentials.device)
    try:
        account, eras = accounts.authenticate(credentials.email, credentials.password)
    except Unauthorized:
        login_attempts.failed(attempt)
        raise
    device = login_attempts.succeeded(attempt)
    trail.note(actor=f"{account.client_type}:{account.account_id}")
    token = _token(auth.issue(**account.model_dump(exclude={"email"}), eras=eras))
    return LoggedIn(**token.model_dump(), device=device)


@app.post(
    "/api/v1/auth/refresh", responses=responses.describe("session_expired", "issued_elsewhere")
)
def refresh(bearer: http_api.Bearer) -> Token:
    """Exchange a valid token for a newer one, until its login is too old."""
    return _token(auth.refresh(bearer))


def _token(access_token: str) -> Token:
    return Token(access_token=access_token, expires_in=config.current().token_lifetime_seconds)


handler = http_api.handler(app)
