"""The characters of a text that one person writes and others see.

A text has a visible character, and no character that hides, reorders or controls others. These
general categories of Unicode are refused: control (Cc), format (Cf), surrogate (Cs), private (Co)
and unassigned (Cn) characters, and line and paragraph separators (Zl, Zp).
"""

import re
import unicodedata

# Letters and symbols that are drawn as nothing: Hangul fillers, the empty Braille cell, a musical
# and two Egyptian blanks, the placeholder of an object.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U00013441\U00013442\U0001d159")
# Format characters that are drawn: signs that enclose the number or word after them.
_SIGNS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
# ZWNJ and ZWJ: in words of Persian and Indic scripts, and in emoji of several parts.
_JOINERS = frozenset("\u200c\u200d")
# The flags of Scotland or Texas: a black flag, then a region in characters that are not drawn.
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
_LINE_END = re.compile("\r\n|[\u2028\u2029]")


def require_line(text: str) -> str:
    """Return a visible text of one line; raises ValueError."""
    _require_plain(text)
    return _require_visible(text)


def require_text(text: str) -> str:
    """Return a visible text, its lines ended by a newline each; raises ValueError."""
    lines = _LINE_END.sub("\n", text)
    _require_plain(lines.replace("\n", " ").replace("\t", " "))
    return _require_visible(lines)


def require_notes(text: str) -> str:
    """Return a text that is visible or empty; raises ValueError."""
    return require_text(text) if text else text


def _require_visible(text: str) -> str:
    if not any(_kind(each)[0] in "LNPS" and each not in _BLANK for each in text):
        raise ValueError("expected a visible character")
    return text


def _require_plain(text: str) -> None:
    text = _FLAG.sub("\U0001f3f4", text)
    for before, each, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        is_joined = each in _JOINERS and _is_joined(before, after)
        if not is_joined and each not in _SIGNS and _kind(each) in _REFUSED:
            raise ValueError(f"the character U+{ord(each):04X} is not allowed")


_REFUSED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def _is_joined(before: str, after: str) -> bool:
    """Return whether a joiner may be between these characters; between ASCII it joins nothing.

    Joiners also end words in Malayalam, and divide a foreign word from a Persian ending.
    """
    return _kind(before)[0] in "LMNS" and not (before.isascii() and after.isascii())


def _kind(character: str) -> str:
    """Return the general category; that of a symbol for an emoji of a later version of Unicode."""
    kind = unicodedata.category(character)
    return "So" if kind == "Cn" and "\U0001f000" <= character <= "\U0001faff" else kind
