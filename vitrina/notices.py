"""Notices: the text of a push about one event or several, in the language of a device."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from vitrina.channels import ClientType, Mode

LANGUAGES = ("en", "ru")
"""The first one is for every other language too."""
MAX_TITLE_CHARACTERS = 80
# APNs and FCM take 4 KB in all, and phones show two or three lines.
MAX_TEXT_CHARACTERS = 240
MAX_COUNTED_EVENTS = 100
"""More events than these are "100+"."""


class Entry(NamedTuple):
    """An event in the channel in which its audience receives it."""

    event: str
    channel: str
    epoch: str
    seq: int

    def __str__(self) -> str:
        return " ".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> Self:
        event, channel, epoch, seq = text.split(" ")
        return cls(event, channel, epoch, int(seq))


class Notice(NamedTuple):
    """One push: of an event, or of several at once."""

    id: str
    """That of its event or of its latest one, or its own for a digest."""
    entries: tuple[Entry, ...]
    details: Mapping[str, str] = {}
    """The fields that the text of a single event contains."""
    mode: Mode = Mode.PUSH
    """Of the accounts that it is for."""

    @property
    def latest(self) -> Entry:
        """The entry whose position is sent: clients that have read this far know the event."""
        return max(self.entries, key=lambda entry: entry.seq)

    def of(self, entries: Iterable[Entry]) -> Self:
        return self._replace(entries=tuple(entries))


class Shown(NamedTuple):
    """The content of a push."""

    id: str
    title: str
    text: str
    data: dict[str, str]


# About a single event, for users and administrators, and for the shop of the product. Without
# notes, fees and administrators: other people can read a lock screen.
_SINGLE: dict[str, dict[str, tuple[str, str]]] = {
    "en": {
        "product.approved": ("New product", "{product_name}, {shop_name}"),
        "shop/product.approved": ("Product approved", "{product_name} is in the catalogue."),
        "shop/product.rejected": ("Product rejected", "{product_name} was not approved."),
        "shop/product.withdrawn": (
            "Product withdrawn",
            "{product_name} is no longer in the catalogue.",
        ),
        "announcement.published": ("{title}", "{text}"),
    },
    "ru": {
        "product.approved": ("Новый товар", "{product_name}, {shop_name}"),
        "shop/product.approved": ("Товар одобрен", "«{product_name}» теперь в каталоге."),
        "shop/product.rejected": ("Товар отклонён", "«{product_name}» не прошёл проверку."),
        "shop/product.withdrawn": ("Товар снят", "«{product_name}» больше не в каталоге."),
        "announcement.published": ("{title}", "{text}"),
    },
}
# Of several: the forms for the number of events.
_SEVERAL: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "product.approved": ("new product", "new products"),
        "shop/product.approved": ("product approved", "products approved"),
        "shop/product.rejected": ("product rejected", "products rejected"),
        "shop/product.withdrawn": ("product withdrawn", "products withdrawn"),
        "announcement.published": ("announcement", "announcements"),
    },
    "ru": {
        "product.approved": ("новый товар", "новых товара", "новых товаров"),
        "shop/product.approved": ("товар одобрен", "товара одобрено", "товаров одобрено"),
        "shop/product.rejected": ("товар отклонён", "товара отклонено", "товаров отклонено"),
        "shop/product.withdrawn": ("товар снят", "товара снято", "товаров снято"),
        "announcement.published": ("объявление", "объявления", "объявлений"),
    },
}
_NEWS = {"en": "News", "ru": "Новости"}
_TENS_WITH_LAST_FORM = range(11, 15)
_FEW = range(2, 5)


def language_of(locale: str) -> str:
    """Return the language for a locale, such as `ru-RU` or `en_US`."""
    tongue = locale.replace("_", "-").partition("-")[0].lower()
    return tongue if tongue in LANGUAGES else LANGUAGES[0]


def details_of(data: Mapping[str, Any]) -> dict[str, str]:
    """Return those fields of an event's data that a push may show."""
    shown = ("product_name", "shop_name", "title", "text")
    return {name: str(data[name])[:MAX_TEXT_CHARACTERS] for name in shown if name in data}


def show(notice: Notice, client_type: ClientType, language: str) -> Shown:
    """Return the content of a push, in one of `LANGUAGES`."""
    latest = notice.latest
    data = {
        "id": notice.id,
        "channel": latest.channel,
        "epoch": latest.epoch,
        "seq": str(latest.seq),
    }
    if notice.details and len(notice.entries) == 1:
        title, text = _SINGLE[language][_name(latest.event, client_type)]
        # `format_map` does not interpret braces in the names of products.
        title, text = title.format_map(notice.details), text.format_map(notice.details)
    else:
        title, text = _NEWS[language], _counted(notice.entries, client_type, language)
    return Shown(
        notice.id, _cut(title, MAX_TITLE_CHARACTERS), _cut(text, MAX_TEXT_CHARACTERS), data
    )


def _counted(entries: Iterable[Entry], client_type: ClientType, language: str) -> str:
    counts = Counter(_name(entry.event, client_type) for entry in entries)
    parts = (
        f"{_number(count)} {_form(language, count, _SEVERAL[language][name])}"
        for name, count in sorted(counts.items())
    )
    return ", ".join(parts)


def _number(count: int) -> str:
    return str(count) if count <= MAX_COUNTED_EVENTS else f"{MAX_COUNTED_EVENTS}+"


def _form(language: str, count: int, forms: tuple[str, ...]) -> str:
    if language == "en":
        return forms[count != 1]
    if count > MAX_COUNTED_EVENTS or count % 100 in _TENS_WITH_LAST_FORM:
        return forms[2]
    return forms[0 if count % 10 == 1 else 1 if count % 10 in _FEW else 2]


def _name(event: str, client_type: ClientType) -> str:
    is_own = client_type is ClientType.SHOP and event.startswith("product.")
    return f"shop/{event}" if is_own else event


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: characters - 1]}…"
