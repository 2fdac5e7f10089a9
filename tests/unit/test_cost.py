"""docs/cost.md is fresh, and its bills add up."""

import random
from pathlib import Path

import pytest

from bench.cloud.bill import MILLION, PRICES
from bench.cost import competitors, page, steps
from bench.cost.month import ACTIVITIES, EVENTS, KEEP_ALIVE, LISTS, RECOVERY, Month
from bench.cost.units import FUNCTION_OF, Units, measured
from bench.cost.usage import DESCRIPTIONS, Upkeep, Usage
from infra.cdk.functions import FUNCTIONS

FIRST_DEPLOY = Path(__file__).parents[2] / "docs/first-deploy.md"
USAGE = Usage()


@pytest.fixture(scope="module")
def units() -> Units:
    return Units()


def bill(units: Units, phones: int = 10_000, **changed: float) -> Month:
    return Month(phones, USAGE._replace(**changed), units)


def test_the_committed_page_is_fresh() -> None:
    assert page.DOCUMENT.read_text(encoding="utf-8") == page.text(), "run `make cost`"


def test_every_assumption_is_described() -> None:
    assert list(DESCRIPTIONS) == [*Usage._fields, *Upkeep._fields]


def test_a_volume_price_applies_beyond_its_volume() -> None:
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


def test_measured_sizes_are_used_unchanged(units: Units) -> None:
    assert units.of("approve", 100_000)["messages"] == 100_000
    assert units.of("connect")["write_units"] == 2


def test_other_sizes_are_interpolated_and_extrapolated_linearly(units: Units) -> None:
    assert units.of("approve", 5_500)["messages"] == pytest.approx(5_500)
    assert units.of("approve", 1_000_000)["messages"] == pytest.approx(1_000_000)
    reads = [units.of("sweep", size)["read_units"] for size in (55_000, 100_000, 1_000_000)]
    assert reads[0] < reads[1] < reads[2]
    assert reads[2] == pytest.approx(10 * reads[1], rel=0.05)


def test_extrapolated_counts_are_never_negative(units: Units) -> None:
    assert min(units.of("approve", 1).values()) >= 0


def test_every_count_has_a_price(units: Units) -> None:
    assert set(bill(units).total) <= set(PRICES)


def test_services_and_activities_add_up_to_the_bill(units: Units) -> None:
    found = bill(units)
    assert sum(found.by_service.values()) == pytest.approx(found.dollars)
    assert sum(found.share_of(name) for name in ACTIVITIES) == pytest.approx(1)


def test_a_keep_alive_is_two_messages_without_invocations(units: Units) -> None:
    found = bill(units, phones=1, sessions=2, session_minutes=30, ping_seconds=30)
    assert found.counts[KEEP_ALIVE]["messages"] == pytest.approx(2 * 2 * 30 * found.usage.pings)
    assert "invocations" not in found.counts[KEEP_ALIVE]


def test_a_connection_is_pinged_at_each_interval_but_its_last_and_less_if_events_arrive() -> None:
    usage = USAGE._replace(session_minutes=20, ping_seconds=240)
    assert usage._replace(pings_despite_events=1).pings == 4
    assert usage._replace(pings_despite_events=0, approvals=0).pings == pytest.approx(4)
    assert usage._replace(pings_despite_events=0, approvals=0, session_minutes=4).pings == 0
    often = [usage._replace(pings_despite_events=0, approvals=n).pings for n in (10, 100, 1000)]
    assert 4 > often[0] > often[1] > often[2] > 0


def test_events_that_come_at_random_leave_as_many_pings_as_a_simulation_finds() -> None:
    usage = USAGE._replace(pings_despite_events=0)
    per_minute = usage.approvals * usage.connected_at_approval / usage.connected_minutes
    chance, total, runs = random.Random(1), 0, 20_000  # noqa: S311 - a simulation
    for _ in range(runs):
        now, event = 0.0, chance.expovariate(per_minute)
        while (ping := now + usage.ping_seconds / 60) < usage.session_minutes or (
            event < usage.session_minutes
        ):
            is_silent = ping < event
            total += is_silent and ping < usage.session_minutes
            now = min(ping, event)
            if not is_silent:
                event += chance.expovariate(per_minute)
    assert usage.pings == pytest.approx(total / runs, rel=0.02)


def test_a_person_exchanges_a_token_once_a_visit_and_less_if_it_lasts_longer() -> None:
    """Visits are 20 hours apart on average."""
    hour, day = USAGE._replace(token_minutes=60), USAGE._replace(token_minutes=24 * 60)
    visits = hour.sessions * (1 - hour.resumes)
    assert 0.9 * visits < hour.token_exchanges < visits
    assert day.token_exchanges < 0.6 * visits


def test_an_app_start_loads_a_list_and_a_visit_that_continues_does_not(units: Units) -> None:
    found = bill(units, phones=100, lists_per_event=0)
    assert found.counts[LISTS]["edge_requests"] == pytest.approx(100 * 24 * 30 * 0.5)


def test_a_location_fetches_a_list_as_often_as_a_simulation_finds(units: Units) -> None:
    """Requests come at random; one that finds no copy, or an old one, fetches another."""
    found = bill(units, phones=5_000, approvals=0)
    places, kept = found.units.upkeep.edge_places, found.units.upkeep.cached_seconds
    seconds = 30 * 24 * 3600 / places
    chance, now, copied_at, fetched = random.Random(1), 0.0, -1e9, 0  # noqa: S311 - a simulation
    while now < seconds:
        now += chance.expovariate(found.lists_at_the_edge / places / (30 * 24 * 3600))
        if now - copied_at > kept:
            copied_at, fetched = now, fetched + 1
    assert found.fetched_lists == pytest.approx(fetched * places * places, rel=0.02)
    assert found.fetched_lists < found.lists_at_the_edge


def test_of_a_connections_lines_a_share_is_stored_and_all_of_its_metrics() -> None:
    upkeep = Upkeep(logged_connections=0.25)
    counts = {
        **measured(),
        "greet": {"0": {"invocations": 1, "gb_seconds": 0, "log_bytes": 1000, "metric_bytes": 200}},
    }
    assert Units(upkeep, counts).of("greet")["log_bytes"] == pytest.approx(200 + 0.25 * 800)


def test_every_activity_is_of_a_function_whose_start_was_measured(units: Units) -> None:
    assert set(FUNCTION_OF) == set(measured())
    assert set(FUNCTION_OF.values()) <= set(FUNCTIONS)
    without = Units(units.upkeep._replace(cold_starts=0))
    for activity in FUNCTION_OF:
        assert units.of(activity)["gb_seconds"] > without.of(activity)["gb_seconds"]


def test_x_ray_records_the_first_of_each_second_of_each_function_and_a_share() -> None:
    seconds = 30 * 24 * 3600
    alone = Month(10_000_000, USAGE, Units(traced=frozenset({"connect"})))
    assert alone.total["traces"] == pytest.approx(seconds + 0.05 * (alone.sessions - seconds))
    seldom = Month(1, USAGE, Units(traced=frozenset({"connect", "disconnect"})))
    assert seldom.total["traces"] == pytest.approx(2 * seldom.sessions)
    assert Month(1, USAGE, Units(traced=frozenset())).total["traces"] == 0


def test_a_longer_interval_changes_only_the_price_of_keep_alives(units: Units) -> None:
    often, seldom = bill(units, ping_seconds=30), bill(units, ping_seconds=300)
    assert often.dollars > seldom.dollars
    others = [name for name in ACTIVITIES if name != KEEP_ALIVE]
    assert [often.counts[name] for name in others] == [seldom.counts[name] for name in others]


def test_deliveries_are_live_events_and_replayed_ones(units: Units) -> None:
    found = bill(units, phones=100)
    assert found.live == 100 * 0.5 * 100 * 30
    assert found.delivered == found.live + 100 * 24 * 30 * 0.5 * 5
    # Administrators receive each submission too.
    assert found.counts[EVENTS]["messages"] == pytest.approx(found.live)
    # Several events in a frame: that of the greeting, or at least the request and the answer.
    assert found.counts[RECOVERY]["messages"] == 0
    asking = bill(units, phones=100, positions_in_handshakes=0)
    resumes = 100 * 24 * 30 * 0.5
    assert 2 * resumes <= asking.counts[RECOVERY]["messages"] < found.delivered - found.live


def test_events_in_one_frame_share_its_message_and_not_their_bytes(units: Units) -> None:
    alone, together = bill(units), bill(units, events_per_post=10)
    assert together.live == alone.live
    one, tenth = alone.counts[EVENTS], together.counts[EVENTS]
    assert tenth["messages"] == pytest.approx(one["messages"] / 10)
    assert tenth["http_requests"] == one["http_requests"]
    assert tenth["edge_bytes"] > 0.9 * one["edge_bytes"]
    assert together.dollars < alone.dollars


def test_every_edge_request_passes_the_firewall(units: Units) -> None:
    found = bill(units).total
    assert found["edge_requests"] == found["firewall_requests"]
    assert found["edge_requests"] > found["http_requests"]
    assert "transfer_bytes" not in found


def test_each_step_saves_and_no_choice_costs() -> None:
    bills = [steps.before(n).month(100_000).dollars for n in range(len(steps.STEPS) + 1)]
    assert bills == sorted(bills, reverse=True)
    assert len(set(bills)) == len(bills)
    here = steps.Deployment()
    assert bills[-1] == here.month(100_000).dollars
    for choice in steps.CHOICES:
        assert choice.chosen(here, 100_000).month(100_000).dollars < bills[-1]


def test_with_the_choices_that_cost_no_promise_it_is_1500_dollars_for_100_000_phones() -> None:
    chosen = steps.all_without_a_promise(steps.Deployment(), 100_000)
    assert chosen.month(100_000).dollars <= 1_500


def test_what_no_document_settles_has_its_dollars_in_the_first_deployment(units: Units) -> None:
    text = FIRST_DEPLOY.read_text()
    for question in steps.QUESTIONS:
        assert f"${abs(question.dollars(bill(units, 100_000))):,.0f}" in text, question.what


def test_the_smallest_sufficient_plan_of_pusher_is_used(units: Units) -> None:
    plans = [competitors.pusher(bill(units, phones)) for phones in (1_000, 10_000, 100_000)]
    assert [plan and plan.name for plan in plans] == ["Pro", "Premium", None]
    busy = competitors.pusher(bill(units, 1_000, approvals=10_000))
    assert busy
    assert busy.name == "Business"


def test_ably_adds_an_unpublished_fee_beyond_its_packages(units: Units) -> None:
    within, beyond = (competitors.ably_by_use(bill(units, n)) for n in (10_000, 100_000))
    assert not within.excludes_base_fee
    assert within.highest > 399
    assert beyond.excludes_base_fee
    assert beyond.lowest < beyond.highest


def test_ably_bills_minutes_and_messages_beyond_those_of_a_user(units: Units) -> None:
    ten, one = (competitors.ably_by_user(bill(units, 100_000, users=n)) for n in (10.0, 1.0))
    assert ten.highest == pytest.approx(1_000_000 * 0.05)
    assert one.highest > 100_000 * 0.05
