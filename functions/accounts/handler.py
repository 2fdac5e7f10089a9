"""Accounts: disconnect one."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel

from vitrina import admission, closing, http_api, responses
from vitrina.types import Id

app = http_api.resolver()


class Disconnected(BaseModel):
    account_id: int
    closed: int
    """Connections that are closed now. Others get no more events, and are closed by the sweep."""


@app.post("/api/v1/admin/accounts/<account_id>/disconnect", responses=responses.describe())
def disconnect(account_id: Annotated[Id, Path()], _admin: http_api.Admin) -> Disconnected:
    """Refuse the account's present tokens, and close its connections."""
    closed = admission.disconnect(account_id, closing.close_account)
    return Disconnected(account_id=account_id, closed=closed)


handler = http_api.handler(app)
