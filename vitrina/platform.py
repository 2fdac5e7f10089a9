"""The platform's settings: what administrators change while it runs."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from vitrina import aws, history, settings
from vitrina.auth import Identity
from vitrina.errors import Conflict
from vitrina.events import SettingsUpdate, SettingsUpdated
from vitrina.history import Change, Outrun, Row

LONGEST_NOTES = 1000


def _require_number(value: object) -> object:
    if isinstance(value, (str, bool)):
        raise ValueError("expected a number")  # noqa: TRY004 - pydantic's way to say it
    return value


# In JSON "5" and true are no numbers, and 5.0 is a whole one.
Number = BeforeValidator(_require_number)


# JSON has one kind of number, and apps read it as such; DynamoDB keeps the decimal.
Money = Annotated[
    Decimal,
    Field(ge=0, max_digits=12, decimal_places=2),
    Number,
    PlainSerializer(float, when_used="json"),
    WithJsonSchema(
        {"type": "number", "minimum": 0, "maximum": 9_999_999_999.99, "multipleOf": 0.01}
    ),
]
NotesLength = Annotated[int, Field(ge=1, le=LONGEST_NOTES), Number]


class PlatformSettings(BaseModel):
    """All of them, as they are read and written over HTTP."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    approval_fee: Money
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """A code of ISO 4217."""
    longest_notes: NotesLength = LONGEST_NOTES
    """Of a moderator, in characters."""
    shortest_rejection_notes: NotesLength = 1

    @model_validator(mode="after")
    def _a_rejection_fits(self) -> Self:
        if self.shortest_rejection_notes > self.longest_notes:
            raise ValueError("shortest_rejection_notes is more than longest_notes")
        return self


class InForce(NamedTuple):
    version: int
    """0 until somebody changes what the deployment came with."""
    settings: PlatformSettings


def in_force() -> InForce:
    """Read the settings, strongly consistent."""
    found = aws.dynamodb().get_item(
        TableName=settings.current().platform_table,
        Key={"name": {"S": "settings"}},
        ConsistentRead=True,
    )
    if "Item" not in found:
        here = settings.current()
        return InForce(0, PlatformSettings(approval_fee=here.approval_fee, currency=here.currency))
    row = aws.from_item(found["Item"])
    fields = {name: row[name] for name in PlatformSettings.model_fields}
    return InForce(int(row["version"]), PlatformSettings.model_validate(fields))


def update(new: PlatformSettings, seen: int, admin: Identity) -> tuple[InForce, list[Row]]:
    """Replace the settings that an admin has seen, and tell everyone what is different.

    What changes nothing makes no new version. Raises Conflict `settings_changed` when another
    version than `seen` is in force, or Unavailable `busy`.
    """
    old = in_force()
    if old.version != seen:
        raise _changed(old.version)
    before, after = old.settings.model_dump(), new.model_dump()
    names = {name for name in after if after[name] != before[name]}
    if not names:
        return old, []
    version = seen + 1
    row = {
        "name": "settings",
        "version": version,
        **after,
        "changed_at": datetime.now(UTC).isoformat(),
        "admin_id": admin.account_id,
    }
    put: Any = {
        "TableName": settings.current().platform_table,
        "Item": aws.to_item(row),
        "ConditionExpression": "version = :seen" if seen else "attribute_not_exists(version)",
    }
    if seen:
        put["ExpressionAttributeValues"] = aws.to_item({":seen": seen})
    changed: Any = new.model_dump(mode="json", include=names)
    event = SettingsUpdated(data=SettingsUpdate(version=version, changed=changed))
    try:
        rows = history.commit([Change({"Put": put}, event)])
    except Outrun:
        raise _changed(in_force().version) from None
    return InForce(version, new), rows


def _changed(version: int) -> Conflict:
    return Conflict("settings_changed", f"Version {version} is in force; read it first.")
