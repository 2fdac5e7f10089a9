"""Accounts, for administrators: find one, see its sessions and connections, end them."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel

from vitrina import (
    accounts,
    closing,
    http_api,
    profiles,
    responses,
    session_rows,
    sessions,
    subscriptions,
    trail,
)
from vitrina.accounts import Email
from vitrina.channels import ClientType
from vitrina.profiles import ConnectionProfile, Profile, SessionProfile

app = http_api.resolver()

# Another issuer may give the same number to accounts of two client types; this selects one.
OfType = Annotated[ClientType | None, Query()]


class Activity(BaseModel):
    sessions: list[SessionProfile]
    connections: list[ConnectionProfile]


class Disconnected(BaseModel):
    account_id: int
    closed: int
    """Connections that were closed. The others get no more events; the sweep closes them."""


@app.get(
    "/api/v1/admin/accounts",
    responses=responses.describe("account_not_found", "issued_elsewhere"),
)
def find_account(email: Annotated[Email, Query()], _admin: http_api.Admin) -> Profile:
    """Find the account of an email address."""
    sessions.require_issuing()
    return Profile.of(accounts.find(email))


@app.get("/api/v1/admin/accounts/<account_id>/sessions", responses=responses.describe())
def list_account_sessions(
    account_id: http_api.PathId, admin: http_api.Admin, client_type: OfType = None
) -> Activity:
    """List the sessions and the open connections of an account.

    `client_type` selects one of several accounts with this number; only another issuer has such.
    """
    snapshots = [sessions.read(session_rows.name(each, account_id)) for each in _types(client_type)]
    opened = [
        each
        for row, _ in snapshots
        for each in subscriptions.of_account(row.client_type, account_id, row.shop_id)
    ]
    living = [
        each for snapshot in snapshots for each in profiles.of_sessions(snapshot, admin.session_id)
    ]
    return Activity(sessions=living, connections=profiles.of_connections(opened))


@app.delete(
    "/api/v1/admin/accounts/<account_id>/sessions/<session_id>",
    responses=responses.describe("busy", done=HTTPStatus.NO_CONTENT),
)
def end_account_session(
    account_id: http_api.PathId, session_id: http_api.PathSessionId, _admin: http_api.Admin
) -> Response[str]:
    """End a session of an account, and close its connections.

    The response is the same if the session has already ended.
    """
    trail.note(session=session_id)
    for each in ClientType:
        closing.end_session(each, account_id, session_id)
    return http_api.no_content()


@app.post("/api/v1/admin/accounts/<account_id>/disconnect", responses=responses.describe("busy"))
def disconnect_account(
    account_id: http_api.PathId, _admin: http_api.Admin, client_type: OfType = None
) -> Disconnected:
    """Refuse the account's present tokens, and close its connections.

    `client_type` selects one of several accounts with this number; only another issuer has such.
    """
    closed = sum(closing.disconnect(each, account_id) for each in _types(client_type))
    return Disconnected(account_id=account_id, closed=closed)


def _types(client_type: ClientType | None) -> list[ClientType]:
    return [client_type] if client_type else list(ClientType)


handler = http_api.handler(app)
