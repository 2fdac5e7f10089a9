"""An account's notification preferences: a mode for each event, quiet hours."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from datetime import time as day_time
from typing import Annotated, Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from vitrina import aws, channels, config
from vitrina.channels import ClientType, Mode
from vitrina.errors import Invalid


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a folder of zones, such as Europe
        raise ValueError("expected a time zone of IANA, such as Europe/Berlin") from None
    return name


def _zone_or_utc(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(_zone(name))
    except ValueError:
        return ZoneInfo("UTC")


ZoneName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}$", max_length=64)
]
"""A phone's time zone: its list may be newer than the server's, or be `Etc/Unknown`."""
TimeZone = Annotated[ZoneName, AfterValidator(_zone)]
DayTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
PushedEvent = Literal[
    "product.approved", "product.rejected", "product.withdrawn", "announcement.published"
]


class QuietHours(BaseModel):
    """Hours of each day without notifications; the end may be on the next day."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    start: DayTime
    end: DayTime
    timezone: TimeZone | None = None
    """By default that of each device."""

    @model_validator(mode="after")
    def _has_hours(self) -> Self:
        if self.start == self.end:
            raise ValueError("start and end are the same")
        return self

    def end_after(self, moment: float, timezone: str) -> int | None:
        """Return when the quiet hours of a moment end, or None if it is in none.

        Moments are in seconds since 1970; `timezone` is the device's; one that is not known
        here counts as UTC.
        """
        local = datetime.fromtimestamp(moment, _zone_or_utc(self.timezone or timezone))
        start, end = map(day_time.fromisoformat, (self.start, self.end))
        now = local.time()
        is_quiet = start <= now < end if start < end else now >= start or now < end
        if not is_quiet:
            return None
        day = local.date() + timedelta(days=now >= end)
        ends = datetime.combine(day, end, local.tzinfo)
        if ends.timestamp() <= moment:  # clocks were set back, and the end comes again
            ends = ends.replace(fold=1)
        return int(ends.timestamp())


class Preferences(BaseModel):
    """A mode for each event that is pushed to accounts of this type, and quiet hours."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    events: dict[PushedEvent, Mode] = {}
    """Those that are left out have their defaults."""
    quiet_hours: QuietHours | None = None

    def whole(self, client_type: ClientType) -> Self:
        """Return the same with the defaults of what is left out.

        Raises Invalid `request_invalid` for what accounts of this type cannot choose.
        """
        modes = channels.modes_for(client_type)
        for event, chosen in self.events.items():
            if chosen not in modes.get(event, ()):
                raise Invalid("request_invalid", f"{event} cannot be {chosen} for a {client_type}.")
        defaults = {event: each[0] for event, each in modes.items()}
        return self.model_copy(update={"events": defaults | self.events})


class StoredPreferences(NamedTuple):
    """Preferences as they are stored."""

    version: int
    """0 until the account has chosen something."""
    preferences: Preferences


def read(account: str) -> StoredPreferences:
    """Return what an account, such as `user:42`, has chosen, strongly consistent."""
    return _chosen(aws.get(config.current().devices_table, _key(account)))


def replace(account: str, new: Preferences) -> StoredPreferences:
    """Store what an account chooses, under its next version."""
    stored = aws.update(
        config.current().devices_table,
        _key(account),
        "SET preferences = :new ADD version :one",
        {":new": new.model_dump_json(), ":one": 1},
        returns_row=True,
    )
    return _chosen(stored.row)


def delete(account: str) -> None:
    """Delete the preferences of an account, if there are any."""
    key = aws.to_item(_key(account))
    aws.dynamodb().delete_item(TableName=config.current().devices_table, Key=key)


def _chosen(row: Mapping[str, Any]) -> StoredPreferences:
    preferences = Preferences.model_validate_json(row.get("preferences", "{}"))
    return StoredPreferences(int(row.get("version", 0)), preferences)


def _key(account: str) -> dict[str, str]:
    return {"partition": f"account#{account}", "member": "preferences"}
