"""The DynamoDB tables: keys, indexes, expiry, streams."""

from typing import Literal, NamedTuple

from vitrina.digests import DUE_INDEX
from vitrina.endings import UNCLOSED_INDEX
from vitrina.history import OUTBOX_INDEX
from vitrina.products import SHOP_INDEX, STATUS_INDEX


class Key(NamedTuple):
    name: str
    type: Literal["S", "N"] = "S"


class Index(NamedTuple):
    """A global secondary index, with its partition key and its sort key."""

    name: str
    keys: tuple[Key, Key]
    projects_all: bool = True


class Table(NamedTuple):
    keys: tuple[Key, ...]
    """The partition key, and the sort key if there is one."""
    indexes: tuple[Index, ...] = ()
    expires: bool = False
    """Whether DynamoDB deletes rows after their `expires_at`."""
    has_stream: bool = False


TABLES = {
    "connections": Table((Key("partition"), Key("member")), expires=True, has_stream=True),
    "products": Table(
        (Key("product_id", "N"),),
        (
            Index(STATUS_INDEX, (Key(STATUS_INDEX), Key("status_changed_at"))),
            Index(SHOP_INDEX, (Key(SHOP_INDEX), Key("status_changed_at"))),
        ),
    ),
    "history": Table(
        (Key("channel"), Key("seq", "N")),
        (Index(OUTBOX_INDEX, (Key("unsent"), Key("created_at", "N")), projects_all=False),),
        expires=True,
    ),
    "devices": Table(
        (Key("partition"), Key("member")),
        (Index(DUE_INDEX, (Key("due"), Key("due_at", "N")), projects_all=False),),
        expires=True,
    ),
    "accounts": Table((Key("email"),)),
    "platform": Table((Key("name"),), expires=True),
    # Never restored from a backup: sessions that have ended would be alive again.
    "sessions": Table(
        (Key("account"),),
        (Index(UNCLOSED_INDEX, (Key("unclosed"), Key("closing_since", "N")), projects_all=False),),
        expires=True,
    ),
}
