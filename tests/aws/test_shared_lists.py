"""Lists of approved products that the edge gives to every client with the same position."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.products.handler import SHARED, handler
from harness.tokens import token_of
from tests.aws.conftest import HttpCall
from vitrina import auth, aws, history, moderation, products, shared_lists
from vitrina.channels import ClientType
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import Change
from vitrina.products import Submission

pytestmark = pytest.mark.usefixtures("management_api")

call = HttpCall(handler)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Skip the pauses, and return those that were asked for."""
    asked: list[float] = []
    monkeypatch.setattr("vitrina.shared_lists.time.sleep", asked.append)
    return asked


def shop() -> auth.Identity:
    return auth.read(token_of(ClientType.SHOP, shop_id=10))


def submit() -> int:
    return moderation.submit(Submission(product_name="Платье"), shop()).product_id


def approve(product_id: int) -> None:
    versions = {product_id: {products.find_many([product_id])[product_id].version}}
    moderation.approve([product_id], None, auth.read(token_of(ClientType.ADMIN)), versions)


def withdraw(product_id: int) -> None:
    """Submit an approved product again, so that it is listed no more."""
    moderation.resubmit(product_id, Submission(product_name="Юбка"), shop(), None)


def since(channel: str = "user", ahead: int = 0) -> str:
    position = history.positions([channel])[channel]
    return f"{position.epoch}:{position.seq + ahead}"


def listed(**query: Any) -> tuple[list[int], bool]:
    """Return the listed products, and whether the list may be shared."""
    answer = call("GET", "/api/v1/products", **query)
    assert answer.status == 200
    caching = answer.headers["Cache-Control"]
    assert caching in {SHARED, "no-store"}
    return [item["product_id"] for item in answer.body["items"]], caching == SHARED


class LateIndex:
    """An index that has rows as they were for a number of queries."""

    def __init__(self) -> None:
        self._query = aws.dynamodb().query
        self._old: Any = None
        self._left = 0

    def lag(self, queries: int) -> None:
        """Answer the next queries with what the last one has answered."""
        self._left = queries

    def query(self, **request: Any) -> Any:
        if "IndexName" in request:
            if self._left:
                self._left -= 1
                return self._old
            self._old = self._query(**request)
            return self._old
        return self._query(**request)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> LateIndex:
    late = LateIndex()
    monkeypatch.setattr(aws.dynamodb(), "query", late.query)
    return late


@pytest.mark.parametrize("channel", shared_lists.LIST_CHANNELS)
def test_clients_with_a_position_share_a_list(channel: str) -> None:
    assert listed(since=since(channel)) == ([], True)
    approve(product_id := submit())
    assert listed(since=since(channel)) == ([product_id], True)
    assert listed(since=since(channel, ahead=-1)) == ([product_id], True)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: since(ahead=1),
        lambda: since(ahead=10**14),
        lambda: since("shop:10"),
        lambda: f"00000000:{since().partition(':')[2]}",
        lambda: since().replace(":", ":+"),
        lambda: since().replace(":", ":0x"),
        lambda: since().upper() + " ",
        lambda: since() + "\n",
        lambda: "1a318cce-8a6f-47cd-9f7c-d55e5efa182a",
        lambda: "",
    ],
)
def test_a_list_for_a_position_that_there_is_not_is_for_who_has_asked(
    wrong: Callable[[], str],
) -> None:
    approve(product_id := submit())
    assert listed(since=wrong()) == ([product_id], False)
    assert listed() == ([product_id], True)


def test_a_list_that_was_asked_for_before_its_event_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event is committed between the reads of the head and of the list."""
    product_id = submit()
    asked = since(ahead=1)
    known_positions = history.known_positions

    def then_approve(channels: Any) -> Any:
        monkeypatch.undo()
        found = known_positions(channels)
        approve(product_id)
        return found

    monkeypatch.setattr(history, "known_positions", then_approve)
    assert listed(since=asked) == ([product_id], False)


def test_a_list_waits_for_its_index(index: LateIndex, pauses: list[float]) -> None:
    approve(first := submit())
    assert listed() == ([first], True)
    approve(second := submit())
    index.lag(2)
    assert listed(since=since()) == ([second, first], True)
    assert pauses == [0, 0.05, 0.1]
    for channel in shared_lists.LIST_CHANNELS:
        withdraw(second)
        index.lag(1)
        assert listed(since=since(channel)) == ([first], True)
        approve(second)
        assert listed(since=since(channel)) == ([second, first], True)


def test_a_list_whose_index_is_far_behind_is_not_kept(index: LateIndex) -> None:
    approve(first := submit())
    listed()
    approve(submit())
    index.lag(9)
    assert listed(since=since()) == ([first], False)
    assert listed() == ([first], True)


def test_a_product_that_changed_again_is_listed_as_it_is_now(index: LateIndex) -> None:
    approve(product_id := submit())
    listed()
    withdraw(product_id)
    approve(product_id)
    index.lag(9)
    assert listed(since=since()) == ([product_id], False)
    index.lag(0)
    assert listed(since=since()) == ([product_id], True)


def test_a_list_of_one_shop_waits_for_its_products_and_for_no_others(
    index: LateIndex, pauses: list[float]
) -> None:
    approve(first := submit())
    assert listed(shop_id="10") == ([first], True)
    approve(second := submit())
    index.lag(1)
    assert listed(shop_id="10", since=since()) == ([second, first], True)
    assert pauses == [0, 0.05]
    assert listed(shop_id="11", since=since()) == ([], True)
    assert pauses == [0, 0.05, 0]


def test_a_product_on_a_later_page_is_not_waited_for(pauses: list[float]) -> None:
    approve(submit())
    position = since()
    approve(newer := submit())
    assert listed(since=position, limit="1") == ([newer], True)
    cursor = call("GET", "/api/v1/products", limit="1").body["cursor"]
    assert listed(since=since(), limit="1", cursor=cursor)[1]
    assert pauses == [0, 0]


def test_a_list_waits_for_every_product_of_a_bulk_approval(
    index: LateIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index has the last product of a request before the others."""
    first, second = submit(), submit()
    admin = auth.read(token_of(ClientType.ADMIN))
    moderation.approve([first, second], None, admin, {})
    whole = index.query

    def without_the_first(**request: Any) -> Any:
        answer = whole(**request)
        if "IndexName" not in request:
            return answer
        return {
            "Items": [item for item in answer["Items"] if item["product_id"]["N"] != f"{first}"]
        }

    monkeypatch.setattr(aws.dynamodb(), "query", without_the_first)
    assert listed(since=since()) == ([second], False)
    monkeypatch.setattr(aws.dynamodb(), "query", whole)
    assert listed(since=since()) == ([second, first], True)


def test_an_event_of_no_product_is_not_waited_for(pauses: list[float]) -> None:
    said = Announcement(to="user", title="Привет", text="…", admin_id=1)
    history.commit([Change(None, [AnnouncementPublished(data=said)])])
    assert listed(since=since()) == ([], True)
    assert pauses == [0]


def test_an_old_event_is_not_looked_for(index: LateIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    approve(submit())
    monkeypatch.setattr(shared_lists, "INDEX_LAG_MS", -1000)

    def not_asked(_: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(products, "find_many", not_asked)
    assert listed(since=since())[1]
