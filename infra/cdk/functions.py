"""The table of functions: the folders under functions/, with their grants and sizes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from infra.cdk.table_access import (
    ACCOUNTS_SESSIONS,
    CHANNELS_OF_CLIENTS,
    CLOSE,
    DEVICES,
    LANES,
    LOOK,
    ONCE,
    PUBLISH,
    READ_AND_PRUNE,
    READ_POSITIONS,
    REMOVE_DEVICES,
    channels_of,
)
from vitrina.digests import DUE_INDEX
from vitrina.endings import UNCLOSED_INDEX
from vitrina.history import OUTBOX_INDEX
from vitrina.products import SHOP_INDEX, STATUS_INDEX

# Few, so that connections that are not reached take no worker from lanes.
RETRY_WORKERS = 2


class Function(NamedTuple):
    """One function: its DynamoDB actions by place, other grants, and size."""

    tables: Mapping[str, tuple[str, ...]] = {}
    has_door: bool = False
    """Whether requests of clients come to it, which it refuses if they go around the edge."""
    reserved_concurrency: int = 0
    """Executions that are its own where the account has enough; 0 if it shares the others'. A flood
    of one door cannot take them from another, nor more than its own. For `fanout`, those of the
    retry queue."""
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
    hands_over: bool = False
    """Whether it puts push tasks. These four have an effect only where push is on."""
    registers: bool = False
    """Whether it registers devices with SNS."""
    forgets: bool = False
    """Whether it removes devices, and then SNS forgets them too."""
    pushes: bool = False
    """Whether it publishes to devices and topics; the function is deployed only for that."""
    is_traced: bool = False
    """Whether X-Ray records runs of it, if the stage has `tracing`: what an event goes through. Of
    a connection there are a hundred times as many runs, and each trace has a price."""
    snap_start: bool = False
    """Whether people wait for it; if the stage has `snap_start`, it starts from a snapshot."""
    memory_mb: int = 512
    """A processor's share grows with it. Waiting costs by the memory; computing costs the same with
    any, and takes longer with less. A function that no client waits for has the safe minimum."""
    timeout_seconds: int = 10


def _publisher(
    events: tuple[str, ...],
    tables: Mapping[str, tuple[str, ...]] = {},
    *,
    is_traced: bool = True,
    **more: Any,
) -> Function:
    """Return a function that commits and publishes; its timeout is how long API Gateway waits."""
    return Function(
        {
            channels_of(*events): PUBLISH,
            LANES: ("UpdateItem",),
            "connections[*]": READ_AND_PRUNE,
            "sessions[*]": LOOK,
            **tables,
        },
        has_door=True,
        has_key=True,
        posts=True,
        queues=True,
        hands_over=True,
        is_traced=is_traced,
        timeout_seconds=29,
        **more,
    )


FUNCTIONS = {
    "connect": Function(
        {
            "connections[user#*,shop#*,admin#*]": ("Query",),
            "connections[connection#*,user#*,shop#*,admin#*]": ("PutItem", "DeleteItem"),
            "sessions[*]": LOOK,
        },
        has_door=True,
        reserved_concurrency=200,
        has_key=True,
        snap_start=True,
    ),
    "disconnect": Function(
        {"connections[*]": ("GetItem", "DeleteItem")}, reserved_concurrency=100, memory_mb=256
    ),
    "message": Function(
        {
            "connections[*]": (*CLOSE, "BatchGetItem"),
            "history[*]": (*READ_POSITIONS, "UpdateItem", "Query"),
            "platform[recoveries#*]": ("UpdateItem",),
            "sessions[*]": LOOK,
            # An abusive client's account opens no connection for a minute.
            "sessions.barred_until[user:*,shop:*,admin:*]": ("UpdateItem",),
        },
        reserved_concurrency=50,
        has_key=True,
        posts=True,
        closes=True,
        snap_start=True,
        timeout_seconds=29,
    ),
    "greet": Function(
        {
            "history[*]": (*READ_POSITIONS, "Query"),
            "connections[*]": (*CLOSE, "BatchGetItem"),
            "platform[recoveries#*]": ("UpdateItem",),
            "sessions[*]": LOOK,
        },
        reserved_concurrency=40,
        posts=True,
        closes=True,
        queues=True,
        snap_start=True,
        timeout_seconds=30,
    ),
    # One whole vCPU, because posting is limited by the processor.
    "approve": _publisher(
        ("product.approved",),
        {"products": ("BatchGetItem", "PutItem"), "platform[settings]": ("BatchGetItem",), **ONCE},
        reserved_concurrency=30,
        snap_start=True,
        memory_mb=1769,
    ),
    "reject": _publisher(
        ("product.rejected", "product.withdrawn"),
        {"products": ("BatchGetItem", "PutItem"), "platform[settings]": ("BatchGetItem",), **ONCE},
    ),
    "products": _publisher(
        ("product.submitted", "product.withdrawn"),
        {
            "products": ("BatchGetItem", "PutItem"),
            f"products/{STATUS_INDEX}": ("Query",),
            f"products/{SHOP_INDEX}": ("Query",),
            "platform[last_product_id,submissions#*]": ("UpdateItem",),
            "platform[queue,queue#*]": ("GetItem", "UpdateItem"),
            # Positions that lists of approved products follow.
            channels_of("product.approved"): ("BatchGetItem", "Query"),
            **ONCE,
        },
        reserved_concurrency=150,
        # Nearly all of its runs read a list.
        is_traced=False,
    ),
    "settings": _publisher(
        ("settings.updated",),
        {"platform[settings]": ("GetItem", "PutItem")},
        reserved_concurrency=10,
    ),
    "announce": _publisher(("announcement.published",), ONCE),
    "accounts": Function(
        {
            "accounts": ("GetItem",),
            "sessions[*]": LOOK,
            ACCOUNTS_SESSIONS: ("UpdateItem",),
            "connections[*]": CLOSE,
            DEVICES: REMOVE_DEVICES,
        },
        has_door=True,
        has_key=True,
        posts=True,
        closes=True,
        forgets=True,
        timeout_seconds=29,
    ),
    "fanout": Function(
        {
            "history[*]": (*READ_POSITIONS, "Query"),
            LANES: ("UpdateItem",),
            "connections[*]": (*CLOSE, "BatchGetItem"),
            # Greetings that are tried again recover what was missed.
            "platform[recoveries#*]": ("UpdateItem",),
            "sessions[*]": LOOK,
        },
        reserved_concurrency=RETRY_WORKERS,
        posts=True,
        closes=True,
        probes=True,
        queues=True,
        is_traced=True,
        snap_start=True,
        memory_mb=1769,
        # Longer than a piece of a round, and with a lease's end shorter than the queue's wait.
        timeout_seconds=15,
    ),
    "sweep": Function(
        {
            "history[*]": ("BatchGetItem", "UpdateItem", "Query"),
            f"history/{OUTBOX_INDEX}": ("Query",),
            "connections[*]": CLOSE,
            "sessions[*]": LOOK,
            ACCOUNTS_SESSIONS: ("UpdateItem",),
            f"sessions/{UNCLOSED_INDEX}": ("Query",),
            DEVICES: REMOVE_DEVICES,
            f"devices/{DUE_INDEX}": ("Query",),
        },
        reserved_concurrency=2,
        posts=True,
        closes=True,
        queues=True,
        hands_over=True,
        forgets=True,
        timeout_seconds=60,
    ),
    # One whole vCPU, because argon2id needs a processor, and 64 MiB.
    "login": Function(
        {
            "accounts": ("GetItem",),
            # A hash of older parameters is replaced. Whose account it is stays as it was.
            "accounts.password_hash": ("UpdateItem",),
            # Attempts.
            "platform[login#*]": ("GetItem", "BatchGetItem", "UpdateItem", "PutItem", "DeleteItem"),
            "sessions[*]": LOOK,
            ACCOUNTS_SESSIONS: ("UpdateItem",),
        },
        has_door=True,
        reserved_concurrency=30,
        has_key=True,
        memory_mb=1769,
    ),
    "sessions": Function(
        {
            "sessions[*]": LOOK,
            ACCOUNTS_SESSIONS: ("UpdateItem",),
            "connections[*]": CLOSE,
            DEVICES: REMOVE_DEVICES,
        },
        has_door=True,
        reserved_concurrency=50,
        has_key=True,
        posts=True,
        closes=True,
        forgets=True,
        timeout_seconds=29,
    ),
    "devices": Function(
        {
            "devices[user#*,shop#*,admin#*,endpoint#*,account#*]": (*REMOVE_DEVICES, "UpdateItem"),
            "platform[devices#*]": ("UpdateItem",),
            "sessions[*]": LOOK,
        },
        has_door=True,
        reserved_concurrency=20,
        has_key=True,
        registers=True,
        forgets=True,
        timeout_seconds=29,
    ),
    "push": Function(
        {
            "devices[user#*,shop#*,admin#*,endpoint#*,digest#*]": (
                *REMOVE_DEVICES,
                "BatchGetItem",
                "UpdateItem",
            ),
            "history[user,user:*,shop,shop:*,admin,admin:*]": ("BatchGetItem",),
            "connections[user#*,shop#*,admin#*]": ("Query",),
            "sessions[*]": LOOK,
        },
        hands_over=True,
        forgets=True,
        pushes=True,
        # More than half a vCPU: a publish takes a millisecond of one.
        memory_mb=1024,
        # Longer than a piece of a walk, and a page after it at the lowest rate.
        timeout_seconds=60,
    ),
    "events": Function(
        {
            # The first read of a position creates the channel. Lanes are not for it.
            CHANNELS_OF_CLIENTS: READ_POSITIONS,
            "history[*]": ("Query",),
            "connections[joined#*]": ("BatchGetItem",),
            "platform[events#*]": ("UpdateItem",),
            "sessions[*]": LOOK,
        },
        has_door=True,
        reserved_concurrency=50,
        has_key=True,
    ),
    "stats": Function(
        {
            "connections[user#*,shop#*,admin#*,room#*]": ("Query",),
            "platform[stats]": ("GetItem", "UpdateItem"),
            "sessions[*]": LOOK,
        },
        has_door=True,
        reserved_concurrency=10,
    ),
    "openapi": Function(has_door=True, reserved_concurrency=10),
}
