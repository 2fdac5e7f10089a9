"""The guides and READMEs: the languages are twins, and their code can be read by its programs."""

import subprocess
from pathlib import Path

import pytest

from tests.guide import pages
from tests.guide.app import NODE
from tests.guide.pages import GUIDE, ROOT, Block

RUSSIAN = {GUIDE: ROOT / "docs/guide.ru.md", ROOT / "README.md": ROOT / "README.ru.md"}

twins = pytest.mark.parametrize("page", RUSSIAN, ids=lambda page: page.name)


@twins
def test_the_russian_page_has_the_same_code(page: Path) -> None:
    assert pages.blocks(RUSSIAN[page]) == pages.blocks(page)


@twins
def test_the_russian_page_has_the_same_headings(page: Path) -> None:
    assert pages.levels(RUSSIAN[page]) == pages.levels(page)


@twins
def test_links_between_the_documents_lead_somewhere(page: Path) -> None:
    for document in (page, RUSSIAN[page]):
        for link in pages.links(document):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


@pytest.mark.parametrize("block", pages.blocks(GUIDE), ids=lambda block: block.text[:20])
def test_the_guides_code_can_be_read(block: Block, tmp_path: Path) -> None:
    if block.language == "js":
        (tmp_path / "block.mjs").write_text(block.text)
        command = [str(NODE), "--check", str(tmp_path / "block.mjs")]
        subprocess.run(command, check=True)
    elif block.language == "bash":
        subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
    elif block.kind == "from":
        # Such files are compiled and tested where they are.
        assert block.text in (ROOT / block.name).read_text()
    else:
        assert block.language == ""


def test_the_guide_names_every_block_that_can_be_run() -> None:
    named = [block for block in pages.blocks(GUIDE) if block.kind in {"file", "run"}]
    assert len({block.name for block in named}) == len(named)
