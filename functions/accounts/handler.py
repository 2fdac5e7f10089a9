"""Accounts: disconnect one."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel

from vitrina import admission, closing, http_api, responses
from vitrina.channels import ClientType

app = http_api.resolver()


class Disconnected(BaseModel):
    account_id: int
    closed: int
    """Connections that are closed now. Others get no more events, and are closed by the sweep."""


@app.post("/api/v1/admin/accounts/<account_id>/disconnect", responses=responses.describe())
def disconnect(
    account_id: http_api.PathId,
    _admin: http_api.Admin,
    client_type: Annotated[ClientType | None, Query()] = None,
) -> Disconnected:
    """Refuse the account's present tokens, and close its connections.

    Numbers of another issuer's accounts may repeat among client types: `client_type` names one.
    """
    closed = sum(
        admission.disconnect(each, account_id, closing.close_account)
        for each in ([client_type] if client_type else ClientType)
    )
    return Disconnected(account_id=account_id, closed=closed)


handler = http_api.handler(app)
