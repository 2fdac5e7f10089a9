"""Which passwords an account may get."""

import io
import sys

import pytest
from pydantic import ValidationError

from ops import new_password
from vitrina import passwords
from vitrina.errors import Invalid

EMAIL = "andré.иванова@example.com"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse",
        "пароль на лето",
        "ｆｕｌｌ width",
        "می\u200cخواهم خوب",
        "smile 🙂 often",
        " " * 8,
    ],
)
def test_a_password_may_be_of_any_script(password: str) -> None:
    assert new_password.check(password, EMAIL) == password


def test_it_is_returned_as_it_is_compared() -> None:
    typed = "и\u0306од\u00a0и\u3000хлеб"
    assert new_password.check(typed, EMAIL) == passwords.comparable(typed) == "йод и хлеб"


@pytest.mark.parametrize(
    ("password", "because"),
    [
        ("long\tenough", "no password may have"),
        ("long\x00enough", "no password may have"),
        ("long\u200benough", "no password may have"),
        ("long\u202eenough", "no password may have"),
        ("long\ue000enough", "no password may have"),
        ("long\ufdd0enough", "no password may have"),
        ("long\ud800enough", "no password may have"),
        # A joiner that has nothing to join.
        ("long\u200cenough", "no password may have"),
        ("andré.иванова", "email address"),
        ("Andre\u0301.Иванова", "email address"),
        ("ANDRÉ.ИВАНОВА@EXAMPLE.COM", "email address"),
        ("password", "most common"),
        ("PassWord", "most common"),
        ("1qaz2wsx", "most common"),
        ("Йцукенгш", "most common"),
    ],
    ids=ascii,
)
def test_a_password_is_refused_with_a_sentence(password: str, because: str) -> None:
    with pytest.raises(Invalid, match=f"^The password .*{because}.*\\.$") as refused:
        new_password.check(password, EMAIL)
    assert password not in refused.value.detail.removeprefix("The password")


@pytest.mark.parametrize("password", ["", "short", "и\u0306" * 7, "x" * 257])
def test_the_length_is_that_of_what_is_compared(password: str) -> None:
    with pytest.raises(ValidationError, match=r"at (least 8|most 256) characters"):
        new_password.check(password, EMAIL)


def test_the_list_is_short_and_has_what_could_match() -> None:
    lines = new_password._COMMON.read_text("utf-8").splitlines()
    words = [line for line in lines if line and not line.startswith("#")]
    assert 1000 <= len(words) == len({*words}) < 1100
    for word in words:
        assert (len(word) >= 8, word) == (True, passwords.comparable(word).casefold())


def test_a_password_comes_from_a_pipe_without_its_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(" a long password \nand more"))
    assert new_password.ask(EMAIL) == " a long password "
