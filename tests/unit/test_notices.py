"""What a push says, in each language."""

from typing import get_args

import pytest

from vitrina import notices
from vitrina.channels import CHANNELS, PUSH, ClientType, modes_for
from vitrina.notices import Entry, Notice
from vitrina.preferences import PushedEvent


def counted(count: int, event: str = "product.approved") -> Notice:
    return Notice("id", tuple(Entry(event, "user", "3f0c9a1e", seq + 1) for seq in range(count)))


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "1 новый товар"),
        (2, "2 новых товара"),
        (5, "5 новых товаров"),
        (11, "11 новых товаров"),
        (21, "21 новый товар"),
        (100, "100 новых товаров"),
        (101, "100+ новых товаров"),
    ],
)
def test_russian_has_three_forms(count: int, text: str) -> None:
    assert notices.show(counted(count), ClientType.USER, "ru").text == text


def test_english_has_two_forms() -> None:
    texts = [notices.show(counted(n), ClientType.USER, "en").text for n in (1, 2)]
    assert texts == ["1 new product", "2 new products"]


@pytest.mark.parametrize("language", notices.LANGUAGES)
@pytest.mark.parametrize("client_type", ClientType)
def test_every_event_that_is_pushed_has_its_texts(client_type: ClientType, language: str) -> None:
    details = {"product_name": "{0}", "shop_name": "S", "title": "T", "text": "X"}
    for event in modes_for(client_type):
        single = notices.show(counted(1, event)._replace(details=details), client_type, language)
        several = notices.show(counted(3, event), client_type, language)
        assert single.title
        assert single.text
        assert several.text.startswith("3 ")
        assert several.data["seq"] == "3"


def test_preferences_are_about_the_events_of_the_table() -> None:
    assert set(get_args(PushedEvent)) == PUSH.keys() <= CHANNELS.keys()


@pytest.mark.parametrize(
    ("locale", "language"),
    [("ru", "ru"), ("ru-RU", "ru"), ("RU_ru", "ru"), ("rue", "en"), ("de-DE", "en"), ("en", "en")],
)
def test_a_locale_has_a_language(locale: str, language: str) -> None:
    assert notices.language_of(locale) == language


def test_an_entry_is_read_as_it_was_written() -> None:
    entry = Entry("product.approved", "shop:10", "3f0c9a1e", 58)
    assert Entry.parse(str(entry)) == entry
