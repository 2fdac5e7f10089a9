"""Accounts: disconnect one."""

from pydantic import BaseModel

from vitrina import admission, closing, http_api, responses

app = http_api.resolver()


class Disconnected(BaseModel):
    account_id: int
    closed: int
    """Connections that were open."""


@app.post("/api/v1/admin/accounts/<account_id>/disconnect", responses=responses.describe())
def disconnect(account_id: http_api.PathId, _admin: http_api.Admin) -> Disconnected:
    """Refuse the account's present tokens, and close its connections."""
    closed = admission.disconnect(account_id, closing.close_account)
    return Disconnected(account_id=account_id, closed=closed)


handler = http_api.handler(app)
