"""Field types: numbers with one spelling, amounts, URLs of images, email addresses."""

import json
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from vitrina.accounts import Email
from vitrina.products import ImageUrl
from vitrina.types import Id, Money, Numeral, ShopName

NUMBER: TypeAdapter[int] = TypeAdapter(Annotated[Id, Numeral])
MONEY: TypeAdapter[Any] = TypeAdapter(Money)
IMAGE_URL: TypeAdapter[str] = TypeAdapter(ImageUrl)
EMAIL: TypeAdapter[str] = TypeAdapter(Email)
SHOP_NAME: TypeAdapter[str] = TypeAdapter(ShopName)

SPELLINGS = (
    *("+3", "-3", "03", "3.0", "3.", "3e0", "3_0", "0x3", " 3", "3 ", "3\n", "\t3", "", "three"),
    *("٣", "３", "³", "३", "3\u200b", "3,3", "0", "9" * 17, "9" * 5000),
)


def test_a_number_in_a_path_has_one_spelling() -> None:
    assert NUMBER.validate_python("3") == 3
    assert NUMBER.validate_python(str(2**53 - 1)) == 2**53 - 1


@pytest.mark.parametrize("text", SPELLINGS, ids=lambda text: ascii(text)[:20])
def test_other_spellings_of_a_number_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        NUMBER.validate_python(text)


@pytest.mark.parametrize("zero", ["-0", "-0.0", "-0.00", "0", "0.0", "-0e3"])
def test_zero_has_no_sign(zero: str) -> None:
    assert MONEY.dump_json(MONEY.validate_json(zero)) == b"0.0"
    assert str(MONEY.validate_python(json.loads(zero))) == "0"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/",
        "https://images.example.com/products/1/front.webp?v=2&w=(300)#top",
        "https://EXAMPLE.com/a%20b.jpg",
        "https://xn--80aaxitdbjk.xn--p1ai/%D1%84.jpg",
        "https://1.a-b.c3.io/@user:password/x",
    ],
)
def test_an_image_is_at_a_host_with_a_name(url: str) -> None:
    assert IMAGE_URL.validate_python(f" {url}\n") == url


@pytest.mark.parametrize(
    "url",
    [
        *("https://", "https:///a.jpg", "https:example.com/a.jpg", "https:/example.com", "//a.b/c"),
        *("http://example.com/a.jpg", "javascript:alert(1)//https://example.com", "data:,x"),
        # User information, a port, and hosts that browsers read otherwise.
        *("https://user@example.com/", "https://user:pw@example.com/", "https://@example.com/"),
        *("https://example.com:443/", "https://example.com:/", "https://example.com:8443/a.jpg"),
        *("https://example.com\\@evil.example/", "https:\\\\example.com/", "https://a.b/\\..\\x"),
        *("https://exa\tmple.com/", "https://example.com/a b", "https://example.com/\u202egpj.exe"),
        *(
            "https://example.com%2f@evil.example/",
            "https://%65xample.com/",
            "https://example。com/",
        ),
        # Addresses, in every notation.
        *("https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/"),
        *("https://0x7f.1/", "https://0177.0.0.1/", "https://1.2.3.0x4/", "https://127.0.0.1./"),
        *("https://[::1]/a.jpg", "https://[::ffff:127.0.0.1]/", "https://１２７.0.0.1/"),
        # Names that are none on the Internet.
        *("https://localhost/", "https://intranet", "https://-a.example/", "https://a-.example/"),
        *(
            "https://example.com./",
            "https://.example.com/",
            "https://a..example/",
            "https://a_b.c/",
        ),
        *(f"https://{'a' * 64}.example/", "https://example.com/<script>", 'https://example.com/"'),
        *("https://магазин.рф/", "https://ſhop.example/", f"https://example.com/{'a' * 2000}"),
    ],
    ids=lambda url: ascii(url)[:40],
)
def test_an_image_is_at_no_address_and_needs_no_password(url: str) -> None:
    with pytest.raises(ValidationError):
        IMAGE_URL.validate_python(url)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" User@Example.COM ", "user@example.com"),
        ("и\u0306од@example.com", "йод@example.com"),
        ("ANDRE\u0301@EXAMPLE.COM", "andré@example.com"),
        ("andré@example.com", "andré@example.com"),
        # Another address: compatibility characters are not those they look like.
        ("ａ@example.com", "ａ@example.com"),
    ],
)
def test_an_address_is_the_same_however_its_letters_are_composed(typed: str, stored: str) -> None:
    assert EMAIL.validate_python(typed) == stored


@pytest.mark.parametrize("address", ["a\u200b@b.c", "a@b\u202e.c", "a\0@b.c", "a b@c", "@b", "a"])
def test_an_address_has_no_character_that_nobody_sees(address: str) -> None:
    with pytest.raises(ValidationError):
        EMAIL.validate_python(address)


@pytest.mark.parametrize("name", ["", " ", "\u3164", "a\nb", "a\u202eb", "x" * 201])
def test_the_name_of_a_shop_is_one_visible_line(name: str) -> None:
    with pytest.raises(ValidationError):
        SHOP_NAME.validate_python(name)
