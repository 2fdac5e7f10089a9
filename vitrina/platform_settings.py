"""The platform's settings, which administrators change at run time."""

from collections.abc import Container, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vitrina import aws, config, publishing
from vitrina.auth import Identity
from vitrina.errors import Conflict
from vitrina.events import SettingsUpdate, SettingsUpdated
from vitrina.history import Change, WriteConflict
from vitrina.types import MAX_NOTES_CHARACTERS, Money, Number

NotesLength = Annotated[int, Field(ge=1, le=MAX_NOTES_CHARACTERS), Number]


class PlatformSettings(BaseModel):
    """The settings, as HTTP clients read and write them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    approval_fee: Money
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """A code of ISO 4217."""
    longest_notes: NotesLength = MAX_NOTES_CHARACTERS
    """Of a moderator, in characters."""
    shortest_rejection_notes: NotesLength = 1

    @model_validator(mode="after")
    def _a_rejection_fits(self) -> Self:
        if self.shortest_rejection_notes > self.longest_notes:
            raise ValueError("shortest_rejection_notes is more than longest_notes")
        return self


class VersionedSettings(NamedTuple):
    version: int
    """0 until an administrator changes the deployment's defaults."""
    settings: PlatformSettings


KEY = {"name": "settings"}


def read() -> VersionedSettings:
    """Return the settings in force, strongly consistent."""
    return from_row(aws.get(config.current().platform_table, KEY))


def from_row(row: Mapping[str, Any]) -> VersionedSettings:
    """Read the row of settings in plain Python; if it is empty, the deployment's are in force."""
    if not row:
        here = config.current()
        defaults = PlatformSettings(approval_fee=here.approval_fee, currency=here.currency)
        return VersionedSettings(0, defaults)
    fields = {name: row[name] for name in PlatformSettings.model_fields}
    return VersionedSettings(int(row["version"]), PlatformSettings.model_validate(fields))


def update(new: PlatformSettings, expected: Container[int], admin: Identity) -> VersionedSettings:
    """Replace the settings, and publish the fields that have changed to everyone.

    Settings without a change keep their version. Raises Conflict `settings_changed` when another
    version than the expected ones is in force, or Unavailable `busy`.
    """
    old = read()
    if old.version not in expected:
        raise _changed(old.version)
    before, after = old.settings.model_dump(), new.model_dump()
    names = {name for name in after if after[name] != before[name]}
    if not names:
        return old
    version = old.version + 1
    row = {
        "name": "settings",
        "version": version,
        **after,
        "changed_at": datetime.now(UTC).isoformat(),
        "admin_id": admin.account_id,
    }
    write = aws.put_version(config.current().platform_table, row, expected=old.version)
    changed: Any = new.model_dump(mode="json", include=names)
    event = SettingsUpdated(data=SettingsUpdate(version=version, changed=changed))
    try:
        publishing.commit([Change(write, [event])])
    except WriteConflict:
        raise _changed(read().version) from None
    return VersionedSettings(version, new)


def _changed(version: int) -> Conflict:
    return Conflict("settings_changed", f"Version {version} is in force; read it first.")
