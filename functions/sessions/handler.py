"""A client's own sessions: refresh, log out, list, end."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from vitrina import (
    auth,
    closing,
    http_api,
    profiles,
    refreshing,
    responses,
    sessions,
    trail,
)
from vitrina.auth import Identity, Tokens
from vitrina.profiles import Profile, SessionProfile
from vitrina.types import MAX_TOKEN_CHARACTERS

app = http_api.resolver()


class Refresh(BaseModel):
    model_config = ConfigDict(extra="forbid")

    # Long enough for an access token sent by mistake, which is refused as invalid.
    refresh_token: Annotated[str, Field(max_length=MAX_TOKEN_CHARACTERS)]


class OwnSessions(BaseModel):
    sessions: list[SessionProfile]


@app.post(
    "/api/v1/auth/refresh",
    responses=responses.describe(
        "refresh_token_invalid",
        "refresh_token_reused",
        "session_ended",
        "session_expired",
        "issued_elsewhere",
        "busy",
    ),
)
def refresh_session(body: Annotated[Refresh, Body()]) -> Tokens:
    """Exchange a refresh token for an access token and the next refresh token."""
    sessions.require_issuing()
    return auth.tokens(refreshing.refresh(body.refresh_token))


@app.post(
    "/api/v1/auth/logout",
    responses=responses.describe("issued_elsewhere", "busy", done=HTTPStatus.NO_CONTENT),
)
def log_out(bearer: http_api.FormerBearer) -> Response[str]:
    """End the session of an access token, and close its connections.

    The response is the same if the session has already ended.
    """
    return _end(bearer, bearer.session_id)


@app.get("/api/v1/me", responses=responses.describe())
def get_own_account(bearer: http_api.Bearer) -> Profile:
    """Read the caller's account."""
    row = sessions.read(bearer.session.account).row
    return Profile(
        id=bearer.account_id,
        client_type=bearer.client_type,
        email=row.email,
        shop_id=bearer.shop_id,
        shop_name=bearer.shop_name,
    )


@app.get("/api/v1/me/sessions", responses=responses.describe("issued_elsewhere"))
def list_own_sessions(bearer: http_api.Bearer) -> OwnSessions:
    """List the account's sessions, the one used last first."""
    sessions.require_issuing()
    snapshot = sessions.read(bearer.session.account)
    return OwnSessions(sessions=profiles.of_sessions(snapshot, bearer.session_id))


@app.delete(
    "/api/v1/me/sessions",
    responses=responses.describe("issued_elsewhere", "busy", done=HTTPStatus.NO_CONTENT),
)
def end_own_sessions(bearer: http_api.Bearer) -> Response[str]:
    """End all sessions of the account, this one too, and close their connections."""
    sessions.require_issuing()
    closing.disconnect(bearer.client_type, bearer.account_id)
    return http_api.no_content()


@app.delete(
    "/api/v1/me/sessions/<session_id>",
    responses=responses.describe("issued_elsewhere", "busy", done=HTTPStatus.NO_CONTENT),
)
def end_own_session(session_id: http_api.PathSessionId, bearer: http_api.Bearer) -> Response[str]:
    """End a session of the account, and close its connections.

    The response is the same if the session has already ended.
    """
    return _end(bearer, session_id)


def _end(bearer: Identity, session_id: str | None) -> Response[str]:
    sessions.require_issuing()
    if session_id:  # tokens of an earlier version have none
        trail.note(session=session_id)
        closing.end_session(bearer.client_type, bearer.account_id, session_id)
    return http_api.no_content()


handler = http_api.handler(app)
