"""The result of a benchmark: a section of docs/benchmarks.md."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

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


@dataclass(frozen=True)
class Target:
    """A ratio, with the target that was set before it was measured."""

    what: str
    at_least: float
    measured: float

    def to_row(self) -> list[str]:
        verdict = "met" if self.measured >= self.at_least else "missed"
        return [self.what, f"≥ {self.at_least:g}", f"{self.measured:.3g}", verdict]


def targets(ratios: list[Target]) -> Table:
    columns = ["ratio", "target", "measured", ""]
    return Table("Targets", columns, [target.to_row() for target in ratios])


@dataclass(frozen=True)
class Section:
    """One benchmark's part of the page."""

    title: str
    introduction: str
    tables: list[Table]
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    chart: Path | None = None
    """An SVG under docs/benchmarks/."""

    def to_markdown(self, name: str) -> str:
        parts = [f"## {self.title}", self.introduction]
        if self.chart:
            parts.append(f"![{self.title}]({self.chart.relative_to(DOCUMENT.parent)})")
        parts += [table.to_markdown() for table in self.tables]
        parts.append("\n".join(f"- {note}" for note in (*self.notes, self._origin(name))))
        return "\n\n".join(parts)

    def _origin(self, name: str) -> str:
        versions = ", ".join(f"{what} {version}" for what, version in self.versions.items())
        return (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} by `python -m bench {name}`: "
            f"{machine.description()}; {versions}."
        )


def write(name: str, text: str) -> None:
    """Replace one section of the page; raises ValueError if the page has no marks for it."""
    page = DOCUMENT.read_text()
    DOCUMENT.write_text(pages.renew(page, pages.read(page) | {name: text}))
