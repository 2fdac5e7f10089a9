"""Login with email and password."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from vitrina import (
    accounts,
    auth,
    door,
    http_api,
    login_attempts,
    logins,
    responses,
    sessions,
    trail,
)
from vitrina.accounts import Email
from vitrina.auth import Tokens
from vitrina.errors import Unauthorized
from vitrina.login_attempts import MAX_DEVICE_CHARACTERS
from vitrina.profiles import Profile
from vitrina.types import DeviceName

app = http_api.resolver()


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email
    # Not the rule for new passwords: a short password is refused like any wrong one.
    password: Annotated[str, Field(max_length=256)]
    # From an earlier login; an invalid one is ignored.
    device: Annotated[str, Field(max_length=MAX_DEVICE_CHARACTERS)] | None = None
    # The name of this session in the list of sessions.
    device_name: DeviceName | None = None


class LoggedIn(Tokens):
    account: Profile
    device: str
    """Send it with this device's next login."""


@app.post(
    "/api/v1/auth/login",
    responses=responses.describe(
        "credentials_invalid", "issued_elsewhere", "too_many_attempts", "busy"
    ),
)
def log_in(credentials: Annotated[Credentials, Body()]) -> LoggedIn:
    """Begin a session with an email and a password."""
    sessions.require_issuing()
    source = door.client_address(app.current_event.raw_event)
    attempt = login_attempts.begin(credentials.email, source, credentials.device)
    try:
        found = accounts.authenticate(credentials.email, credentials.password)
    except Unauthorized:
        login_attempts.failed(attempt)
        raise
    device = login_attempts.succeeded(attempt)
    granted = logins.begin(found, credentials.device_name)
    trail.note(actor=granted.row.account, session=granted.refresh_token.session_id)
    return LoggedIn(
        **auth.tokens(granted).model_dump(), account=Profile.of(found.account), device=device
    )


handler = http_api.handler(app)
