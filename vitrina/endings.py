"""Endings of sessions: the end is written, connections are closed, the ending is marked done.

Until it is done, the account's row is in the index `unclosed`, so that the sweep finishes what a
crash has interrupted.
"""

import math
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from vitrina import aws, clock, config, session_rows
from vitrina.channels import ClientType
from vitrina.session_rows import ALL_SESSIONS, AccountRow
from vitrina.sessions import EVERYONE

UNCLOSED_INDEX = "unclosed"
# Of an update that ends sessions; the time is that of the oldest ending that is not done.
CLOSING = "unclosed = :yes, closing_since = if_not_exists(closing_since, :now) ADD closing :ended"


class Ending(NamedTuple):
    """The ended sessions of an account whose connections are to be closed."""

    row: AccountRow
    """As it is after the ending."""
    session_ids: frozenset[str]

    def has(self, session_id: str | None, era: int) -> bool:
        """Return whether a connection of a session and an era is to be closed."""
        is_older = ALL_SESSIONS in self.session_ids and era < self.row.era
        return is_older or session_id in self.session_ids


def end_session(client_type: ClientType, account_id: int, session_id: str) -> Ending:
    """End one session. A session that has ended already is returned too."""
    _, row = session_rows.update(
        session_rows.name(client_type, account_id),
        f"REMOVE #session SET {CLOSING}",
        closing_values({session_id}),
        "attribute_exists(#session)",
        {"#session": session_rows.attribute(session_id)},
    )
    return Ending(row, row.closing | {session_id})


def end_account(client_type: ClientType, account_id: int) -> Ending:
    """End all sessions of an account, also those of a login that is under way."""
    values = {**closing_values({ALL_SESSIONS}), ":one": 1, ":seconds": _now()}
    expiry = ""
    # The end of another issuer's sessions is compared with the time of a login, however old.
    if not config.current().token_jwks_url:
        expiry, values[":until"] = "expires_at = :until, ", session_rows.expires_at()
    account = session_rows.name(client_type, account_id)
    update = f"SET {expiry}ended_at = :seconds, {CLOSING}, era :one"
    _, row = session_rows.update(account, update, values)
    return Ending(row, row.closing)


def end_everyone() -> None:
    """End all sessions of all accounts.

    Functions may still accept them until `sessions.MAX_EVERYONE_AGE_SECONDS` later.
    """
    aws.update(
        config.current().sessions_table,
        {"account": EVERYONE},
        "ADD era :one SET ended_at = :now",
        {":one": 1, ":now": _now()},
    )


def done(ended: Ending) -> None:
    """Note that the connections are closed, unless another ending has begun.

    Each ending handles all that are not done, so the last one leaves none.
    """
    session_rows.update(
        ended.row.account,
        "REMOVE unclosed, closing_since, closing",
        {":ended": ended.session_ids},
        "closing = :ended",
    )


def unclosed(seconds: float) -> Iterator[Ending]:
    """Yield endings that are older than this and not done."""
    table = config.current().sessions_table
    values = {":yes": "1", ":then": int((time.time() - seconds) * 1000)}
    pages = aws.query(
        {
            "TableName": table,
            "IndexName": UNCLOSED_INDEX,
            "KeyConditionExpression": "unclosed = :yes AND closing_since < :then",
            "ExpressionAttributeValues": aws.to_item(values),
        }
    )
    for page in pages:
        keys = ({"account": item["account"]["S"]} for item in page["Items"])
        for item in map(aws.from_item, aws.batch_get(table, keys)):
            row = session_rows.from_row(item["account"], item)
            if row.closing:  # the index may be a moment behind
                yield Ending(row, row.closing)


def closing_values(ended: set[str]) -> dict[str, Any]:
    """Return the values of `CLOSING`."""
    return {":yes": "1", ":now": clock.now_ms(), ":ended": ended}


def _now() -> int:
    return math.ceil(time.time())
