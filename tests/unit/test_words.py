"""Public text is written in plain words, and names no document that is not in the repository."""

import re
import subprocess
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Generated from texts that are checked, locked, licensed or listed: nobody writes these by hand.
NOT_WRITTEN = [
    "*LICENSE",
    "*package-lock.json",
    "*.svg",
    "clients/javascript/src/api.ts",
    "clients/javascript/src/events.ts",
    "docs/benchmarks/*.json",
    "functions/openapi/*.json",
    "functions/openapi/problems.html",
    "ops/common_passwords.txt",
    "requirements/*.txt",
]


def words(*phrases: str) -> re.Pattern[str]:
    """Match any of the phrases, also across the end of a line and the signs of a comment."""
    return re.compile("|".join(phrases).replace(" ", r"[\s#*/>]+"), re.IGNORECASE)


NOT_PLAIN = words(
    # Phrases that were replaced once, and their relatives.
    r"\bhears? (of|about)\b",
    r"\bunheard\b(?!-)",
    r"given again",
    r"the word that",
    r"\bcan(not)? be had\b",
    r"\bof each engine\b",
    r"divided among",
    r"nobody may keep",
    r"does not say so",
    r"behind our back",
    r"of the same moment",
    r"\b(the|all) own\b",
    r"knows when it",
    r"nobody to tell",
    r"\bis let\b",
    r"\bshall\b",
    r"otherwise stands",
    r"without a word",
    r"so many had",
    r"left without",
    r"\bin one hand\b",
    r"\banother hand\b",
    # Archaic words, and idioms.
    r"\bwho(so)?ever\b",
    r"\bwhomever\b",
    r"\b(there|where)(by|in|of|upon|with)\b",
    r"\bwhence\b",
    r"\bhitherto\b",
    r"\bhenceforth\b",
    r"\ball the same\b(?! \w)",
    r"speaks (for|against)\b",
    r"\bbelieves (it|anything)\b",
    r"\b(the app|an app|a client|the client) is told\b",
    r"\bof its own accord\b",
    r"\bnobody[’']s\b",
    # Documents that are not in the repository.
    r"seed document",
    r"the seed's",
    r"according to the design",
    r"\bas designed\b",
    r"\bby design\b",
)
# Calques, office words, and second words for a thing that has one.
NOT_RUSSIAN = words(
    r"артефакт",
    r"личност\w+ на всех",
    r"закоммич",
    r"тревог",
    r"межсетев\w+ экран",
    r"\bсейф",
    r"\bявля[ею]тся\b",
    r"\bданн(ый|ого|ому|ая|ую|ой)\b",
    r"\bосуществл",
    r"\bпосредством\b",
    r"\bв целях\b",
    r"\bв случае,? если\b",
    r"\bимеет место\b",
    r"\bпроизвод(ит|ят)ся\b",
    r"\bсеанс",  # сессия
    r"\bкадр",  # фрейм, сообщение
    r"\bучётн\w+ запис",  # аккаунт
    r"\bсоединени",  # подключение, связь
    r"\bпуш(и|ей|а|у|ам|ами|ах|ем)?\b",  # push-уведомление
)
OLD_NAME = re.compile(
    r"\b(LONGEST|LARGEST|SHORTEST|SMALLEST|FEWEST|MOST)_[A-Z]|\b\w*KEPT_SECONDS\b|\bsurplus\b"
    r"|\b(heard|anew)\b(?!=)|\bof tomorrow\b"
)


@pytest.fixture(scope="module")
def texts() -> Mapping[str, str]:
    """The texts of all files that people write, by name."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    this = Path(__file__).relative_to(ROOT).as_posix()
    found = {}
    for name in listed:
        left_out = name == this or any(fnmatch(name, pattern) for pattern in NOT_WRITTEN)
        if left_out or not (ROOT / name).is_file():
            continue
        try:
            found[name] = (ROOT / name).read_text()
        except UnicodeDecodeError:  # a picture
            continue
    return found


def test_every_kind_of_text_is_read(texts: Mapping[str, str]) -> None:
    kinds = {Path(name).suffix for name in texts}
    assert kinds >= {".py", ".md", ".ts", ".tsx", ".mjs", ".js", ".css", ".html", ".json", ".yml"}
    assert {"Makefile", ".ci/run", ".github/workflows/test.yml", "cdk.json"} <= set(texts)


@pytest.mark.parametrize(
    "pattern",
    [NOT_PLAIN, NOT_RUSSIAN, OLD_NAME],
    ids=["words", "russian", "names"],
)
def test_public_text_uses_plain_words_and_the_names_of_the_field(
    pattern: re.Pattern[str], texts: Mapping[str, str]
) -> None:
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for name, text in texts.items()
        for match in pattern.finditer(text)
    ]
    assert found == []
