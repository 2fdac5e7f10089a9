"""Devices: phones that are registered for pushes, each of a session.

A device's row is sharded by identity, as subscriptions are.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vitrina import (
    aws,
    buckets,
    channels,
    config,
    connections,
    endpoints,
    notices,
    owners,
    partitions,
    preferences,
    sessions,
)
from vitrina.buckets import Rate
from vitrina.channels import ClientType, Mode
from vitrina.digests import Owed, RowKey, owed_in
from vitrina.endpoints import Platform
from vitrina.errors import Problem, Unavailable
from vitrina.partitions import Partition
from vitrina.preferences import Chosen, Preferences, QuietHours, TimeZone

if TYPE_CHECKING:
    from vitrina.auth import Identity
    from vitrina.endings import Ended

# Whatever the number of shards of connections is: a device stays for two months, and would be where
# an old number has put it for as long.
SHARDS = 4
LIFETIME_SECONDS = 60 * 86_400
# A start of the app within a day of another one writes nothing.
SEEN_SECONDS = 86_400
# While a device is registered; the function times out before.
UNDER_WAY_SECONDS = 60
# Of an account: thirty at once, then one a minute. An unchanged device counts once a day.
CHANGES = Rate(tries=30, seconds=60)
# Of the event that topics are for.
_ANNOUNCEMENT = "announcement.published"


class Registration(BaseModel):
    """What an app says of its phone at every start."""

    model_config = ConfigDict(extra="forbid")

    platform: Platform
    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.-]+$", min_length=8, max_length=1024)]
    """Of APNs, in hexadecimal, or of FCM."""
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8}){0,4}$")]
    timezone: TimeZone
    app_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.+_-]{1,40}$")]

    @model_validator(mode="after")
    def _a_token_has_one_spelling(self) -> Self:
        """Hexadecimal in two cases would be two endpoints of one phone."""
        if self.platform is not Platform.FCM:
            self.token = self.token.lower()
        return self


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
    subscription: str | None
    """To the topic of its type; None if it is not in it."""
    owed: Owed | None

    @property
    def identity(self) -> str:
        return self.key.member.partition("#")[0]

    def mode(self, event: str) -> Mode:
        return channels.mode(event, self.client_type, self.modes)

    def quiet_until(self, moment: float) -> int | None:
        """Return when its quiet hours end; None if it is in none."""
        return self.quiet_hours.end_after(moment, self.timezone) if self.quiet_hours else None


def register(identity: "Identity", device_id: str, registration: Registration) -> None:
    """Store a device of a session, with an endpoint that is its alone.

    The account's devices beyond `sessions_per_account` are removed, those not seen longest first.
    A device that had the token before is removed. Stores the device, then looks at the session: one
    that ends meanwhile removes the device, or raises Unauthorized `token_revoked` here. A device
    whose registration is interrupted expires after a minute. Raises TooManyRequests
    `too_many_requests`, and what `endpoints.settle` raises.
    """
    endpoints.require_on()
    key = _key(identity, device_id)
    before = _row(key)
    row = _attributes(identity, registration)
    now = int(time.time())
    is_known = before.get("expires_at", 0) > now + LIFETIME_SECONDS and all(
        before.get(name) == value for name, value in row.items()
    )
    if not is_known:
        _count(identity)
    former = before.get("endpoint")
    endpoint = endpoints.settle(registration.platform, registration.token, former)
    if not is_known or endpoint != former:
        is_known = False
        _store(key, row | {"endpoint": endpoint}, before, now)
        _take(endpoint, key)
        try:
            sessions.require_alive(identity.session)
        except Problem:
            unregister(identity, device_id)
            raise
        _remove_excess(identity)
    if not is_known or "subscription" not in before:
        stored = _row(key)
        if "endpoint" not in stored:
            raise Unavailable("busy", "Another account registers this phone; try again.")
        device = _from_row(stored)
        chosen = preferences.read(identity.session.account)
        if not is_known or _has_topic(device, chosen.preferences):
            _prefer(device, chosen)
    if not is_known:
        # The sweep removes it before: SNS must forget it too.
        end = now + LIFETIME_SECONDS + SEEN_SECONDS
        _update(key, {"expires_at": end}, [], "endpoint = :endpoint", {":endpoint": endpoint})


def unregister(identity: "Identity", device_id: str) -> None:
    """Remove a device of an account, if it is registered."""
    endpoints.require_on()
    key = _key(identity, device_id)
    if row := _row(key):
        _remove_row(key, row)


def prefer(identity: "Identity", new: Preferences) -> Preferences:
    """Store what an account chooses, for all of its devices; return it with the defaults.

    Raises Invalid `request_invalid` for what its type cannot choose, and TooManyRequests
    `too_many_requests`.
    """
    _count(identity)
    whole = new.whole(identity.client_type)
    chosen = preferences.replace(identity.session.account, new)
    own = _of_account(identity.client_type, identity.account_id, identity.shop_id)
    aws.in_parallel(lambda device: _prefer(device, chosen), own)
    return whole


def remove_ended(ended: "Ended") -> None:
    """Remove the devices of what has ended of an account."""
    row = ended.row
    for device in _of_account(row.client_type, row.account_id, row.shop_id):
        if ended.has(device.session_id, device.era):
            remove(device)


def remove(device: Device) -> None:
    """Remove a device as it was read, and its endpoint if nobody else has taken it."""
    row = _row(device.key)
    if row and (device.endpoint, device.session_id) == (row["endpoint"], row.get("session")):
        _remove_row(device.key, row)


def expire(key: RowKey) -> None:
    """Remove the owner that a row names, if the app has not started for `LIFETIME_SECONDS`."""
    found = owners.lapsed(key)
    if not found:
        return
    endpoint, owner = found
    row = _row(owner)
    if row and row["endpoint"] == endpoint:
        _remove_row(owner, row)
    else:
        _leave_endpoint(endpoint, owner, None)


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
    devices = [_from_row(aws.from_item(item)) for item in found["Items"]]
    return devices, last["member"]["S"] if last else None


def partitions_of(audience: str) -> list[Partition]:
    """Return the partitions of a client type or an identity: `user`, `shop:10`."""
    scope, colon, name = audience.partition(":")
    if colon:
        return [partitions.partition_of(scope, name, SHARDS)]
    return [Partition(f"{scope}#{shard:02d}", "") for shard in range(SHARDS)]


def find(keys: Iterable[RowKey]) -> list[Device]:
    """Return those devices that are stored, strongly consistent."""
    table = config.current().devices_table
    rows = map(aws.from_item, aws.batch_get(table, [key._asdict() for key in dict.fromkeys(keys)]))
    return [_from_row(row) for row in rows if "endpoint" in row and _is_current(row)]


def _is_current(row: Mapping[str, Any]) -> bool:
    everyone = sessions.everyone_era()
    return bool(row["expires_at"] > time.time() and row.get("everyone", 0) >= everyone)


# --- Rows ---


def _key(identity: "Identity", device_id: str) -> RowKey:
    [partition] = partitions_of(identity.own_channel)
    return RowKey(partition.key, f"{partition.prefix}{identity.account_id}#{device_id}")


def _count(identity: "Identity") -> None:
    """Count a change of an account's; raises TooManyRequests."""
    wait = buckets.spend(f"devices#{identity.session.account}", CHANGES)
    if wait:
        raise buckets.too_many_requests(wait)


def _attributes(identity: "Identity", registration: Registration) -> dict[str, Any]:
    eras = connections.eras_of(identity)
    return {
        "account_id": identity.account_id,
        "session": identity.session_id,
        "era": eras.account,
        "everyone": eras.everyone,
        "locale": registration.locale,
        "timezone": registration.timezone,
        "app_version": registration.app_version,
        # SNS alone stores the token; another one is a change that counts.
        "token_hash": hashlib.sha256(registration.token.encode()).hexdigest()[:16],
    }


def _from_row(row: Mapping[str, Any]) -> Device:
    quiet = row.get("quiet_hours")
    return Device(
        key=RowKey(row["partition"], row["member"]),
        client_type=ClientType(row["partition"].partition("#")[0]),
        account_id=int(row["account_id"]),
        session_id=row.get("session"),
        era=int(row["era"]),
        endpoint=row["endpoint"],
        language=notices.language_of(row["locale"]),
        timezone=row["timezone"],
        seen_at=int(row["seen_at"]),
        modes={event: Mode(mode) for event, mode in row.get("modes", {}).items()},
        quiet_hours=QuietHours.model_validate_json(quiet) if quiet else None,
        subscription=row.get("subscription"),
        owed=owed_in(row),
    )


def _row(key: RowKey) -> dict[str, Any]:
    found = aws.dynamodb().get_item(
        TableName=config.current().devices_table,
        Key=aws.to_item(key._asdict()),
        ConsistentRead=True,
    )
    return aws.from_item(found.get("Item", {}))


def _store(key: RowKey, row: dict[str, Any], before: Mapping[str, Any], now: int) -> None:
    """Write what is registered; the rest of the row stays, but for another endpoint's topic."""
    new = {name: value for name, value in row.items() if value is not None}
    new |= {"seen_at": now, "expires_at": now + UNDER_WAY_SECONDS}
    absent = [name for name in row if name not in new]
    former = before.get("endpoint")
    if former and former != row["endpoint"]:
        _leave_endpoint(former, key, before.get("subscription"))
        absent.append("subscription")
    _update(key, new, absent)


def _take(endpoint: str, key: RowKey) -> None:
    """Make a device the owner of an endpoint, and remove those that were."""
    former = owners.take(endpoint, key, int(time.time()) + LIFETIME_SECONDS)
    for other in former:
        row = _row(other)
        if row and row["endpoint"] == endpoint:
            _remove_row(other, row)
    owners.let_go(endpoint, former)


def _leave_endpoint(endpoint: str, key: RowKey, subscription: str | None) -> None:
    """End what SNS has of a device, unless another device has taken its endpoint."""
    if subscription:
        endpoints.unsubscribe(subscription)
    if owners.find(endpoint) == key:
        endpoints.delete(endpoint)
        owners.remove(endpoint, key)


def _remove_row(key: RowKey, row: Mapping[str, Any]) -> None:
    """Remove a device as it was read; its row is deleted last, so that this can be repeated."""
    _leave_endpoint(row["endpoint"], key, row.get("subscription"))
    values = {":endpoint": row["endpoint"], ":seen": row["seen_at"]}
    try:
        aws.dynamodb().delete_item(
            TableName=config.current().devices_table,
            Key=aws.to_item(key._asdict()),
            ConditionExpression="endpoint = :endpoint AND seen_at = :seen",
            ExpressionAttributeValues=aws.to_item(values),
        )
    except aws.dynamodb().exceptions.ConditionalCheckFailedException:
        pass


def _remove_excess(identity: "Identity") -> None:
    own = _of_account(identity.client_type, identity.account_id, identity.shop_id)
    limit = config.current().sessions_per_account
    for device in sorted(own, key=lambda device: device.seen_at)[:-limit]:
        remove(device)


def _prefer(device: Device, chosen: Chosen) -> None:
    """Write preferences into a device's row unless it has later ones, and follow its topic."""
    has_topic = _has_topic(device, chosen.preferences)
    if device.subscription and not has_topic:
        endpoints.unsubscribe(device.subscription)
    # A subscription that exists is found again.
    subscription = endpoints.subscribe(device.client_type, device.endpoint) if has_topic else None
    quiet = chosen.preferences.quiet_hours
    new = {
        "modes": dict(chosen.preferences.events) or None,
        "quiet_hours": quiet.model_dump_json() if quiet else None,
        "subscription": subscription,
    }
    present = {name: value for name, value in new.items() if value is not None}
    absent = [name for name in new if name not in present]
    _update(
        device.key,
        {**present, "preferred": chosen.version},
        absent,
        "endpoint = :endpoint AND (attribute_not_exists(preferred) OR preferred <= :preferred)",
        {":endpoint": device.endpoint},
    )


def _has_topic(device: Device, chosen: Preferences) -> bool:
    mode = channels.mode(_ANNOUNCEMENT, device.client_type, chosen.events)
    return mode is Mode.PUSH and chosen.quiet_hours is None


def _of_account(client_type: ClientType, account_id: int, shop_id: int | None) -> list[Device]:
    """Return the devices of an account, strongly consistent.

    Where the shop of an account is not known, those of all shops are read.
    """
    if client_type is ClientType.SHOP and shop_id is None:
        places, where = partitions_of(client_type), "account_id = :account"
    else:
        [place] = partitions_of(f"{client_type}:{shop_id or account_id}")
        places, where = [place._replace(prefix=f"{place.prefix}{account_id}#")], ""
    values = {"account": account_id} if where else {}
    return [
        _from_row(aws.from_item(item))
        for place in places
        for found in aws.query(_query(place, where, **values))
        for item in found["Items"]
    ]


def _query(partition: Partition, where: str = "", **values: Any) -> Any:
    condition, names = "#partition = :partition", {"#partition": "partition"}
    filters = ["expires_at > :now"]
    values |= {"partition": partition.key, "now": int(time.time())}
    if everyone := sessions.everyone_era():
        filters.append("everyone >= :era")
        values["era"] = everyone
    if where:
        filters.append(where)
    if partition.prefix:
        condition += " AND begins_with(#member, :prefix)"
        names["#member"] = "member"
        values["prefix"] = partition.prefix
    return {
        "TableName": config.current().devices_table,
        "ConsistentRead": True,
        "KeyConditionExpression": condition,
        "FilterExpression": " AND ".join(filters),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": aws.to_item({f":{k}": v for k, v in values.items()}),
    }


def _update(
    key: RowKey,
    new: Mapping[str, Any],
    absent: Sequence[str],
    condition: str = "",
    more: Mapping[str, Any] | None = None,
) -> None:
    """Set some attributes of a row and remove others, if the condition holds."""
    names = {f"#{name}": name for name in (*new, *absent)}
    update = "SET " + ", ".join(f"#{name} = :{name}" for name in new)
    if absent:
        update += " REMOVE " + ", ".join(f"#{name}" for name in absent)
    values = {f":{name}": value for name, value in new.items()}
    request: Any = {
        "TableName": config.current().devices_table,
        "Key": aws.to_item(key._asdict()),
        "UpdateExpression": update,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": aws.to_item({**values, **(more or {})}),
    }
    if condition:
        request["ConditionExpression"] = condition
    try:
        aws.dynamodb().update_item(**request)
    except aws.dynamodb().exceptions.ConditionalCheckFailedException:
        pass
