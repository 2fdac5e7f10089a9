"""The rate of posts, shared by the workers that are active.

One row lists them, each until a moment. A share that is fixed, by the greatest number of workers,
would leave most of the account's rate unused when one lane has work.
"""

from zlib import crc32

from vitrina import aws, config, history, lanes
from vitrina.lanes import Lane
from vitrina.partitions import Kind

# The rest is for posts of requests, greetings and recoveries, and for the retry queue.
LANES_SHARE = 0.95
RETRY_SHARE = 0.02
"""Of each worker of the retry queue."""

# Plain connections need a post for each event. They have little beside others, and all of the rate
# where there are no others.
WEIGHTS = {Kind.BATCH: 4, Kind.PLAIN: 1}

# A worker enters the row for each slice. One that has died leaves it by itself.
ACTIVE_MS = 2_000
_ROW = {"channel": f"{lanes.PREFIX}@rate", "seq": 0}


def enter(lane: Lane) -> float:
    """Enter the worker of a lane; return its share, in posts a second."""
    now = history.now_ms()
    row = _update("SET #me = :until", lane, {":until": now + ACTIVE_MS})
    workers = {name: until for name, until in row.items() if name not in _ROW}
    lapsed = [name for name, until in workers.items() if until < now]
    if lapsed:
        _remove(lapsed)
    here = config.current()
    mine = WEIGHTS[lane.kind]
    active = sum(_weight(name) for name in workers if name not in lapsed)
    active = min(active, here.fanout_workers * max(WEIGHTS.values()))
    return LANES_SHARE * here.posts_per_second * mine / max(mine, active)


def leave(lane: Lane) -> None:
    """Leave the rate to the others."""
    _remove([_attribute(lane)])


def first_share() -> float:
    """Return the share of a worker that does not know yet who else is active.

    When many begin at once, none takes what is another's.
    """
    here = config.current()
    return LANES_SHARE * here.posts_per_second / here.fanout_workers


def retry_share() -> float:
    return RETRY_SHARE * config.current().posts_per_second


def _attribute(lane: Lane) -> str:
    """Return a lane's name in the row: its kind and a hash."""
    return f"{lane.kind}_{crc32('@'.join(lane).encode()):08x}"


def _weight(attribute: str) -> int:
    return WEIGHTS[Kind(attribute.partition("_")[0])]


def _update(update: str, lane: Lane, values: dict[str, int]) -> dict[str, int]:
    row = aws.dynamodb().update_item(
        TableName=config.current().history_table,
        Key=aws.to_item(_ROW),
        UpdateExpression=update,
        ExpressionAttributeNames={"#me": _attribute(lane)},
        ExpressionAttributeValues=aws.to_item(values),
        ReturnValues="ALL_NEW",
    )
    return aws.from_item(row["Attributes"])


def _remove(names: list[str]) -> None:
    aws.dynamodb().update_item(
        TableName=config.current().history_table,
        Key=aws.to_item(_ROW),
        UpdateExpression=f"REMOVE {', '.join(names)}",
    )
