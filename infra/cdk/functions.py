"""The table of functions: the folders under functions/, with their grants and sizes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from vitrina.history import OUTBOX_INDEX
from vitrina.products import SHOP_INDEX, STATUS_INDEX

READ_AND_PRUNE = ("Query", "GetItem", "DeleteItem")

# A connection that could not be closed is marked in its rows, so that it receives nothing more.
CLOSE = (*READ_AND_PRUNE, "PutItem", "UpdateItem")
# The first read of a channel's position creates the channel.
READ_POSITIONS = ("BatchGetItem", "PutItem")
PUBLISH = (*READ_POSITIONS, "UpdateItem")
# Whether a token's session, or everyone's, has ended.
LOOK = ("BatchGetItem",)


class Function(NamedTuple):
    """One function: its DynamoDB actions by table or `table/index`, other grants, and size."""

    tables: Mapping[str, tuple[str, ...]] = {}
    has_key: bool = False
    """Whether it reads tokens: with the signing key, or another issuer's public keys."""
    posts: bool = False
    """Whether it posts to connections."""
    closes: bool = False
    """Whether it closes connections."""
    probes: bool = False
    """Whether it asks about connections."""
    queues: bool = False
    """Whether it puts fan-out tasks."""
    snap_start: bool = False
    """Whether people wait for it; if the stage has `snap_start`, it starts from a snapshot."""
    memory_mb: int = 512
    timeout_seconds: int = 10


def _publisher(tables: Mapping[str, tuple[str, ...]], **more: Any) -> Function:
    """Return a function that commits and publishes; its timeout is how long API Gateway waits."""
    return Function(
        {
            "platform": ("GetItem",),
            "history": PUBLISH,
            "connections": READ_AND_PRUNE,
            "sessions": LOOK,
            **tables,
        },
        has_key=True,
        posts=True,
        queues=True,
        timeout_seconds=29,
        **more,
    )


FUNCTIONS = {
    "connect": Function(
        {"connections": ("Query", "PutItem", "DeleteItem"), "sessions": LOOK},
        has_key=True,
        snap_start=True,
    ),
    "disconnect": Function({"connections": ("GetItem", "DeleteItem")}),
    "message": Function(
        {
            "connections": (*CLOSE, "BatchGetItem"),
            "history": (*READ_POSITIONS, "UpdateItem", "Query"),
            "platform": ("UpdateItem",),
            "sessions": (*LOOK, "PutItem"),
        },
        has_key=True,
        posts=True,
        closes=True,
        snap_start=True,
        timeout_seconds=29,
    ),
    "greet": Function(
        {"history": READ_POSITIONS, "connections": (*CLOSE, "BatchGetItem"), "sessions": LOOK},
        posts=True,
        closes=True,
        queues=True,
        snap_start=True,
        timeout_seconds=30,
    ),
    # One whole vCPU, because posting is limited by the processor.
    "approve": _publisher(
        {"products": ("BatchGetItem", "PutItem")}, snap_start=True, memory_mb=1769
    ),
    "reject": _publisher({"products": ("BatchGetItem", "PutItem")}),
    "products": _publisher(
        {
            "products": ("BatchGetItem", "PutItem"),
            f"products/{STATUS_INDEX}": ("Query",),
            f"products/{SHOP_INDEX}": ("Query",),
            "platform": ("GetItem", "UpdateItem"),
        }
    ),
    "settings": _publisher({"platform": ("GetItem", "PutItem")}),
    "announce": _publisher({}),
    "accounts": Function(
        {"sessions": (*LOOK, "UpdateItem"), "connections": CLOSE},
        has_key=True,
        posts=True,
        closes=True,
        timeout_seconds=29,
    ),
    "fanout": Function(
        {
            "history": READ_POSITIONS,
            "connections": (*CLOSE, "BatchGetItem"),
            "sessions": LOOK,
        },
        posts=True,
        closes=True,
        probes=True,
        queues=True,
        snap_start=True,
        memory_mb=1769,
        timeout_seconds=30,
    ),
    "sweep": Function(
        {
            "history": ("BatchGetItem", "UpdateItem"),
            f"history/{OUTBOX_INDEX}": ("Query",),
            "connections": CLOSE,
            "sessions": LOOK,
        },
        posts=True,
        closes=True,
        queues=True,
        timeout_seconds=60,
    ),
    # One whole vCPU, because argon2id needs a processor, and 64 MiB.
    "login": Function(
        {
            "accounts": ("GetItem",),
            # Attempts.
            "platform": ("GetItem", "BatchGetItem", "UpdateItem", "PutItem", "DeleteItem"),
            "sessions": LOOK,
        },
        has_key=True,
        memory_mb=1769,
    ),
    "stats": Function(
        {
            "connections": ("Query",),
            "platform": ("GetItem", "UpdateItem"),
            "sessions": LOOK,
        }
    ),
    "openapi": Function(),
}
