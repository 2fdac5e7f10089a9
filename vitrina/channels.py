"""The table of events and the channels that each is published to."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import StringConstraints

ROOM_PATTERN = r"(shop:[1-9][0-9]{0,15}\.)?[A-Za-z0-9_.-]{1,64}"
ROOM_RULE = (
    "Rooms shop:N.… are for shop N and administrators, rooms admin.… for administrators. "
    "Other names that begin like these are reserved."
)

Room = Annotated[str, StringConstraints(pattern=f"^{ROOM_PATTERN}$")]
Channel = Annotated[
    str,
    StringConstraints(
        pattern=f"^((user|shop|admin)(:[1-9][0-9]{{0,15}})?|room:{ROOM_PATTERN})$", max_length=91
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
    "product.withdrawn": ("user", "shop", "admin"),
    "settings.updated": ("user", "shop", "admin"),
    "announcement.published": ("{to}",),
}


class Mode(StrEnum):
    """How an account is notified of an event while its phone has no connection."""

    PUSH = "push"
    DIGEST = "digest"
    """Once an hour at most, for all such events together."""
    OFF = "off"


class Audience(NamedTuple):
    """Whose devices an event is pushed to."""

    to: str
    """A client type or an identity, as a channel; a name in braces is a field of the data."""
    modes: tuple[Mode, ...]
    """What an account may choose; the first one is the default."""


_ANY = (Mode.PUSH, Mode.DIGEST, Mode.OFF)

# The column *push* of the table above. Other events are not pushed. Nothing is pushed to rooms,
# which have no members without a connection.
PUSH: dict[str, tuple[Audience, ...]] = {
    "product.approved": (
        Audience("shop:{shop_id}", _ANY),
        Audience("user", (Mode.OFF, Mode.DIGEST)),
    ),
    "product.rejected": (Audience("shop:{shop_id}", _ANY),),
    "product.withdrawn": (Audience("shop:{shop_id}", _ANY),),
    "announcement.published": (Audience("{to}", _ANY),),
}

# Names that look like those of a namespace: `Admin.x`, `shop-10.x`, `shops.x`.
_RESERVED = re.compile(r"admin|shops?(?![a-z])", re.IGNORECASE)


def modes_for(client_type: ClientType) -> dict[str, tuple[Mode, ...]]:
    """Return the events that accounts of a type may be pushed, with the modes they may choose."""
    return {
        event: audience.modes
        for event, audiences in PUSH.items()
        for audience in audiences
        if audience.to.partition(":")[0] in (client_type, "{to}")
    }


def mode(event: str, client_type: ClientType, chosen: Mapping[Any, Mode]) -> Mode:
    """Return how an account is notified of an event, by what it has chosen."""
    modes = modes_for(client_type).get(event, (Mode.OFF,))
    found = chosen.get(event, modes[0])
    return found if found in modes else modes[0]


def is_room(channel: str) -> bool:
    return channel.startswith("room:")


def may_join(room: str, client_type: ClientType, identity: str) -> bool:
    """Return whether a client may be in a room, by the room's name; `ROOM_RULE` says it in words.

    Nobody may join a room with a reserved name. An administrator who is refused has misspelled a
    namespace.
    """
    is_admin = client_type is ClientType.ADMIN
    namespace, dot, _ = room.partition(".")
    if dot and namespace == "admin":
        return is_admin
    if ":" in namespace:
        return is_admin or (client_type is ClientType.SHOP and namespace == f"shop:{identity}")
    return not _RESERVED.match(room)
