"""Field types that several models share."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer that every JavaScript client reads exactly."""
MAX_TOKEN_CHARACTERS = 4096
MAX_NOTES_CHARACTERS = 1000
"""The most that the platform's settings may allow for moderators' notes."""


def _require_number(value: object) -> object:
    if isinstance(value, (str, bool)):
        raise ValueError("expected a number")  # noqa: TRY004 - pydantic's way to refuse a value
    return value


# pydantic would take "5" and true for a number.
Number = BeforeValidator(_require_number)

Id = Annotated[int, Field(ge=1, le=MAX_SAFE_INTEGER)]
Timestamp = Annotated[float, Field(gt=0, le=MAX_SAFE_INTEGER)]
"""Seconds since 1970."""
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
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"\S")]
Notes = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NOTES_CHARACTERS)]
