"""How passwords are compared."""

import unicodedata

import pytest
from argon2 import PasswordHasher
from hypothesis import given, strategies
from precis_i18n import get_profile

from harness import deployment
from vitrina import passwords

OPAQUE = get_profile("OpaqueString")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.use_cheap_passwords(monkeypatch)


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("correct horse", "correct horse"),
        ("Correct Horse", "Correct Horse"),
        ("пароль-и\u0306од", "пароль-йод"),
        ("a\u00a0b\u1680c\u2003d\u202fe\u3000f", "a b c d e f"),
        # An en quad is canonically an en space, and a space before that.
        ("\u2000", " "),
        # Full-width letters and ligatures are others (no NFKC).
        ("ｐａｓｓ ﬁ", "ｐａｓｓ ﬁ"),
        # Neither is a space.
        ("a\u200bb\tc", "a\u200bb\tc"),
        ("", ""),
    ],
)
def test_spaces_are_one_and_letters_are_composed(typed: str, compared: str) -> None:
    assert passwords.comparable(typed) == compared


@given(
    strategies.text(max_size=20) | strategies.text(" \u00a0\u2000\u3000éй\u0306\u0301и", max_size=9)
)
def test_what_the_rfc_allows_is_compared_as_it_says(typed: str) -> None:
    try:
        enforced = OPAQUE.enforce(typed)
    except UnicodeEncodeError:
        return
    assert passwords.comparable(typed) == enforced


def test_every_space_of_unicode_is_mapped() -> None:
    spaces = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) == "Zs"]
    assert len(spaces) == 17
    assert passwords.comparable("".join(spaces)) == " " * 17


def test_a_right_password_keeps_its_hash_and_a_wrong_one_has_none() -> None:
    stored = passwords.hash_of("пароль йод")
    assert passwords.verify("пароль\u00a0йод", stored) == stored
    assert passwords.verify("пароль йо", stored) is None
    assert passwords.verify("unknown", None) is None


class Counting(PasswordHasher):
    verified = 0

    def verify(self, *arguments: str) -> bool:  # type: ignore[override]
        self.verified += 1
        return super().verify(*arguments)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    hasher = Counting(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    return hasher


@pytest.mark.parametrize(("typed", "work"), [("wrong", 1), ("ещё wrong", 1), ("un\u00a0usual", 2)])
def test_an_unknown_account_is_as_much_work_as_a_wrong_password(
    counting: Counting, typed: str, work: int
) -> None:
    for stored in (None, passwords.hash_of("right")):
        counting.verified = 0
        assert passwords.verify(typed, stored) is None
        assert counting.verified == work
