"""The table of functions: the folders under functions/, with their grants and sizes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from vitrina.history import OUTBOX_INDEX
from vitrina.products import SHOP_INDEX, STATUS_INDEX

READ_AND_PRUNE = ("Query", "GetItem", "DeleteItem")

# Who could not be told of the end gets nothing any more: its rows are written again.
CLOSE = (*READ_AND_PRUNE, "PutItem", "UpdateItem")
# Whoever reads a channel's position first begins the channel.
READ_POSITIONS = ("BatchGetItem", "PutItem")
PUBLISH = (*READ_POSITIONS, "UpdateItem")
# Whether the account of a token was disconnected.
REVOCATIONS = ("GetItem",)


class Function(NamedTuple):
    """What one function needs: DynamoDB actions by table or `table/index`, and the rest."""

    tables: Mapping[str, tuple[str, ...]] = {}
    has_key: bool = False
    posts: bool = False
    closes: bool = False
    """Whether it may end connections as well."""
    queues: bool = False
    is_waited_for: bool = False
    """Whether people wait for it, so that its cold starts are worth a snapshot."""
    memory_mb: int = 512
    timeout_seconds: int = 10


def _publisher(tables: Mapping[str, tuple[str, ...]], **more: Any) -> Function:
    """Return what it takes to answer over HTTP, commit and publish.

    API Gateway waits 29 s; what publishes has a budget of 20 s, and time to end what it began.
    """
    return Function(
        {"platform": ("GetItem",), "history": PUBLISH, "connections": READ_AND_PRUNE, **tables},
        has_key=True,
        posts=True,
        queues=True,
        timeout_seconds=29,
        **more,
    )


FUNCTIONS = {
    "connect": Function(
        {"connections": ("PutItem", "GetItem", "DeleteItem"), "platform": REVOCATIONS},
        has_key=True,
        is_waited_for=True,
    ),
    "disconnect": Function({"connections": ("GetItem", "DeleteItem")}),
    "message": Function(
        {
            "connections": ("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            "history": (*READ_POSITIONS, "Query"),
            "platform": REVOCATIONS,
        },
        has_key=True,
        posts=True,
        is_waited_for=True,
        timeout_seconds=29,
    ),
    "greet": Function(
        {"history": READ_POSITIONS, "connections": CLOSE},
        posts=True,
        closes=True,
        is_waited_for=True,
        timeout_seconds=90,
    ),
    # One whole vCPU, of which posting makes use.
    "approve": _publisher(
        {"products": ("BatchGetItem", "PutItem")}, is_waited_for=True, memory_mb=1769
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
        {"platform": ("GetItem", "PutItem"), "connections": CLOSE},
        has_key=True,
        posts=True,
        closes=True,
        timeout_seconds=29,
    ),
    "fanout": Function(
        {"history": ("BatchGetItem",), "connections": READ_AND_PRUNE},
        posts=True,
        queues=True,
        is_waited_for=True,
        memory_mb=1769,
        timeout_seconds=30,
    ),
    "sweep": Function(
        {
            "history": ("BatchGetItem", "UpdateItem"),
            f"history/{OUTBOX_INDEX}": ("Query",),
            "connections": CLOSE,
        },
        posts=True,
        closes=True,
        queues=True,
        timeout_seconds=60,
    ),
    # argon2id wants 64 MiB and a processor to itself.
    "login": Function(
        {"accounts": ("GetItem",), "platform": ("GetItem", "PutItem", "DeleteItem")},
        has_key=True,
        memory_mb=1769,
    ),
    "stats": Function({"connections": ("Query",)}),
    "openapi": Function(),
}
