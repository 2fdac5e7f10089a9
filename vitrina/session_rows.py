"""The row of an account in the table `sessions`: sessions, era, connections to be closed.

A session is an attribute `s#ID` of the row. It is alive while it is there and has the row's era.
"""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from vitrina import aws, config
from vitrina.channels import ClientType
from vitrina.refresh_tokens import RefreshToken, Turns

SESSION_PREFIX = "s#"
ALL_SESSIONS = "all"
"""The value in `closing` for all sessions of an older era."""
EXPIRED_SESSION_TTL_SECONDS = 7 * 86_400
"""For this long, the refusal is `session_expired` and not `session_ended`."""


class Eras(NamedTuple):
    """Of an account and of everyone, as they were when a session began."""

    account: int
    everyone: int


# For connections and tokens of another issuer.
NO_ERAS = Eras(0, 0)


class StoredSession(NamedTuple):
    """A session as it is stored."""

    secret_hash: bytes
    turns: Turns
    created_at: int
    expires_at: int
    """Both in seconds since 1970; a session that is used expires later."""
    eras: Eras
    device_name: str | None = None

    def to_map(self) -> dict[str, Any]:
        """Return the attribute's value in plain Python."""
        return {
            "secret_hash": self.secret_hash,
            "current": list(self.turns.current),
            "parent": self.turns.parent,
            "issued_at": self.turns.issued_at_ms,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "era": self.eras.account,
            "everyone": self.eras.everyone,
            "device_name": self.device_name,
        }


class AccountRow(NamedTuple):
    """The row of an account; the defaults if it is not stored yet."""

    account: str
    """Such as `user:42`."""
    era: int = 0
    ended_at: int = 0
    """When all of its sessions were ended last, in seconds since 1970; 0 if never."""
    logins: int = 0
    """The number of logins; a login that finds another number starts again."""
    sessions: Mapping[str, StoredSession] = {}
    closing: frozenset[str] = frozenset()
    """Sessions that have ended and whose connections may be open."""
    email: str | None = None
    shop_id: int | None = None
    shop_name: str | None = None
    barred_until: int = 0
    """Before then no connection opens, in seconds since 1970."""

    @property
    def client_type(self) -> ClientType:
        return ClientType(self.account.partition(":")[0])

    @property
    def account_id(self) -> int:
        return int(self.account.partition(":")[2])

    def living(self, everyone_era: int) -> dict[str, StoredSession]:
        """Return the sessions that were not ended; some may have expired."""
        return {
            session_id: session
            for session_id, session in self.sessions.items()
            if session.eras.account == self.era and session.eras.everyone >= everyone_era
        }


class Granted(NamedTuple):
    """A session that has begun or is refreshed, with the token that is given for it."""

    row: AccountRow
    refresh_token: RefreshToken
    session: StoredSession


def name(client_type: ClientType, account_id: int) -> str:
    """Return the key of an account; another issuer's numbers may repeat among types."""
    return f"{client_type}:{account_id}"


def attribute(session_id: str) -> str:
    return SESSION_PREFIX + session_id


def from_row(account: str, row: Mapping[str, Any]) -> AccountRow:
    """Read an account's row in plain Python; an empty one is of an account that is not stored."""
    shop_id = row.get("shop_id")
    return AccountRow(
        account,
        era=int(row.get("era", 0)),
        ended_at=int(row.get("ended_at", 0)),
        logins=int(row.get("logins", 0)),
        sessions={
            attribute.removeprefix(SESSION_PREFIX): _session(value)
            for attribute, value in row.items()
            if attribute.startswith(SESSION_PREFIX)
        },
        closing=frozenset(row.get("closing", ())),
        email=row.get("email"),
        shop_id=None if shop_id is None else int(shop_id),
        shop_name=row.get("shop_name"),
        barred_until=int(row.get("barred_until", 0)),
    )


def expires_at() -> int:
    """Return when DynamoDB may delete a row that is written now: after its last session."""
    kept = config.current().session_lifetime_seconds + EXPIRED_SESSION_TTL_SECONDS
    return int(time.time()) + kept


def unchanged(**seen: int) -> tuple[str, dict[str, int]]:
    """Return the condition that numbers are as they were read, and its values; 0 is none."""
    condition = " AND ".join(
        f"{name} = :seen_{name}" if value else f"attribute_not_exists({name})"
        for name, value in seen.items()
    )
    return condition, {f":seen_{name}": value for name, value in seen.items() if value}


def update(
    account: str,
    expression: str,
    values: Mapping[str, Any],
    condition: str = "",
    names: Mapping[str, str] | None = None,
) -> tuple[bool, AccountRow]:
    """Update an account's row; return whether the condition was met, and the row as it is then."""
    is_done, row = aws.update(
        config.current().sessions_table,
        {"account": account},
        expression,
        values,
        condition,
        names=names,
        returns_row=True,
    )
    return is_done, from_row(account, row)


def _session(value: Mapping[str, Any]) -> StoredSession:
    return StoredSession(
        secret_hash=bytes(value["secret_hash"]),
        turns=Turns(
            current=tuple(map(bytes, value["current"])),
            parent=bytes(value["parent"]) if "parent" in value else None,
            issued_at_ms=int(value["issued_at"]),
        ),
        created_at=int(value["created_at"]),
        expires_at=int(value["expires_at"]),
        eras=Eras(int(value["era"]), int(value["everyone"])),
        device_name=value.get("device_name"),
    )
