"""Consecutive ids, from counters in the platform table."""

from typing import Literal

from vitrina import aws, config


def next_id(kind: Literal["account", "product"]) -> int:
    """Return 1, 2, 3 …; ids are never repeated, and may have gaps after a failure."""
    counted = aws.update(
        config.current().platform_table,
        {"name": f"last_{kind}_id"},
        "ADD #value :one",
        {":one": 1},
        names={"#value": "value"},
        returns_row=True,
    )
    return int(counted.row["value"])
