"""Approvals while shops submit as fast as they can, on the one head of the channel `admin`."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any

import pytest
from moto.dynamodb.exceptions import TransactionCanceledException
from moto.dynamodb.responses import DynamoHandler

from harness.tokens import token_of
from tests.aws.conftest import unpublished
from tests.aws.timeline import Timeline
from vitrina import auth, history, moderation
from vitrina.channels import ClientType
from vitrina.errors import TooManyRequests, Unavailable
from vitrina.products import Product, Submission

pytestmark = pytest.mark.usefixtures("cloud")

SUBMITTERS = 20
SECONDS = 4
APPROVALS = 12
# Median and 99th percentile of DynamoDB's latencies, in seconds.
READ, WRITE, TRANSACTION = (0.004, 0.012), (0.005, 0.015), (0.016, 0.050)
# Of an HTTP request and its function.
REQUEST_SECONDS = 0.04
READS = ("get_item", "batch_get_item", "query")
WRITES = ("put_item", "update_item")


class Dynamo:
    """DynamoDB's latencies, and its conflicts: a transaction holds its items while it runs."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._chance = Random(1)  # noqa: S311
        self._held: set[str] = set()

    @contextmanager
    def slow(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for names, latency in ((READS, READ), (WRITES, WRITE)):
                for name in names:
                    call = self._late(getattr(DynamoHandler, name), latency)
                    patch.setattr(DynamoHandler, name, call)
            transact = self._transaction(DynamoHandler.transact_write_items)
            patch.setattr(DynamoHandler, "transact_write_items", transact)
            yield

    def _take(self, latency: tuple[float, float], part: float = 1) -> None:
        median, late = latency
        spread = math.log(late / median) / 2.326  # the 99th percentile of a normal distribution
        self._timeline.sleep(part * median * math.exp(self._chance.gauss(0, spread)))

    def _late(self, call: Callable[[Any], Any], latency: tuple[float, float]) -> Callable[..., Any]:
        def late(handler: Any) -> Any:
            self._take(latency)
            return call(handler)

        return late

    def _transaction(self, write: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def transact(handler: Any) -> Any:
            items = [_key(item) for item in handler.body["TransactItems"]]
            reasons = ["TransactionConflict" if key in self._held else None for key in items]
            if any(reasons):
                self._take(TRANSACTION)
                raise TransactionCanceledException([(why, why, None) for why in reasons])
            self._held.update(items)
            self._take(TRANSACTION, 0.7)
            try:
                return write(handler)
            finally:
                self._held.difference_update(items)
                self._take(TRANSACTION, 0.3)

        return transact


def _key(write: Any) -> str:
    item = write["Put"]["Item"]
    names = ("product_id", "channel", "seq")
    return f"{write['Put']['TableName']} {[item[name] for name in names if name in item]}"


class Marketplace:
    """Shops that submit as fast as they can, and an administrator who approves twice a second."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.shops = [_shop(10 + number) for number in range(SUBMITTERS)]
        self.stored = Counter[str]()
        """Products, by shop."""
        self.refused = Counter[str]()
        self.approvals: list[float] = []
        """How long each took, in seconds."""

    def play(self) -> None:
        admin = auth.read(token_of(ClientType.ADMIN))
        pending = [_submit(_shop(9)).product_id for _ in range(APPROVALS)]
        history.positions(["user", "shop", "admin"])
        with Dynamo(self.timeline).slow():
            end = self.timeline.now + SECONDS
            for shop in self.shops:
                self.timeline.add(partial(self._submit_until, end, shop))
            for number, product_id in enumerate(pending, 1):
                approve = partial(self._approve, product_id, admin)
                self.timeline.add(approve, number * SECONDS / (APPROVALS + 1))
            self.timeline.play()

    def _submit_until(self, end: float, shop: auth.Identity) -> None:
        while self.timeline.now < end:
            self.timeline.sleep(REQUEST_SECONDS)
            try:
                _submit(shop)
            except TooManyRequests:
                self.refused[shop.name] += 1
            except Unavailable:
                pass
            else:
                self.stored[shop.name] += 1

    def _approve(self, product_id: int, admin: auth.Identity) -> None:
        begun = self.timeline.now
        moderation.approve([product_id], None, admin).product(product_id)
        self.approvals.append(self.timeline.now - begun)


def _shop(shop_id: int) -> auth.Identity:
    return auth.read(token_of(ClientType.SHOP, shop_id=shop_id, shop_name=f"Shop {shop_id}"))


def _submit(shop: auth.Identity) -> Product:
    return moderation.submit(Submission(product_name="x"), shop)


@pytest.fixture
def marketplace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Marketplace]:
    monkeypatch.setattr("vitrina.aws._random", Random(2))  # noqa: S311
    with unpublished(), Timeline.running() as timeline:
        yield Marketplace(timeline)


def test_approvals_take_less_than_a_second_while_twenty_shops_submit_as_fast_as_they_can(
    marketplace: Marketplace,
) -> None:
    """No shop reaches its own limit here: submissions wait longer than decisions do.

    Three of twelve are late with equal pauses, or if botocore sends transactions again by itself.
    """
    marketplace.play()
    assert len(marketplace.approvals) == APPROVALS
    assert max(marketplace.approvals) < 1
    assert len(marketplace.stored) == SUBMITTERS
    assert not marketplace.refused
