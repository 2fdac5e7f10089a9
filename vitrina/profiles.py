"""Profiles: the public fields of an account, its sessions and its connections."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, Field

from vitrina.channels import ClientType
from vitrina.sessions import Snapshot
from vitrina.subscriptions import OpenConnection

if TYPE_CHECKING:
    # Only a type here: `sessions` needs no argon2.
    from vitrina.accounts import Account

_Optional = Field(default=None, exclude_if=lambda value: value is None)


class Profile(BaseModel):
    """An account."""

    id: int
    client_type: ClientType
    email: Annotated[str | None, _Optional]
    """Another issuer's accounts have none here."""
    shop_id: Annotated[int | None, _Optional]
    shop_name: Annotated[str | None, _Optional]

    @classmethod
    def of(cls, account: "Account") -> Self:
        found = account.model_dump()
        return cls(id=found.pop("account_id"), **found)


class SessionProfile(BaseModel):
    """A session that is alive."""

    id: str
    device_name: Annotated[str | None, _Optional]
    """Given at the login."""
    created_at: datetime
    last_used_at: datetime
    """When it was last refreshed, to two minutes."""
    expires_at: datetime
    current: bool
    """Whether it is the session of this request."""


class ConnectionProfile(BaseModel):
    """An open connection."""

    connection_id: str
    session_id: Annotated[str | None, _Optional]
    connected_at: datetime


def of_sessions(snapshot: Snapshot, current: str | None = None) -> list[SessionProfile]:
    """Return the sessions of an account that are alive, the one used last first."""
    now = time.time()
    living = snapshot.row.living(snapshot.everyone_era).items()
    found = [
        SessionProfile(
            id=session_id,
            device_name=session.device_name,
            created_at=_moment(session.created_at),
            last_used_at=_moment(session.turns.issued_at_ms // 1000),
            expires_at=_moment(session.expires_at),
            current=session_id == current,
        )
        for session_id, session in living
        if session.expires_at > now
    ]
    return sorted(found, key=lambda each: each.last_used_at, reverse=True)


def of_connections(opened: Iterable[OpenConnection]) -> list[ConnectionProfile]:
    return [
        ConnectionProfile(
            connection_id=each.subscription.connection_id,
            session_id=each.session_id,
            connected_at=_moment(each.connected_at),
        )
        for each in opened
    ]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
