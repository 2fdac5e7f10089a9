"""Field types that several models share."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from vitrina import texts

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer that every JavaScript client reads exactly."""
MAX_TOKEN_CHARACTERS = 4096
BYTE_ORDER_MARK = "\ufeff"
"""At the beginning of a JSON text, it is ignored (RFC 8259, section 8.1)."""
SESSION_ID_PATTERN = r"^[A-Za-z0-9_-]{22}$"
MAX_NOTES_CHARACTERS = 1000
"""The most that the platform's settings may allow for moderators' notes."""


def _require_number(value: object) -> object:
    if isinstance(value, (str, bool)):
        raise ValueError("expected a number")  # noqa: TRY004 - pydantic's way to refuse a value
    return value


# pydantic would take "5" and true for a number.
Number = BeforeValidator(_require_number)

_NUMERAL = re.compile(r"0|[1-9][0-9]*")


def _require_numeral(value: object) -> object:
    if isinstance(value, str) and not _NUMERAL.fullmatch(value):
        raise ValueError("expected a whole number, such as 3")
    return value


# In a path or a query. pydantic would take "+3", "03", "3.0", "3_0" and " 3" too, and one resource
# would have many addresses.
Numeral = BeforeValidator(_require_numeral)

Id = Annotated[int, Field(ge=1, le=MAX_SAFE_INTEGER)]
Timestamp = Annotated[float, Field(gt=0, le=MAX_SAFE_INTEGER)]
"""Seconds since 1970."""
# JSON has one kind of number, and apps read it as such; DynamoDB keeps the decimal.
Money = Annotated[
    Decimal,
    Field(ge=0, max_digits=12, decimal_places=2),
    Number,
    # -0 is 0.
    AfterValidator(lambda amount: amount or Decimal(0)),
    PlainSerializer(float, when_used="json"),
    WithJsonSchema(
        {"type": "number", "minimum": 0, "maximum": 9_999_999_999.99, "multipleOf": 0.01}
    ),
]

# Texts that people write and others see; the last part of such a field's type.
OneLine = AfterValidator(texts.require_line)
Lines = AfterValidator(texts.require_text)


def visible(max_characters: int) -> StringConstraints:
    """Return the constraints of a text that `OneLine` or `Lines` checks afterwards."""
    return StringConstraints(
        strip_whitespace=True, min_length=1, max_length=max_characters, pattern=r"\S"
    )


Notes = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_NOTES_CHARACTERS),
    AfterValidator(texts.require_notes),
]
ShopName = Annotated[str, visible(200), OneLine]
DeviceName = Annotated[str, visible(40), OneLine]
"""What a person calls a phone, as in "Anna's Pixel"."""
