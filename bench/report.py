"""The result of a benchmark: a generated part of docs/benchmarks.md."""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any

from bench import machine
from reference import pages

DOCUMENT = machine.ROOT / "docs" / "benchmarks.md"
CHARTS = DOCUMENT.with_suffix("")


Row = list[tuple[str, str]]
"""Cells, each with the title of its column before it."""


@dataclass(frozen=True)
class Table:
    title: str
    rows: list[Row]

    def to_markdown(self) -> str:
        columns = [column for column, _ in self.rows[0]]
        cells = [[cell for _, cell in row] for row in self.rows]
        return f"**{self.title}**\n\n{pages.table(columns, cells)}"


def at_least(what: str, target: float, measured: float) -> Row:
    return _target(what, f"≥ {target:g}", measured, is_met=measured >= target)


def at_most(what: str, target: float, measured: float) -> Row:
    return _target(what, f"≤ {target:g}", measured, is_met=measured <= target)


def _target(what: str, target: str, measured: float, *, is_met: bool) -> Row:
    return [
        ("ratio or count", what),
        ("target", target),
        ("measured", f"{measured:.3g}"),
        ("", "met" if is_met else "missed"),
    ]


def spread(column: str, values: list[float], digits: int = 0) -> Row:
    """Return the cells of a median, and of the minimum and maximum."""
    low, high = min(values), max(values)
    between = f"{low:,.{digits}f}–{high:,.{digits}f}"
    return [(column, f"{median(values):,.{digits}f}"), ("min–max", between)]


def counts(bill: Mapping[str, float], columns: Mapping[str, str]) -> Row:
    """Return the cells of whole counts; `columns` maps titles to names in the bill."""
    return [(column, f"{bill.get(name, 0):,.0f}") for column, name in columns.items()]


@dataclass(frozen=True)
class Section:
    """The generated part of one benchmark; its introduction in the page is written by hand."""

    tables: list[Table]
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=lambda: {"Python": platform.python_version()})
    is_complete: bool = True
    """Whether it belongs into the page."""

    def to_markdown(self, name: str) -> str:
        versions = ", ".join(f"{what} {version}" for what, version in self.versions.items())
        origin = (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench NAME={name}`: "
            f"{machine.description()}; {versions}."
        )
        tables = (table.to_markdown() for table in self.tables)
        return "\n\n".join((*tables, "\n".join(f"- {note}" for note in (*self.notes, origin))))


def write_figures(name: str, figures: Mapping[str, Any]) -> None:
    """Write figures to docs/benchmarks/NAME.json, for the tables of docs/cost.md."""
    content = {
        "measured_on": f"{datetime.now(UTC):%Y-%m-%d}",
        "measured_by": machine.description(),
        name: figures,
    }
    (CHARTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")


def write(name: str, text: str) -> None:
    """Replace one part of the page; raises ValueError if the page has no marks for it."""
    page = DOCUMENT.read_text()
    DOCUMENT.write_text(pages.renew(page, pages.read(page) | {name: text}))
