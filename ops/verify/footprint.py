"""Everything that a run writes into a deployment, and its removal.

Two kinds of rows stay, since numbers must never repeat: the counters `last_…_id`, and the heads of
channels that others use. The rows of logins, `login#…`, stay until they expire: only the
signing key tells their names.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ops.verify.cast import Cast
from vitrina import (
    aws,
    config,
    connections,
    event_pages,
    history,
    moderation,
    rooms,
    session_rows,
    subscriptions,
)
from vitrina.channels import ClientType
from vitrina.events import Position
from vitrina.products import SHOP_INDEX, Status

PARALLEL_DELETIONS = 16


@dataclass
class Footprint:
    """What one run may have written. Removing it twice is the same as once."""

    cast: Cast
    positions: Mapping[str, Position]
    """The shared channels' positions before the run."""
    account_ids: dict[str, int] = field(default_factory=dict)
    """By the names of the cast."""
    product_ids: set[int] = field(default_factory=set)
    others: int = 0
    """Connections of others when the run began."""

    def remove(self) -> list[str]:
        """Remove everything; return what is left, with the reason."""
        steps: dict[str, Callable[[], None]] = {
            f"connections of the accounts {self._ids()}": self._remove_connections,
            f"where the accounts {self._ids()} joined {self.cast.room}": self._remove_joining,
            f"products of shop {self.cast.shop_id}": self._remove_products,
            f"events of shop {self.cast.shop_id} in {', '.join(self.positions)}": (
                self._remove_shared_events
            ),
            f"events of {', '.join(self._own_channels())}": self._remove_own_channels,
            f"sessions of the accounts {self._ids()}": self._remove_sessions,
            f"count of submissions of shop {self.cast.shop_id}": self.forget_submissions,
            f"counts of pages of {', '.join(self._own_channels())}": self._remove_counts,
            f"accounts {self._emails()}": self._remove_accounts,
        }
        return [f"{what}: {why}" for what, step in steps.items() if (why := _fault_of(step))]

    def _ids(self) -> str:
        return ", ".join(map(str, self.account_ids.values())) or "(none)"

    def _emails(self) -> str:
        return ", ".join(person.email for person in self.cast.people.values())

    def _own_channels(self) -> list[str]:
        people = self.cast.people
        return [
            f"shop:{self.cast.shop_id}",
            f"room:{self.cast.room}",
            *(
                f"{people[name].client_type}:{account_id}"
                for name, account_id in self.account_ids.items()
                if people[name].client_type is not ClientType.SHOP
            ),
        ]

    def _remove_connections(self) -> None:
        for name, account_id in self.account_ids.items():
            client_type = self.cast.people[name].client_type
            for opened in subscriptions.of_account(client_type, account_id, self.cast.shop_id):
                connections.forget(opened.subscription.connection_id)

    def _remove_joining(self) -> None:
        for channel in self._own_channels():
            rooms.forget(channel, f"room:{self.cast.room}")

    def _remove_products(self) -> None:
        """Delete those that are known, and those of a request whose response did not arrive."""
        table = config.current().products_table
        found = {int(row["product_id"]["N"]) for row in self._listed_products(table)}
        _delete(table, ({"product_id": number} for number in found | self.product_ids))

    def _listed_products(self, table: str) -> Iterator[dict[str, Any]]:
        for status in Status:
            for page in aws.query(
                {
                    "TableName": table,
                    "IndexName": SHOP_INDEX,
                    "KeyConditionExpression": f"{SHOP_INDEX} = :wanted",
                    "ExpressionAttributeValues": aws.to_item(
                        {":wanted": f"{self.cast.shop_id}#{status}"}
                    ),
                }
            ):
                yield from page["Items"]

    def _remove_shared_events(self) -> None:
        """Delete the events about this run's products, among those since its beginning."""
        for channel, position in self.positions.items():
            rows = _events(channel, after=position.seq)
            own = (row for row in rows if _shop_of(row) == self.cast.shop_id)
            _delete(config.current().history_table, map(_event_key, own))

    def _remove_own_channels(self) -> None:
        for channel in self._own_channels():
            rows = _events(channel, after=history.HEAD - 1)
            _delete(config.current().history_table, map(_event_key, rows))

    def _remove_sessions(self) -> None:
        names = (
            session_rows.name(client_type, number)
            for client_type in ClientType
            for number in self.account_ids.values()
        )
        _delete(config.current().sessions_table, ({"account": name} for name in names))

    def forget_submissions(self) -> None:
        """Let the run's shop submit again as many products as at its beginning."""
        name = moderation.submissions_bucket(self.cast.shop_id)
        _delete(config.current().platform_table, [{"name": name}])

    def _remove_counts(self) -> None:
        names = map(event_pages.bucket, self._own_channels())
        _delete(config.current().platform_table, ({"name": name} for name in names))

    def _remove_accounts(self) -> None:
        rows = ({"email": person.email} for person in self.cast.people.values())
        _delete(config.current().accounts_table, rows)


def _fault_of(step: Callable[[], None]) -> str:
    try:
        step()
    except Exception as fault:  # noqa: BLE001 - the other steps are done nevertheless
        return f"{type(fault).__name__}: {fault}"
    return ""


def _events(channel: str, *, after: int) -> Iterator[dict[str, Any]]:
    pages = aws.query(
        {
            "TableName": config.current().history_table,
            "ConsistentRead": True,
            "KeyConditionExpression": "channel = :channel AND seq > :after",
            "ExpressionAttributeValues": aws.to_item({":channel": channel, ":after": after}),
        }
    )
    for page in pages:
        yield from map(aws.from_item, page["Items"])


def _shop_of(row: Mapping[str, Any]) -> Any:
    return json.loads(row["body"])["data"].get("shop_id")


def _event_key(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"channel": row["channel"], "seq": int(row["seq"])}


def _delete(table: str, keys: Iterable[Mapping[str, Any]]) -> None:
    def delete(key: Mapping[str, Any]) -> None:
        aws.dynamodb().delete_item(TableName=table, Key=aws.to_item(key))

    with ThreadPoolExecutor(PARALLEL_DELETIONS) as pool:
        list(pool.map(delete, keys))
