"""The generated parts of pages."""

import pytest

from reference import pages

PAGE = "Before.\n\n<!-- generated: codes -->\n\nold\n\n<!-- end -->\n\nAfter.\n"


def test_only_the_generated_part_is_replaced() -> None:
    renewed = pages.renew(PAGE, {"codes": "new"})
    assert renewed == PAGE.replace("old", "new")
    assert pages.renew(renewed, {"codes": "new"}) == renewed
    assert pages.read(renewed) == {"codes": "new"}


def test_a_new_part_begins_with_empty_marks() -> None:
    empty = "<!-- generated: codes -->\n<!-- end -->"
    assert pages.read(pages.renew(empty, {"codes": "new"})) == {"codes": "new"}


@pytest.mark.parametrize("parts", [{}, {"codes": "new", "weather": "fine"}])
def test_a_page_and_its_generator_have_the_same_parts(parts: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="weather" if parts else "codes"):
        pages.renew(PAGE, parts)


def test_texts_are_aligned_left_and_numbers_right() -> None:
    table = pages.table(["what", "of", "$"], [["a", "long name", "1.00"]], text_columns=2)
    assert table.splitlines() == [
        "| what | of        |    $ |",
        "| ---- | --------- | ---: |",
        "| a    | long name | 1.00 |",
    ]
