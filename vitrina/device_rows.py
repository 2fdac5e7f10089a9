"""Rows of devices: phones that are registered for pushes, sharded as subscriptions are."""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from vitrina import aws, channels, config, notices, partitions, sessions
from vitrina.channels import ClientType, Mode
from vitrina.digests import Owed, RowKey, owed_in
from vitrina.partitions import Partition
from vitrina.preferences import QuietHours

if TYPE_CHECKING:
    from vitrina.auth import Identity

# Fixed: a device is stored for two months, so a change of the number would need both for as long.
SHARDS = 4


class Device(NamedTuple):
    key: RowKey
    client_type: ClientType
    account_id: int
    session_id: str | None
    era: int
    endpoint: str
    language: str
    timezone: str
    seen_at: int
    modes: Mapping[str, Mode]
    """Those that the account has chosen."""
    quiet_hours: QuietHours | None
    joins: bool
    """Whether SNS may have it in the topic of its type."""
    subscription: str | None
    """To that topic; None if it may not be in it."""
    owed: Owed | None

    @property
    def identity(self) -> str:
        return self.key.member.partition("#")[0]

    def mode(self, event: str) -> Mode:
        return channels.mode(event, self.client_type, self.modes)

    def quiet_until(self, moment: float) -> int | None:
        """Return when its quiet hours end; None if it is in none."""
        return self.quiet_hours.end_after(moment, self.timezone) if self.quiet_hours else None


def key_of(identity: "Identity", device_id: str) -> RowKey:
    """Return the key of a device; it contains the account, so nobody can name another's device."""
    [partition] = partitions_of(identity.own_channel)
    return RowKey(partition.key, f"{partition.prefix}{identity.account_id}#{device_id}")


def type_of(key: RowKey) -> ClientType:
    return ClientType(key.partition.partition("#")[0])


def partitions_of(audience: str) -> list[Partition]:
    """Return the partitions of a client type or an identity: `user`, `shop:10`."""
    scope, colon, name = audience.partition(":")
    if colon:
        return [partitions.partition_of(scope, name, SHARDS)]
    return [Partition(f"{scope}#{shard:02d}", "") for shard in range(SHARDS)]


def page(
    partition: Partition, cursor: str | None, limit: int, where: str = "", **values: Any
) -> tuple[list[Device], str | None]:
    """Read at most `limit` rows after a cursor; return the devices, and where the next page begins.

    Eventually consistent. Expired rows are left out, and rows of everyone's ended sessions, and
    with a condition `where` others, so a page may be empty and still have a next page.
    """
    request = _query(partition, where, **values) | {"Limit": limit, "ConsistentRead": False}
    if cursor:
        request["ExclusiveStartKey"] = aws.to_item({"partition": partition.key, "member": cursor})
    found = aws.dynamodb().query(**request)
    last = found.get("LastEvaluatedKey")
    devices = [from_row(aws.from_item(item)) for item in found["Items"]]
    return devices, last["member"]["S"] if last else None


def find(keys: Iterable[RowKey]) -> list[Device]:
    """Return those devices that are stored, strongly consistent."""
    table = config.current().devices_table
    rows = map(aws.from_item, aws.batch_get(table, [key._asdict() for key in dict.fromkeys(keys)]))
    return [from_row(row) for row in rows if "endpoint" in row and _is_current(row)]


def of_account(
    client_type: ClientType, account_id: int, shop_id: int | None, *, expired: bool = False
) -> list[Device]:
    """Return the devices of an account, strongly consistent, and the expired ones only if asked to.

    Where the shop of an account is not known, those of all shops are read.
    """
    if client_type is ClientType.SHOP and shop_id is None:
        places, where = partitions_of(client_type), "account_id = :account"
    else:
        [place] = partitions_of(f"{client_type}:{shop_id or account_id}")
        places, where = [place._replace(prefix=f"{place.prefix}{account_id}#")], ""
    values = {"account": account_id} if where else {}
    return [
        from_row(aws.from_item(item))
        for place in places
        for found in aws.query(_query(place, where, expired=expired, **values))
        for item in found["Items"]
    ]


def read(key: RowKey) -> dict[str, Any]:
    """Return a row, strongly consistent; it is empty if there is none."""
    return aws.get(config.current().devices_table, key._asdict())


def from_row(row: Mapping[str, Any]) -> Device:
    quiet = row.get("quiet_hours")
    key = RowKey(row["partition"], row["member"])
    return Device(
        key=key,
        client_type=type_of(key),
        account_id=int(row["account_id"]),
        session_id=row.get("session"),
        era=int(row["era"]),
        endpoint=row["endpoint"],
        language=notices.language_of(row["locale"]),
        timezone=row["timezone"],
        seen_at=int(row["seen_at"]),
        modes={event: Mode(mode) for event, mode in row.get("modes", {}).items()},
        quiet_hours=QuietHours.model_validate_json(quiet) if quiet else None,
        joins=row.get("joins", False),
        subscription=row.get("subscription"),
        owed=owed_in(row),
    )


def update(
    key: RowKey,
    new: Mapping[str, Any],
    condition: str = "",
    more: Mapping[str, Any] | None = None,
) -> bool:
    """Set attributes of a row, and remove those that are None; return whether the condition held.

    `more` are values of the condition.
    """
    names = {f"#{name}": name for name in new}
    present = {name: value for name, value in new.items() if value is not None}
    update = "SET " + ", ".join(f"#{name} = :{name}" for name in present)
    if absent := [name for name in new if name not in present]:
        update += " REMOVE " + ", ".join(f"#{name}" for name in absent)
    values = {f":{name}": value for name, value in present.items()}
    values |= more or {}
    table = config.current().devices_table
    return aws.update(table, key._asdict(), update, values, condition, names=names).is_done


def delete(key: RowKey, row: Mapping[str, Any]) -> None:
    """Delete a row, unless its device has been registered since the row was read."""
    values = {":endpoint": row["endpoint"], ":seen": row["seen_at"]}
    aws.is_written(
        aws.dynamodb().delete_item,
        TableName=config.current().devices_table,
        Key=aws.to_item(key._asdict()),
        ConditionExpression="endpoint = :endpoint AND seen_at = :seen",
        ExpressionAttributeValues=aws.to_item(values),
    )


def _is_current(row: Mapping[str, Any]) -> bool:
    everyone = sessions.everyone_era()
    return bool(row["expires_at"] > time.time() and row.get("everyone", 0) >= everyone)


def _query(partition: Partition, where: str = "", *, expired: bool = False, **values: Any) -> Any:
    filters = [where] if where else []
    if not expired:
        filters.append("expires_at > :now")
        values["now"] = int(time.time())
        if everyone := sessions.everyone_era():
            filters.append("everyone >= :era")
            values["era"] = everyone
    table = config.current().devices_table
    return partitions.query(table, partition, " AND ".join(filters), **values)
