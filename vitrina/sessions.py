"""Sessions: whether a session is alive.

The row of an account holds its sessions and an `era`, a number that increases when all of them end;
the row `everyone` has one for all accounts. A session is alive while it is in the row with the
current eras; its tokens contain the eras. No clocks are compared, so a request that runs while a
session ends is refused.

Another issuer's tokens have no session. They are compared by time: a token is valid if its login is
later than the end, with an allowance for clock skew.
"""

import math
import time
from typing import Any, NamedTuple

from vitrina import aws, buckets, config, session_rows
from vitrina.channels import ClientType
from vitrina.errors import NotFound, TooManyRequests, Unauthorized
from vitrina.session_rows import AccountRow, Eras

EVERYONE = "everyone"
# Every function reads this row, and caches it for this long.
EVERYONE_TTL_SECONDS = 2
# After everyone's sessions are ended, no function accepts them any more after this time.
MAX_EVERYONE_AGE_SECONDS = EVERYONE_TTL_SECONDS + 0.1
# Another issuer's clock may be 30 s wrong, and this service's clocks 2 s.
MAX_ISSUER_CLOCK_SKEW_SECONDS = 32
BARRED_SECONDS = 60


class Session(NamedTuple):
    """The session of a token, as the token describes it."""

    account: str
    session_id: str | None
    """None for another issuer's, and for tokens of an earlier version."""
    eras: Eras
    shop_id: int | None
    began_at: float
    """In seconds since 1970."""


class Snapshot(NamedTuple):
    """An account's row and everyone's era, as they were read."""

    row: AccountRow
    everyone_era: int


class _Everyone(NamedTuple):
    era: int = 0
    ended_at: int = 0
    read_at: float = 0


# Ends are final, so these entries never become wrong.
_ended: dict[Session, None] = {}
_everyone = _Everyone()


def forget() -> None:
    """Read everything again at the next use."""
    global _everyone  # noqa: PLW0603 - one value per process
    _ended.clear()
    _everyone = _Everyone()


def require_issuing() -> None:
    """Raise NotFound `issued_elsewhere` when tokens come from another issuer."""
    here = config.current()
    if here.token_jwks_url:
        raise NotFound("issued_elsewhere", f"Tokens come from {here.token_issuer}.")


def refuse_known_end(session: Session) -> None:
    """Raise Unauthorized `token_revoked` if this process knows of the end, without a read."""
    is_of_old_era = session.session_id is None or session.eras.everyone < _everyone.era
    if session in _ended or (_is_ours() and is_of_old_era):
        raise _revoked()


def require_alive(session: Session, *, to_connect: bool = False) -> None:
    """Raise Unauthorized `token_revoked` for a session that has ended.

    With `to_connect`, raises TooManyRequests `too_many_requests` while the account is barred.
    """
    refuse_known_end(session)
    stored = _read(session.account).get(session.account, {})
    row = session_rows.from_row(session.account, stored)
    if _has_ended(session, row):
        buckets.remember(_ended, session, None)
        raise _revoked()
    if to_connect and (left := row.barred_until - time.time()) > 0:
        raise TooManyRequests("too_many_requests", "Too many messages were sent.", math.ceil(left))


def read(account: str, *, with_everyone: bool = False) -> Snapshot:
    """Read an account's row, strongly consistent; everyone's era is at most two seconds old.

    With `with_everyone` that era is read too.
    """
    rows = _read(account, *([EVERYONE] if with_everyone else []))
    return Snapshot(session_rows.from_row(account, rows.get(account, {})), _everyone.era)


def everyone_era() -> int:
    """Return everyone's era, at most two seconds old."""
    _read()
    return _everyone.era


def bar(client_type: ClientType, account_id: int) -> None:
    """Refuse new connections of an account for a minute.

    The time is stored in the account's row, which each handshake reads anyway.
    """
    aws.update(
        config.current().sessions_table,
        {"account": session_rows.name(client_type, account_id)},
        "SET barred_until = :until",
        {":until": int(time.time()) + BARRED_SECONDS},
    )


def _is_ours() -> bool:
    return not config.current().token_jwks_url


def _has_ended(session: Session, row: AccountRow) -> bool:
    if not _is_ours():
        last = max(row.ended_at, _everyone.ended_at)
        return last > 0 and session.began_at <= last + MAX_ISSUER_CLOCK_SKEW_SECONDS
    entry = row.living(_everyone.era).get(session.session_id or "")
    # A token with other eras or another shop than its session was signed with a leaked key.
    return entry is None or (entry.eras, row.shop_id) != (session.eras, session.shop_id)


def _read(*names: str) -> dict[str, dict[str, Any]]:
    """Return rows by their names, strongly consistent; read everyone's too if its copy is old."""
    global _everyone  # noqa: PLW0603 - one value per process
    is_fresh = 0 <= time.time() - _everyone.read_at < EVERYONE_TTL_SECONDS
    wanted = dict.fromkeys([*names, *([] if is_fresh else [EVERYONE])])
    if not wanted:
        return {}
    read_at = time.time()
    keys = ({"account": each} for each in wanted)
    items = map(aws.from_item, aws.batch_get(config.current().sessions_table, keys))
    rows = {item["account"]: item for item in items}
    if EVERYONE in wanted:
        row = rows.get(EVERYONE, {})
        _everyone = _Everyone(int(row.get("era", 0)), int(row.get("ended_at", 0)), read_at)
    return rows


def _revoked() -> Unauthorized:
    return Unauthorized("token_revoked", "The token was revoked; log in again.")
