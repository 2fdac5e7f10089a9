"""The console in a browser, on the deployed stack. Each sentence is a test of `*.test.mjs` here."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from harness import browser
from local.emulator import PASSWORD

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.test.mjs"))
NAMES = [
    name
    for file in FILES
    for name in re.findall(r"^test\(\s*'([^']+)'", file.read_text(), re.MULTILINE)
]
MINUTES = 5


@pytest.fixture(scope="module")
def failures(request: pytest.FixtureRequest, url: str) -> dict[str, str]:
    """Run the tests that were chosen, in one browser; return what each says, empty if it passes."""
    if reason := browser.why_not():
        pytest.skip(reason)
    chosen = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
    ]
    ran = subprocess.run(
        [
            browser.NODE,
            *("--test", "--test-isolation=none", f"--test-timeout={MINUTES * 60_000}"),
            f"--test-reporter={HERE / 'reporter.mjs'}",
            *(f"--test-name-pattern=/^{re.escape(name)}$/" for name in chosen),
            *FILES,
        ],
        env=os.environ | {"URL": url, "PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
        timeout=len(chosen) * MINUTES * 60,
    )
    lines = [line for line in ran.stdout.splitlines() if line.startswith('{"name"')]
    found = {each["name"]: each["failure"] for each in map(json.loads, lines)}
    # Failing tests write to stderr what their pages showed.
    return {
        name: f"{found.get(name, ran.stdout)}\n{ran.stderr}" if found.get(name, "-") else ""
        for name in chosen
    }


@pytest.mark.parametrize("name", NAMES)
def test_in_a_browser(name: str, failures: dict[str, str]) -> None:
    assert not failures[name], failures[name]
