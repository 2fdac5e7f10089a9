"""The table of events and the channels that each is published to."""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

ROOM_PATTERN = r"[A-Za-z0-9_.-]{1,64}"

Room = Annotated[str, StringConstraints(pattern=f"^{ROOM_PATTERN}$")]
Channel = Annotated[
    str,
    StringConstraints(
        pattern=f"^((user|shop|admin)(:[1-9][0-9]{{0,15}})?|room:{ROOM_PATTERN})$", max_length=69
    ),
]
"""Everyone of a type (`user`), one identity (`shop:10`), or a room (`room:sale`)."""


class ClientType(StrEnum):
    """A claim of the token, and the name of the channel for everyone of that type."""

    USER = "user"
    SHOP = "shop"
    ADMIN = "admin"


# Policy. A name in braces is a field of the event's data.
CHANNELS: dict[str, tuple[str, ...]] = {
    "product.approved": ("user", "shop", "admin"),
    "product.rejected": ("shop:{shop_id}", "admin"),
    "product.submitted": ("admin",),
    "settings.updated": ("user", "shop", "admin"),
    "announcement.published": ("{to}",),
}
