"""What a benchmark found: its tables as text and as Markdown, its place in docs/benchmarks.md."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench import machine

DOCUMENT = machine.ROOT / "docs" / "benchmarks.md"
CHARTS = DOCUMENT.with_suffix("")
PREAMBLE = """# Benchmarks

Written by `make bench`, a section by each benchmark; `build/bench/bin/python -m bench NAME` writes
one again. They need two cores of Linux, and say which Debian packages they miss.
"""


@dataclass(frozen=True)
class Table:
    title: str
    columns: list[str]
    rows: list[list[str]]

    def to_text(self) -> str:
        """Align the first column left and the others right, as numbers are."""
        lines = [self.columns, *self.rows]
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        aligned = (_align(line, widths) for line in lines)
        return "\n".join((self.title, *aligned))

    def to_markdown(self) -> str:
        ruler = ["---", *["---:"] * (len(self.columns) - 1)]
        lines = (f"| {' | '.join(line)} |" for line in (self.columns, ruler, *self.rows))
        return "\n".join((f"**{self.title}**", "", *lines))


def _align(cells: list[str], widths: list[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])


@dataclass(frozen=True)
class Target:
    """What was promised before it was measured."""

    what: str
    at_least: float
    measured: float

    def to_row(self) -> list[str]:
        verdict = "met" if self.measured >= self.at_least else "missed"
        return [self.what, f"≥ {self.at_least:g}", f"{self.measured:.3g}", verdict]


def targets(promised: list[Target]) -> Table:
    columns = ["ratio", "target", "measured", ""]
    return Table("Targets", columns, [target.to_row() for target in promised])


@dataclass(frozen=True)
class Section:
    """One benchmark's part of the document."""

    title: str
    introduction: str
    tables: list[Table]
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    chart: Path | None = None
    """An SVG under docs/benchmarks/."""

    def to_text(self) -> str:
        tables = (table.to_text() for table in self.tables)
        return "\n\n".join((self.title, *tables, "\n".join(self.notes)))

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


def write(name: str, section: Section) -> None:
    """Put a section into the document, in place of the one it had; the others stay."""
    document = DOCUMENT.read_text() if DOCUMENT.exists() else PREAMBLE
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    text = f"{begin}\n{section.to_markdown(name)}\n{end}"
    place = re.compile(f"{begin}.*?{end}", re.DOTALL)
    if place.search(document):
        document = place.sub(lambda _: text, document)
    else:
        document = f"{document}\n{text}\n"
    DOCUMENT.write_text(document)
