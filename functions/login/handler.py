"""Login: an email and a password for a token; a token for a newer one."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field

from vitrina import accounts, attempts, auth, http_api, settings
from vitrina.accounts import Email

logger = Logger()
app = http_api.resolver()


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email
    # Not the rule for new passwords: what is too short is a wrong password, and no more is said.
    password: Annotated[str, Field(max_length=256)]


class Token(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int


@app.post(
    "/api/v1/auth/login",
    responses=http_api.answers("credentials_invalid", "issued_elsewhere", "too_many_attempts"),
)
def login(credentials: Annotated[Credentials, Body()]) -> Token:
    """Give a token for an email and a password."""
    auth.require_issuing()
    attempts.count(credentials.email)
    account = accounts.authenticate(credentials.email, credentials.password)
    attempts.forget(credentials.email)
    return _token(auth.issue(**account.model_dump(exclude={"email"})))


@app.post("/api/v1/auth/refresh", responses=http_api.answers("session_expired", "issued_elsewhere"))
def refresh(bearer: http_api.Bearer) -> Token:
    """Give a new token for one that is still valid, until the login is too long ago."""
    return _token(auth.refresh(bearer))


def _token(access_token: str) -> Token:
    return Token(access_token=access_token, expires_in=settings.current().token_lifetime_seconds)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http_api.handle(app, event, context)
