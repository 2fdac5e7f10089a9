"""Devices: phones that are registered for pushes, each by a session."""

import hashlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vitrina import (
    aws,
    buckets,
    channels,
    config,
    connections,
    device_rows,
    endpoints,
    owners,
    preferences,
    session_rows,
    sessions,
)
from vitrina.buckets import Rate
from vitrina.channels import Mode
from vitrina.device_rows import Device
from vitrina.digests import RowKey
from vitrina.endpoints import Platform
from vitrina.errors import Problem, Unavailable
from vitrina.preferences import Preferences, StoredPreferences, ZoneName

if TYPE_CHECKING:
    from vitrina.auth import Identity
    from vitrina.endings import Ending

DEVICE_TTL_SECONDS = 60 * 86_400
# A start of the app within a day of another one writes nothing.
SEEN_INTERVAL_SECONDS = 86_400
# During a registration; the function times out earlier.
REGISTRATION_TTL_SECONDS = 60
# Of an account: thirty at once, then one a minute. An unchanged device counts once a day.
CHANGES = Rate(tries=30, seconds=60)
# The event that is published to topics.
_ANNOUNCEMENT = "announcement.published"
# The condition that the device still has this endpoint.
_SAME_ENDPOINT = "endpoint = :endpoint"


class Registration(BaseModel):
    """The data that an app sends about its phone at every start."""

    model_config = ConfigDict(extra="forbid")

    platform: Platform
    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.-]+$", min_length=8, max_length=1024)]
    """Of APNs, in hexadecimal, or of FCM."""
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8}){0,4}$")]
    timezone: ZoneName
    app_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.+_-]{1,40}$")]

    @model_validator(mode="after")
    def _a_token_has_one_spelling(self) -> Self:
        """Hexadecimal in two cases would be two endpoints of one phone."""
        if self.platform is not Platform.FCM:
            self.token = self.token.lower()
        return self


def register(identity: "Identity", device_id: str, registration: Registration) -> None:
    """Store a device of a session, with an endpoint that no other device has.

    The account's devices beyond `sessions_per_account` are removed, those not seen longest first.
    A device that had the token before is removed. Stores the device, then reads the session: if it
    ends at the same time, the ending removes the device, or this raises `token_revoked`. A device
    whose registration is interrupted expires after a minute. Raises TooManyRequests
    `too_many_requests`, and what `endpoints.settle` raises.
    """
    endpoints.require_on()
    key = device_rows.key_of(identity, device_id)
    before = device_rows.read(key)
    row = _attributes(identity, registration)
    now = int(time.time())
    is_known = before.get("expires_at", 0) > now + DEVICE_TTL_SECONDS and all(
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
        stored = device_rows.read(key)
        if "endpoint" not in stored:
            raise Unavailable("busy", "Another account registers this phone; try again.")
        device = device_rows.from_row(stored)
        chosen = preferences.read(identity.session.account)
        if not is_known or device.joins or _has_topic(device, chosen):
            _follow(device, chosen)
    if not is_known:
        # The sweep removes it before: SNS must forget it too.
        end = {"expires_at": now + DEVICE_TTL_SECONDS + SEEN_INTERVAL_SECONDS}
        device_rows.update(key, end, _SAME_ENDPOINT, {":endpoint": endpoint})


def unregister(identity: "Identity", device_id: str) -> None:
    """Remove a device of an account, if it is registered."""
    endpoints.require_on()
    key = device_rows.key_of(identity, device_id)
    if row := device_rows.read(key):
        _remove_row(key, row)


def prefer(identity: "Identity", new: Preferences) -> Preferences:
    """Store what an account chooses, for all of its devices; return it with the defaults.

    Raises Invalid `request_invalid` for what its type cannot choose, and TooManyRequests
    `too_many_requests`.
    """
    _count(identity)
    whole = new.whole(identity.client_type)
    chosen = preferences.replace(identity.session.account, new)
    own = _of_bearer(identity)
    aws.in_parallel(lambda device: _follow(device, chosen), own)
    return whole


def remove_ended(ended: "Ending") -> None:
    """Remove the devices of what has ended of an account."""
    row = ended.row
    # SNS does not know that a device has expired.
    for device in device_rows.of_account(
        row.client_type, row.account_id, row.shop_id, expired=True
    ):
        if ended.has(device.session_id, device.era):
            remove(device)


def remove(device: Device) -> None:
    """Remove a device as it was read, and its endpoint if no other device has it."""
    row = device_rows.read(device.key)
    if row and (device.endpoint, device.session_id) == (row["endpoint"], row.get("session")):
        _remove_row(device.key, row)


def expire(key: RowKey) -> None:
    """Remove the owner that a row names, if the app has not started for `DEVICE_TTL_SECONDS`."""
    found = owners.lapsed(key)
    if not found:
        return
    endpoint, owner = found
    row = device_rows.read(owner)
    if row and row["endpoint"] == endpoint:
        _remove_row(owner, row)
    else:
        _leave_endpoint(endpoint, owner, None)


def _count(identity: "Identity") -> None:
    """Count a change of an account's; raises TooManyRequests."""
    buckets.require(f"devices#{identity.session.account}", CHANGES)


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


def _of_bearer(identity: "Identity") -> list[Device]:
    return device_rows.of_account(identity.client_type, identity.account_id, identity.shop_id)


def _remove_excess(identity: "Identity") -> None:
    limit = config.current().sessions_per_account
    for device in sorted(_of_bearer(identity), key=lambda device: device.seen_at)[:-limit]:
        remove(device)


# --- Endpoints ---


def _store(key: RowKey, row: dict[str, Any], before: Mapping[str, Any], now: int) -> None:
    """Write what is registered; the rest of the row stays, but for another endpoint's topic."""
    new = row | {"seen_at": now, "expires_at": now + REGISTRATION_TTL_SECONDS, "joins": True}
    former = before.get("endpoint")
    if former and former != row["endpoint"]:
        _leave_endpoint(former, key, before.get("subscription"))
        new["subscription"] = None
    device_rows.update(key, new)


def _take(endpoint: str, key: RowKey) -> None:
    """Make a device the owner of an endpoint, and remove those that were.

    Raises Unavailable `busy` where SNS does not say whether such a device has a subscription.
    """
    former = owners.take(endpoint, key, int(time.time()) + DEVICE_TTL_SECONDS)
    for other in former:
        row = device_rows.read(other)
        if row and row["endpoint"] == endpoint:
            other_type = device_rows.type_of(other)
            is_unknown = row.get("joins") and "subscription" not in row
            # After a crash, or a lost answer. The topic of the same type is the new owner's too.
            if is_unknown and other_type is not device_rows.type_of(key):
                endpoints.leave(other_type, endpoint, None)
            _remove_row(other, row)
    owners.release(endpoint, former)


def _leave_endpoint(endpoint: str, key: RowKey, subscription: str | None) -> None:
    """End the subscription and delete the endpoint, unless another device has the endpoint."""
    owner = owners.find(endpoint)
    # An endpoint has one subscription to a topic, which a new owner of the same type goes on with.
    if subscription and (
        owner is None or owner == key or device_rows.type_of(owner) is not device_rows.type_of(key)
    ):
        endpoints.unsubscribe(subscription)
    if owner == key:
        endpoints.delete(endpoint)
        owners.remove(endpoint, key)


def _remove_row(key: RowKey, row: Mapping[str, Any]) -> None:
    """Remove a device as it was read; its row is deleted last, so that this can be repeated."""
    _leave_endpoint(row["endpoint"], key, row.get("subscription"))
    device_rows.delete(key, row)


# --- What an account has chosen ---


def _follow(device: Device, chosen: StoredPreferences) -> None:
    """Write what its account has chosen into a device's row, and follow its topic.

    Others may do the same, for older choices or later ones; the last to write is the one with the
    latest, and leaves SNS as that one wants it. The row says that the device joins before SNS
    does, so that a subscription whose ARN was lost in a crash is ended too.
    """
    same: dict[str, Any] = {":endpoint": device.endpoint}
    subscription = device.subscription
    while True:
        has_topic = _has_topic(device, chosen)
        if has_topic:
            if not device.joins:
                device_rows.update(device.key, {"joins": True}, _SAME_ENDPOINT, same)
            found = endpoints.subscribe(device.client_type, device.endpoint)
            subscription = found or subscription
        elif subscription or device.joins:
            endpoints.leave(device.client_type, device.endpoint, subscription)
            subscription = None
        quiet = chosen.preferences.quiet_hours
        new = {
            "modes": dict(chosen.preferences.events) or None,
            "quiet_hours": quiet.model_dump_json() if quiet else None,
            "joins": has_topic or None,
            "subscription": subscription,
            "preferred": chosen.version,
        }
        is_latest = "(attribute_not_exists(preferred) OR preferred <= :preferred)"
        if device_rows.update(device.key, new, f"{_SAME_ENDPOINT} AND {is_latest}", same):
            return
        row = device_rows.read(device.key)
        if row.get("endpoint") != device.endpoint:
            # It is another device's, which may not be in this topic, or deleted.
            _leave_endpoint(device.endpoint, device.key, subscription)
            return
        device = device_rows.from_row(row)
        chosen = preferences.read(session_rows.name(device.client_type, device.account_id))
        subscription = subscription or device.subscription


def _has_topic(device: Device, chosen: StoredPreferences) -> bool:
    mode = channels.mode(_ANNOUNCEMENT, device.client_type, chosen.preferences.events)
    return mode is Mode.PUSH and chosen.preferences.quiet_hours is None
