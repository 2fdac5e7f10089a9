"""The tables of a function's grants: lines that name rows, and the statements of a policy.

What a function may do in a table is a line `"table": actions`, of an index `"table/index"`. In a
table that has rows of several kinds, the line names the rows by patterns of their partition key:
`"platform[settings,login#*]"`, and `"history[*]"` for all of them. `"table.attribute"` is that
attribute alone, of any row.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from vitrina.channels import CHANNELS

Lines = Mapping[str, tuple[str, ...]]
"""Actions by place."""

READ_AND_PRUNE = ("Query", "GetItem", "DeleteItem")

# A connection that could not be closed is marked in its rows, so that it receives nothing more.
CLOSE = (*READ_AND_PRUNE, "PutItem", "UpdateItem")
# The first read of a channel's position creates the channel.
READ_POSITIONS = ("BatchGetItem", "PutItem")
PUBLISH = (*READ_POSITIONS, "UpdateItem")
LANES = "history[lane@*]"
CHANNELS_OF_CLIENTS = "history[user,user:*,shop,shop:*,admin,admin:*,room:*]"
# The answers to requests with an idempotency key.
ONCE: Lines = {"platform[once#*]": ("GetItem", "PutItem")}
# Whether a token's session, or everyone's, has ended.
LOOK = ("BatchGetItem",)
# What ending a session removes.
DEVICES = "devices[user#*,shop#*,admin#*,endpoint#*]"
REMOVE_DEVICES = READ_AND_PRUNE
# Not `everyone`.
ACCOUNTS_SESSIONS = "sessions[user:*,shop:*,admin:*]"


SHARED_TABLES = ("connections", "devices", "history", "platform", "sessions")
"""The tables whose lines name the rows."""


class Statement(NamedTuple):
    """Actions on a table, or on an index of it."""

    place: str
    actions: tuple[str, ...]
    keys: tuple[str, ...]
    """Patterns of the partition keys that are allowed; empty for all."""
    attribute: str = ""
    """The only attribute, beside the key, that a request may name; empty for all."""


def statements(tables: Lines) -> list[Statement]:
    """Return the statements of a function's lines.

    An action has the keys of all its lines: one statement must allow all keys of a request.
    """
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line, actions in tables.items():
        place, _, patterns = line.removesuffix("]").partition("[")
        for action in actions:
            keys[place, action].update(patterns.split(",") if patterns else "*")
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (place, action), allowed in keys.items():
        grouped[place, () if "*" in allowed else tuple(sorted(allowed))].append(action)
    return [
        Statement(place.partition(".")[0], tuple(actions), found, place.partition(".")[2])
        for (place, found), actions in grouped.items()
    ]


def channels_of(*events: str) -> str:
    """Return the line's name of the rows of the channels that events are published to."""
    channels = dict.fromkeys(channel for event in events for channel in CHANNELS[event])
    return f"history[{','.join(re.sub('{.*}', '*', channel) for channel in channels)}]"
