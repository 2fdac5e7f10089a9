"""What the pages say to type can be typed: targets and programs exist, and variables are set."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ops.outputs import variable
from tests.guide import pages
from vitrina.config import Config

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
# The pages for operators, who begin with a fresh clone.
PAGES = [ROOT / f"docs/{name}.md" for name in ("first-deploy", "operations", "runbook")]

OUTPUTS = {
    *map(variable, ("WebSocketUrl", "HttpUrl", "EdgeUrl", "EdgeTarget", "AlarmTopic", "Policy")),
    *(name.upper() for name in Config.model_fields),
    *("STACK", "AWS_REGION", "AWS_DEFAULT_REGION"),
}
# Set by every shell, or by the reader, as the page says.
GIVEN = {"HOME", "PATH", "PWD", "AWS_REGION", "STAGE", "UNTIL", "TOKEN"}

_SET = re.compile(r"(?:^|[;&\s(])(?:export |local |for )?([A-Za-z_]+)(?:=| in )", re.MULTILINE)
_USED = re.compile(r"\$\{?([A-Za-z_]+)")


def shell(page: Path) -> str:
    """Return the page's commands, as one script."""
    return "\n".join(block.text for block in pages.blocks(page) if block.language == "bash")


def inline(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_target_of_make_exists(page: Path) -> None:
    text = "\n".join([shell(page), *inline(page)])
    targets = set(re.findall(r"(?:^|[\s(])make ([a-z][a-z-]+)", text, re.MULTILINE))
    assert targets
    assert targets <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_needs_a_program_that_is_not_on_the_path(page: Path) -> None:
    """`npx` is on it only inside make, or after the README's `export PATH`."""
    for text in (shell(page), *inline(page)):
        assert not re.search(r"(?:^|[\s(;&|])(npx|npm|cdk|pip|uv|wscat)\s", text), text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_is_set_before_it_is_used(page: Path) -> None:
    known = set(GIVEN)
    for line in shell(page).splitlines():
        code = re.sub(r"'[^']*'", "''", line) if "eval" not in line else line
        known |= set(_SET.findall(line))
        if "make outputs" in line:
            known |= OUTPUTS
        assert set(_USED.findall(code)) <= known, line


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_are_a_script_without_syntax_errors(page: Path) -> None:
    checked = subprocess.run(
        ["bash", "-n"], input=shell(page), capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
