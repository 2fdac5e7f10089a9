"""The documents: their fenced blocks and their headings."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/guide.md"

_FENCE = re.compile(r"^(?:<!-- (\w+): (\S+) -->\n)?```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block, and the comment above it, such as `<!-- run: login -->`, if there is one."""

    kind: str
    name: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [
        Block(kind, name, language, text)
        for kind, name, language, text in _FENCE.findall(page.read_text())
    ]


def block(page: Path, kind: str, name: str) -> str:
    """Return the text below `<!-- KIND: NAME -->`."""
    (found,) = [block for block in blocks(page) if (block.kind, block.name) == (kind, name)]
    return found.text


def levels(page: Path) -> list[int]:
    """Return the levels of the headings, in order."""
    prose = _FENCE.sub("", page.read_text())
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]


def links(page: Path) -> list[str]:
    """Return the files that a page links to, relative to it."""
    prose = _FENCE.sub("", page.read_text())
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", prose)
    return [target for target in targets if "://" not in target]
