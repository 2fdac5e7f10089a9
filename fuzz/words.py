"""Hostile words and hostile JSON, in place of valid input."""

import json
from typing import Any

from fuzz.source import Source, is_chosen, pick

SECRET = "s3cr3t"  # noqa: S105 - marks secrets, so that they are found in the log
MAX_DEPTH = 10_000
MAX_LENGTH = 70_000

HOSTILE = (
    *("", " ", "\0", "\n", "a\n", "\t", "'", '"', "\\", "/", "//", "..", "../x"),
    *("#", "1#x", ":", ",", ";", "@"),
    *("%", "%00", "%zz", "%ff", "+", "{}", "{0}", "{to}", "{product_id}", "$connect", "$default"),
    *("null", "true", "undefined", "NaN", "Infinity", "-Infinity", "[]", "[object Object]"),
    *("0", "-0", "-1", "+1", " 1", "1 ", "01", "1.0", "1.5", "1e3", "1e400", "-1e400", "1_000"),
    *("0x10", "9007199254740991", "9007199254740992", "9223372036854775808", "9" * 40, "9" * 5000),
    *("١", "²", "é", "e\u0301", "\u2028", "\u200b", "\ufeff", "\U0001f600", "\ud800", "\udfff"),
    # Characters that are invisible, or that change the direction of others.
    *("\u202e", "\u2066", "\u2060", "\u3164", "\u2800", "\u115f", "\u200d", "\ue000", "\u0378"),
    *("user", "shop:0", "user:1", "room:", "room:sale", "room:..", "user#00", "connection#x"),
    *("a" * 65, "a" * 201, "a" * 1001, "é" * 5001, "a" * MAX_LENGTH, "\0" * 2049),
)

URLS = (
    *("https://user@example.com/", "https://example.com:443/", "https://127.0.0.1/a.jpg"),
    *("https://2130706433/", "https://0x7f.1/", "https://[::1]/", "https:///a.jpg", "https://a"),
    *("https://example.com\\@evil.example/", "https:\\\\example.com", "https://example.com./"),
)

NUMBERS = (0, 1, -1, 2, 100, 101, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, -(2**63), 10**40, 10**400)


class Raw(str):
    """Text that is copied into a JSON document, whether it is JSON or not."""

    __slots__ = ()


RAW = tuple(
    Raw(raw)
    for raw in (
        *("1e400", "-1e400", "1e-400", "1.0", "1.005", "-0", "0.1", "1e2", "00", "1.", "+1", "NaN"),
        *("Infinity", "-Infinity", "999999999999.99", "0.000000000000000000001", "9" * 5000),
        *('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x"', '"\0"', "'a'"),
        *("nul", "{", "]", ""),
    )
)


def word(source: Source, *sound: str) -> str:
    """Return a valid word, a hostile one, any text, or a damaged valid word."""
    match source.number(0, 11):
        case 9:
            return pick(source, HOSTILE)
        case 10:
            return source.text()
        case 11:
            whole = pick(source, sound)
            at = source.number(0, len(whole))
            return whole[:at] + pick(source, HOSTILE) + whole[at:]
        case _:
            return pick(source, sound)


def secret(source: Source) -> str:
    """Return a secret that no log may contain."""
    return SECRET + word(source, "-password", "")


def value(source: Source, depth: int = 3) -> Any:
    """Return any JSON value."""
    match source.number(0, 8 if depth else 6):
        case 7:
            return [value(source, depth - 1) for _ in range(source.number(0, 4))]
        case 8:
            names = [word(source, "type", "data", "title") for _ in range(source.number(0, 4))]
            return {name: value(source, depth - 1) for name in names}
        case kind:
            return _scalar(source, kind)


def _scalar(source: Source, kind: int) -> Any:
    match kind:
        case 0 | 1:
            return pick(source, (None, False, True))
        case 2:
            return pick(source, NUMBERS)
        case 3:
            return source.number(-(2**63), 2**63 - 1)
        case 4:
            return pick(source, RAW)
        case 5:
            return pick(source, HOSTILE)
        case _:
            return source.text()


def document(source: Source, sound: dict[str, Any]) -> str:
    """Return a JSON document, valid or damaged, or other text."""
    match source.number(0, 11):
        case 8:
            return write(source, _damaged(source, _damaged(source, sound)))
        case 9:
            return write(source, value(source))
        case 10:
            return pick(source, ("[", '{"a":')) * pick(source, (10, 200, MAX_DEPTH))
        case 11:
            return source.data().decode(errors=pick(source, ("replace", "surrogateescape")))
        case choice if choice >= 4:  # noqa: PLR2004
            return write(source, _damaged(source, sound))
        case _:
            return write(source, sound)


def write(source: Source, plain: Any) -> str:
    """Write JSON, sometimes with raw text or a duplicate member."""
    if isinstance(plain, Raw):
        return plain
    if isinstance(plain, list):
        return f"[{','.join(write(source, item) for item in plain)}]"
    if isinstance(plain, dict):
        members = [f"{write(source, name)}:{write(source, item)}" for name, item in plain.items()]
        if members and is_chosen(source, 20):
            members.append(pick(source, members))
        return f"{{{','.join(members)}}}"
    return json.dumps(plain, ensure_ascii=is_chosen(source, 2))


def _damaged(source: Source, sound: Any) -> Any:
    """Change one thing."""
    if not isinstance(sound, dict) or not sound:
        return value(source)
    name = pick(source, list(sound))
    match source.number(0, 5):
        case 3:
            return {other: item for other, item in sound.items() if other != name}
        case 4:
            return {**sound, word(source, "extra", name.upper()): value(source)}
        case 5:
            return [sound]
        case kind:
            return {**sound, name: _replaced(source, sound[name], kind)}


def _replaced(source: Source, item: Any, kind: int) -> Any:
    match kind:
        case 0:
            return value(source)
        case 1:
            return _damaged(source, item)
        case _:
            return [item] * source.number(0, 120)
