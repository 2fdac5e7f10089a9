"""The result of a benchmark: a generated part of docs/benchmarks.md."""

import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median

from bench import machine
from reference import pages

DOCUMENT = machine.ROOT / "docs" / "benchmarks.md"
CHARTS = DOCUMENT.with_suffix("")


@dataclass(frozen=True)
class Table:
    title: str
    columns: list[str]
    rows: list[list[str]]

    def to_markdown(self) -> str:
        return f"**{self.title}**\n\n{pages.table(self.columns, self.rows)}"


def targets(rows: list[list[str]]) -> Table:
    """Return a table of the rows that `at_least` and `at_most` make."""
    return Table("Targets", ["ratio or count", "target", "measured", ""], rows)


def at_least(what: str, target: float, measured: float) -> list[str]:
    return [what, f"≥ {target:g}", f"{measured:.3g}", "met" if measured >= target else "missed"]


def at_most(what: str, target: float, measured: float) -> list[str]:
    return [what, f"≤ {target:g}", f"{measured:.3g}", "met" if measured <= target else "missed"]


def spread(values: list[float], digits: int = 0) -> list[str]:
    """Return the cells of a median, and of the minimum and maximum."""
    low, high = min(values), max(values)
    return [f"{median(values):,.{digits}f}", f"{low:,.{digits}f}–{high:,.{digits}f}"]


@dataclass(frozen=True)
class Section:
    """The generated part of one benchmark; its introduction in the page is written by hand."""

    tables: list[Table]
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=lambda: {"Python": platform.python_version()})

    def to_markdown(self, name: str) -> str:
        versions = ", ".join(f"{what} {version}" for what, version in self.versions.items())
        origin = (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench NAME={name}`: "
            f"{machine.description()}; {versions}."
        )
        tables = (table.to_markdown() for table in self.tables)
        return "\n\n".join((*tables, "\n".join(f"- {note}" for note in (*self.notes, origin))))


def write(name: str, text: str) -> None:
    """Replace one part of the page; raises ValueError if the page has no marks for it."""
    page = DOCUMENT.read_text()
    DOCUMENT.write_text(pages.renew(page, pages.read(page) | {name: text}))
