"""docs/cost.md: fresh, and a bill that adds up."""

import pytest

from bench.cloud.bill import MILLION, PRICES
from bench.cost import page, rivals
from bench.cost.month import DONE, EVENTS, KEEP_ALIVE, RECOVERY, Month, Units, month
from bench.cost.usage import TOLD, Upkeep, Usage

UPKEEP = Upkeep()
USAGE = Usage()


@pytest.fixture(scope="module")
def units() -> Units:
    return Units.read(UPKEEP)


def bill(units: Units, phones: int = 10_000, **changed: float) -> Month:
    return month(phones, USAGE._replace(**changed), units, UPKEEP)


def test_what_is_committed_is_what_was_measured_priced_and_used() -> None:
    assert page.DOCUMENT.read_text(encoding="utf-8") == page.text(), "run `make cost`"


def test_every_assumption_is_listed() -> None:
    assert list(TOLD) == list(Usage._fields)


def test_a_price_falls_with_what_is_behind_it() -> None:
    price = PRICES["messages"]
    assert price.of(1_000 * MILLION) == pytest.approx(1_000)
    assert price.of(1_500 * MILLION) == pytest.approx(1_000 + 400)
    assert PRICES["alarms"].of(7) == pytest.approx(0.7)


@pytest.mark.parametrize("name", PRICES)
def test_more_never_costs_less(name: str) -> None:
    price = PRICES[name]
    amounts = [0.0, 1.0, *(count for count, _ in price.beyond), 1e15]
    costs = [price.of(amount) for amount in amounts]
    assert costs == sorted(costs)
    assert costs[0] == 0


def test_what_was_measured_is_taken_as_it_is(units: Units) -> None:
    assert units.of("approve", 100_000)["messages"] == 100_000
    assert units.of("connect")["write_units"] == 4


def test_between_and_beyond_what_was_measured_is_a_straight_line(units: Units) -> None:
    assert units.of("approve", 5_500)["messages"] == pytest.approx(5_500)
    assert units.of("approve", 1_000_000)["messages"] == pytest.approx(1_000_000)
    reads = [units.of("sweep", size)["read_units"] for size in (55_000, 100_000, 1_000_000)]
    assert reads[0] < reads[1] < reads[2]
    assert reads[2] == pytest.approx(10 * reads[1], rel=0.05)


def test_few_connections_never_take_less_than_nothing(units: Units) -> None:
    assert min(units.of("approve", 1).values()) >= 0


def test_everything_that_is_counted_has_a_price(units: Units) -> None:
    assert set(bill(units).total) <= set(PRICES)


def test_services_and_deeds_add_up_to_the_bill(units: Units) -> None:
    found = bill(units)
    assert sum(found.by_service.values()) == pytest.approx(found.dollars)
    assert sum(found.share_of(name) for name in DONE) == pytest.approx(1)


def test_a_keep_alive_is_two_messages_and_runs_nothing(units: Units) -> None:
    found = bill(units, phones=1, sessions=2, session_minutes=30, ping_seconds=30)
    assert found.counts[KEEP_ALIVE]["messages"] == 2 * 120 * 30
    assert "invocations" not in found.counts[KEEP_ALIVE]


def test_a_rarer_keep_alive_makes_nothing_else_cheaper(units: Units) -> None:
    often, seldom = bill(units, ping_seconds=30), bill(units, ping_seconds=300)
    assert often.dollars > seldom.dollars
    others = [name for name in DONE if name != KEEP_ALIVE]
    assert [often.counts[name] for name in others] == [seldom.counts[name] for name in others]


def test_a_delivery_is_an_event_at_once_or_by_resume(units: Units) -> None:
    found = bill(units, phones=100)
    assert found.live == 100 * 0.5 * 100 * 30
    assert found.delivered == found.live + 100 * 24 * 30 * 0.5 * 5
    # The administrators hear of each submission.
    assert found.counts[EVENTS]["messages"] == pytest.approx(found.live)
    assert found.counts[RECOVERY]["messages"] > found.delivered - found.live


def test_requests_through_the_edge_pass_the_firewall(units: Units) -> None:
    found = bill(units).total
    assert found["edge_requests"] == found["firewall_requests"]
    assert found["edge_requests"] > found["http_requests"]
    assert "transfer_bytes" not in found


def test_pusher_is_asked_for_the_smallest_plan_that_is_enough(units: Units) -> None:
    plans = [rivals.pusher(bill(units, phones), USAGE) for phones in (1_000, 10_000, 100_000)]
    assert [plan and plan.name for plan in plans] == ["Pro", "Premium", None]
    busy = rivals.pusher(bill(units, 1_000, approvals=10_000), USAGE._replace(approvals=10_000))
    assert busy
    assert busy.name == "Business"


def test_ably_wants_a_fee_that_is_not_published_where_packages_end(units: Units) -> None:
    within, beyond = (rivals.ably_by_use(bill(units, n), USAGE) for n in (10_000, 100_000))
    assert not within.is_without_base
    assert within.most > 399
    assert beyond.is_without_base
    assert beyond.least < beyond.most


def test_ably_bills_what_a_user_has_beyond_its_share(units: Units) -> None:
    ten, one = (
        rivals.ably_by_user(bill(units, 100_000, users=n), USAGE._replace(users=n))
        for n in (10.0, 1.0)
    )
    assert ten.most == pytest.approx(1_000_000 * 0.05)
    assert one.most > 100_000 * 0.05
