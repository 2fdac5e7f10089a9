"""Public text is written in plain words, and names no document that is not in the repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_PLAIN = re.compile(
    r"hears? of|without a word|\bis let\b|nobody to tell|the word that|in one hand|behind our back"
    r"|of each engine|\bwhoever\b|\bshall\b|left without|given again|seed document|the seed's"
    r"|according to the design|as designed",
    re.IGNORECASE,
)
OLD_NAME = re.compile(r"\b(LONGEST|LARGEST|FEWEST|MOST)_[A-Z]")
KINDS = {".py", ".md", ".js", ".mjs", ".toml", ".yml"}


def public_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [name for name in listed if Path(name).suffix in KINDS or name == "Makefile"]


@pytest.mark.parametrize("pattern", [NOT_PLAIN, OLD_NAME], ids=["words", "names"])
def test_public_text_uses_plain_words_and_the_names_of_the_field(pattern: re.Pattern[str]) -> None:
    this = Path(__file__).relative_to(ROOT).as_posix()
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in public_files()
        if name != this and (ROOT / name).is_file()
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []
