"""Accounts: an admin disconnects one."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from vitrina import auth, closing, http_api
from vitrina.auth import Id

logger = Logger()
app = http_api.resolver()


class Disconnected(BaseModel):
    account_id: int
    closed: int
    """Connections that were open."""


@app.post("/api/v1/admin/accounts/<account_id>/disconnect", responses=http_api.answers())
def disconnect(account_id: Annotated[Id, Path()], _admin: http_api.Admin) -> Disconnected:
    """Refuse the tokens that the account has, and close its connections, in this order.

    Whoever connects meanwhile is either found, or finds itself revoked.
    """
    auth.revoke(account_id)
    return Disconnected(account_id=account_id, closed=closing.close_account(account_id))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http_api.handle(app, event, context)
