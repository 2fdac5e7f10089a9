"""Sessions: how an account's tokens and connections, or everyone's, are ended at once.

Each account has an `era`, a number that ending the account increases, and so has everyone. A token
carries both as they were at its login, and is alive while both are the same. No clocks are
compared, so a login or a refresh that is under way while an account ends comes out with the old
era. An account without a row has era 0.

Another issuer's tokens carry no era. They are compared by time: alive are those whose login is
later than the end, with room for the difference of two clocks.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from vitrina import aws, config
from vitrina.channels import ClientType
from vitrina.errors import TooManyRequests, Unauthorized

EVERYONE = "everyone"
# One row that every function reads: each process keeps its copy for so long.
COPY_SECONDS = 2
# Who ends everyone's sessions waits until no copy is older, before it says that all have ended.
ALL_COPIES_SECONDS = COPY_SECONDS + 0.1
# Another issuer's clock may be 30 s wrong, and this service's clocks 2 s.
ISSUER_CLOCK_SECONDS = 32
BARRED_SECONDS = 60
MAX_REMEMBERED = 1024


class Ending(NamedTuple):
    """The latest end of an account's sessions, or of everyone's."""

    era: int = 0
    ended_at: int = 0
    """In seconds since 1970; 0 before the first end."""


class Eras(NamedTuple):
    """What a token carries, and a connection that was opened with it."""

    account: int
    everyone: int


# Of an account that was never ended, and of tokens that carry none.
NO_ERAS = Eras(0, 0)


class Session(NamedTuple):
    """What begins with a login, as its tokens tell."""

    account: str
    eras: Eras
    began_at: float
    """In seconds since 1970."""


class _Copy(NamedTuple):
    ending: Ending
    read_at: float


# Ends are final, so what is known here stays true: a process looks at an ended token once.
_ended: OrderedDict[str, Ending] = OrderedDict()
_copy = _Copy(Ending(), read_at=0)


def forget() -> None:
    """Read everything again at the next use."""
    global _copy  # noqa: PLW0603 - one value per process
    _ended.clear()
    _copy = _Copy(Ending(), read_at=0)


def name(client_type: ClientType, account_id: int) -> str:
    """Return the key of an account; another issuer's numbers may repeat among types."""
    return f"{client_type}:{account_id}"


def refuse_known_end(session: Session) -> None:
    """Raise Unauthorized `token_revoked` where this process knows of the end: it costs nothing."""
    if _has_ended(session, _ended.get(session.account, Ending()), _copy.ending):
        raise _revoked()


def require_alive(session: Session, *, to_connect: bool = False) -> None:
    """Raise Unauthorized `token_revoked` for a session that has ended.

    With `to_connect`, raises TooManyRequests `too_many_requests` while the account is barred.
    """
    refuse_known_end(session)
    account, barred = session.account, _barred(session.account)
    rows = _read(account, *([barred] if to_connect else []))
    if session.eras.everyone > _copy.ending.era:  # a login has seen a later end than this copy
        _read(EVERYONE)
    ending, everyone = _ending(rows, account), _copy.ending
    if _has_ended(session, ending, everyone):
        _remember(account, ending)
        raise _revoked()
    if _is_ahead(session, ending, everyone):
        raise _revoked()
    barred_until = float(rows.get(barred, {}).get("expires_at", 0))
    if (left := barred_until - time.time()) > 0:
        raise TooManyRequests("too_many_requests", "Too many messages were sent.", math.ceil(left))


def eras_at_login(client_type: ClientType, account_id: int) -> Eras:
    """Return the eras that a login's token carries, strongly consistent."""
    account = name(client_type, account_id)
    rows = _read(account, EVERYONE)
    return Eras(_ending(rows, account).era, _ending(rows, EVERYONE).era)


def everyone_era() -> int:
    """Return everyone's era, at most two seconds old."""
    _read()
    return _copy.ending.era


def end_account(client_type: ClientType, account_id: int) -> int:
    """End all sessions of an account; return its new era."""
    return _end(name(client_type, account_id))


def end_everyone() -> None:
    """End all sessions of all accounts.

    Functions may still accept them until `ALL_COPIES_SECONDS` later.
    """
    _end(EVERYONE)


def bar(client_type: ClientType, account_id: int) -> None:
    """Refuse new connections of an account for a minute."""
    row = {
        "account": _barred(name(client_type, account_id)),
        "expires_at": int(time.time()) + BARRED_SECONDS,
    }
    aws.dynamodb().put_item(TableName=config.current().sessions_table, Item=aws.to_item(row))


def _end(account: str) -> int:
    ended = aws.dynamodb().update_item(
        TableName=config.current().sessions_table,
        Key=aws.to_item({"account": account}),
        UpdateExpression="ADD era :one SET ended_at = :now",
        ExpressionAttributeValues=aws.to_item({":one": 1, ":now": math.ceil(time.time())}),
        ReturnValues="UPDATED_NEW",
    )
    return int(ended["Attributes"]["era"]["N"])


def _has_ended(session: Session, account: Ending, everyone: Ending) -> bool:
    if config.current().token_jwks_url:
        last = max(account.ended_at, everyone.ended_at)
        return last > 0 and session.began_at <= last + ISSUER_CLOCK_SECONDS
    return session.eras.account < account.era or session.eras.everyone < everyone.era


def _is_ahead(session: Session, account: Ending, everyone: Ending) -> bool:
    """Return whether a token has an era that has not begun: it was forged with a leaked key.

    Otherwise such a token would outlive the end that follows.
    """
    return session.eras.account > account.era or session.eras.everyone > everyone.era


def _read(*names: str) -> dict[str, dict[str, Any]]:
    """Return rows by their names, strongly consistent; read everyone's too if its copy is old."""
    global _copy  # noqa: PLW0603 - one value per process
    is_fresh = 0 <= time.time() - _copy.read_at < COPY_SECONDS
    wanted = dict.fromkeys([*names, *([] if is_fresh else [EVERYONE])])
    if not wanted:
        return {}
    read_at = time.time()
    keys = ({"account": each} for each in wanted)
    items = map(aws.from_item, aws.batch_get(config.current().sessions_table, keys))
    rows = {item["account"]: item for item in items}
    if EVERYONE in wanted:
        _copy = _Copy(_ending(rows, EVERYONE), read_at)
    return rows


def _ending(rows: Mapping[str, Mapping[str, Any]], account: str) -> Ending:
    row = rows.get(account, {})
    return Ending(int(row.get("era", 0)), int(row.get("ended_at", 0)))


def _remember(account: str, ending: Ending) -> None:
    _ended[account] = ending
    _ended.move_to_end(account)
    if len(_ended) > MAX_REMEMBERED:
        _ended.popitem(last=False)


def _barred(account: str) -> str:
    return f"barred#{account}"


def _revoked() -> Unauthorized:
    return Unauthorized("token_revoked", "The token was revoked; log in again.")
