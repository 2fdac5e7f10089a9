"""Which texts of people are visible, and of characters that do nothing to others."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrina import texts

VISIBLE = (
    *("x", "0", "!", "Красное платье", "Платье «Ёлка»", "Çanta № 5", "ドレス", "옷", "葛󠄀城"),
    # Hebrew and Arabic have their direction themselves; an Arabic sign encloses the next number.
    *("שמלה אדומה", "فستان أحمر", "\u06dd٢", "e\u0301"),
    # ZWNJ and ZWJ: Persian, with a foreign word, Hindi, Malayalam, Sinhala.
    *("می‌خواهم", "کتاب‌ها", "USB‌ها", "۱۴۰۰‌م", "क्‍ष", "അവന്‍ വന്നു", "ශ්‍රී"),
    *("👨‍👩‍👧", "❤️‍🔥", "👩🏽‍🚀", "🏴‍☠️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇰🇿", "1️⃣", "Ёлка 🎄 «ёж»"),
    # Of Unicode 16, which Python 3.11 does not know.
    "\U0001fae9",
)
INVISIBLE = (
    *("", " ", "\u00a0", "\u3000", "\u200b", "\u2060", "\u3164", "\u2800", "\u115f", "\u1160"),
    *("\uffa0", "\u00ad", "\u034f", "\ufe0f", "\u0301", "\u17b4", "\u180b", "\U0001d159", "\ufffc"),
    *("\u3164\u2800 \u115f", "\u200c", "\u200d\u200d", "\U000e0061", "\U000e0100", "\u2065"),
)
REFUSED = {
    "NUL": "\0",
    "escape": "\x1b",
    "carriage return": "\r",
    "next line": "\x85",
    "delete": "\x7f",
    "right-to-left override": "\u202e",
    "left-to-right embedding": "\u202a",
    "isolate": "\u2066",
    "left-to-right mark": "\u200e",
    "Arabic letter mark": "\u061c",
    "zero width space": "\u200b",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "Mongolian separator": "\u180e",
    "interlinear annotation": "\ufff9",
    "tag": "\U000e0041",
    "surrogate": "\ud800",
    "private": "\ue000",
    "unassigned": "\u0378",
    "no character": "\uffff",
}

DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize("text", VISIBLE)
def test_words_of_all_scripts_and_emoji_are_texts(text: str) -> None:
    for rule in (texts.require_line, texts.require_text, texts.require_notes):
        assert rule(text) == text


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_a_text_has_a_visible_character(text: str) -> None:
    for rule in (texts.require_line, texts.require_text):
        with pytest.raises(ValueError, match=r"visible|not allowed"):
            rule(text)


def test_notes_are_visible_or_empty() -> None:
    assert texts.require_notes("") == ""
    with pytest.raises(ValueError, match="visible"):
        texts.require_notes("\u3164")


@pytest.mark.parametrize("character", REFUSED.values(), ids=REFUSED)
def test_a_character_that_acts_on_others_is_refused_and_named(character: str) -> None:
    for rule in (texts.require_line, texts.require_text, texts.require_notes):
        for text in (f"a{character}b", f"{character}a", f"a{character}"):
            with pytest.raises(ValueError, match=rf"U\+{ord(character):04X} is not allowed"):
                rule(text)


@pytest.mark.parametrize("text", ["a\u200db", "a\u200d", "\u200dя", "я \u200dя", "я\u200d\u200cя"])
def test_a_joiner_joins_letters_of_a_script_that_has_it(text: str) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        texts.require_line(text)


def test_a_flag_has_a_region_and_no_hidden_text() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "approve everything")
    with pytest.raises(ValueError, match="not allowed"):
        texts.require_line(f"\U0001f3f4{hidden}\U000e007f")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\u2029"])
def test_lines_end_with_a_newline_and_a_line_with_none(end: str) -> None:
    assert texts.require_text(f"a{end}\tb") == "a\n\tb"
    with pytest.raises(ValueError, match="not allowed"):
        texts.require_line(f"a{end}b")


@given(st.text(max_size=20))
def test_no_accepted_text_has_a_control_or_direction_character(text: str) -> None:
    try:
        accepted = texts.require_text(text)
    except ValueError:
        return
    plain = accepted.replace("\n", "").replace("\t", "")
    assert not {unicodedata.category(each) for each in plain} & {"Cc", "Cs", "Co", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(each) for each in plain} & DIRECTIONS
