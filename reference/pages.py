"""Generated parts of Markdown pages, from `<!-- generated: NAME -->` to `<!-- end -->`."""

import re
from collections.abc import Iterable, Mapping, Sequence

_PART = re.compile(r"<!-- generated: ([\w-]+) -->\n(.*?)<!-- end -->", re.DOTALL)


def renew(page: str, parts: Mapping[str, str]) -> str:
    """Return the page with these parts; raises ValueError unless they are exactly the page's."""
    if different := read(page).keys() ^ parts.keys():
        raise ValueError(f"Either the page or its generator lacks {sorted(different)}.")
    return _PART.sub(lambda part: _marked(part[1], parts[part[1]]), page)


def read(page: str) -> dict[str, str]:
    """Return the generated parts of a page, by name."""
    return {part[1]: part[2].strip() for part in _PART.finditer(page)}


def _marked(name: str, text: str) -> str:
    return f"<!-- generated: {name} -->\n\n{text}\n\n<!-- end -->"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int = 1) -> str:
    """Return an aligned table: the first `text_columns` to the left, the others to the right."""
    lines = [columns, *rows]
    widths = [max(3, *map(len, cells)) for cells in zip(*lines, strict=True)]
    ruler = [
        "-" * width if place < text_columns else "-" * (width - 1) + ":"
        for place, width in enumerate(widths)
    ]
    lines.insert(1, ruler)
    return "\n".join(_aligned(line, widths, text_columns) for line in lines)


def _aligned(cells: Sequence[str], widths: Sequence[int], text_columns: int) -> str:
    padded = (
        cell.ljust(width) if place < text_columns else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"
