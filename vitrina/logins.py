"""Logins: a session begins in its account's row."""

import time
from typing import Any, NamedTuple

from vitrina import aws, config, endings, refresh_tokens, session_rows
from vitrina.accounts import Account, Login
from vitrina.errors import Unavailable
from vitrina.refresh_tokens import RefreshToken, Turns
from vitrina.session_rows import AccountRow, Eras, Granted, StoredSession

# Of writes: other logins of the account may come first.
MAX_ATTEMPTS = 5


def begin(login: Login, device_name: str | None = None) -> Granted:
    """Store a session of an account whose password was right.

    Beyond `sessions_per_account` it replaces those that were unused longest. Raises Unavailable
    `busy` when the account has been ended since its row was read, or logs in too often at once.
    """
    row, everyone_era = login.seen
    for _ in aws.attempts(MAX_ATTEMPTS):
        token = refresh_tokens.new(row.account)
        session = new_session(token, Eras(row.era, everyone_era), device_name)
        is_stored, stored = _store(row, login.account, token.session_id, session)
        if is_stored:
            return Granted(stored, token, session)
        if stored.era != row.era:
            break
        row = stored
    raise Unavailable("busy", "This account is changing; try again.")


def new_session(token: RefreshToken, eras: Eras, device_name: str | None = None) -> StoredSession:
    """Return a session that begins now."""
    now = time.time()
    return StoredSession(
        secret_hash=refresh_tokens.hash_of(token.secret),
        turns=Turns((token.turn,), parent=None, issued_at_ms=int(now * 1000)),
        created_at=int(now),
        expires_at=int(now) + config.current().session_lifetime_seconds,
        eras=eras,
        device_name=device_name,
    )


def _store(
    row: AccountRow, account: Account, session_id: str, session: StoredSession
) -> tuple[bool, AccountRow]:
    """Write a session into the row, if no login and no ending has changed the account since."""
    owner = account.model_dump(include={"email", "shop_id", "shop_name"}, exclude_none=True)
    sets = {"logins": row.logins + 1, "expires_at": session_rows.expires_at(), **owner}
    update = f"SET #new = :new, {', '.join(f'{name} = :{name}' for name in sets)}"
    values: dict[str, Any] = {f":{name}": value for name, value in sets.items()}
    values[":new"] = session.to_map()
    names = {"#new": session_rows.attribute(session_id)}
    leaving = _leaving(row, session.eras.everyone)
    removed = {f"#old{n}": session_rows.attribute(each) for n, each in enumerate(leaving.removed)}
    remove = f" REMOVE {', '.join(removed)}" if removed else ""
    if leaving.ended:
        update = f"{update}, {endings.CLOSING}"
        values |= endings.closing_values(leaving.ended)
    condition, seen = session_rows.unchanged(logins=row.logins, era=row.era)
    return session_rows.update(
        row.account, update + remove, values | seen, condition, names | removed
    )


class _Leaving(NamedTuple):
    removed: list[str]
    ended: set[str]
    """The removed sessions that were alive; their connections are to be closed."""


def _leaving(row: AccountRow, everyone_era: int) -> _Leaving:
    """Return the sessions to remove for one more: ended ones, and those unused longest."""
    now = time.time()
    kept = {
        session_id: session
        for session_id, session in row.living(everyone_era).items()
        if session.expires_at + session_rows.EXPIRED_SESSION_TTL_SECONDS > now
    }
    by_use = sorted(kept, key=lambda session_id: kept[session_id].turns.issued_at_ms)
    excess = by_use[: max(0, len(by_use) + 1 - config.current().sessions_per_account)]
    removed = [each for each in row.sessions if each not in kept]
    return _Leaving([*removed, *excess], {*excess})
