"""The table: which event goes to which channels, and where a channel's connections are stored."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple
from zlib import crc32

from pydantic import StringConstraints

from vitrina import settings

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
    """Who is connecting; a claim of the token, and the name of everyone's channel of that type."""

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


class Partition(NamedTuple):
    """Where members of a channel are stored: `key` in the table, members beginning `prefix`."""

    key: str
    prefix: str


def membership(scope: str, name: str, count: int) -> Partition:
    """Return where members called `name` of a type or of the rooms are, among so many shards.

    `scope` is a client type, with an identity for a name, or `room`, with a room's. The shard is
    a hash of the name, so that one row serves both "every user" and "user 42".
    """
    return Partition(_key(scope, crc32(name.encode()) % count), f"{name}#")


def partitions(channel: str) -> Sequence[Partition]:
    """Return every partition to read for a channel: `user`, `shop:10` or `room:sale`.

    Each once: while the number of shards changes, those of every number that is in force. Of one
    identity or room the first is where new members are stored.
    """
    scope, colon, name = channel.partition(":")
    counts = shards(scope)
    if colon:
        return list(dict.fromkeys(membership(scope, name, count) for count in counts))
    return [Partition(_key(scope, shard), "") for shard in range(max(counts))]


def shards(scope: str) -> tuple[int, ...]:
    """Return how many shards a type or the rooms have: for new members, and then for older ones."""
    here = settings.current()
    return {
        "user": here.user_shards,
        "shop": here.shop_shards,
        "admin": here.admin_shards,
        "room": here.room_shards,
    }[scope]


def _key(scope: str, shard: int) -> str:
    return f"{scope}#{shard:02d}"
