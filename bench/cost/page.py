"""The generated tables of docs/cost.md."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from bench.cloud.bill import GB, MILLION, PRICES, TB, Price, dollars
from bench.cost import competitors, floor, steps
from bench.cost.competitors import PriceRange
from bench.cost.month import ACTIVITIES, CONNECTIONS, EVENTS, KEEP_ALIVE, RECOVERY, Month
from bench.cost.steps import Choice, Question, Step
from bench.cost.units import Units, add
from bench.cost.usage import DAYS, DESCRIPTIONS, SHORT_VISITS, UPKEEP, Usage
from reference import pages
from vitrina.config import Policy

DOCUMENT = Path(__file__).parents[2] / "docs/cost.md"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
MIDDLE, LARGE = 100_000, 1_000_000
USAGE = Usage()
SHORT_SECONDS = Policy.model_fields["ping_interval_seconds"].default
INTERVALS = (SHORT_SECONDS, USAGE.ping_seconds, 300, 540)
EVENTS_PER_POST = (1, 2, 10, 50)


def text() -> str:
    """Return the page with up-to-date tables."""
    tables = {
        "usage": _usages(),
        "upkeep": _upkeep(),
        "months": _months(),
        "services": _services(),
        "activities": _activities(),
        "events": _events(),
        "keep-alives": _keep_alives(),
        "steps": _steps(),
        "targets": _targets(),
        "floor": _floor(),
        "choices": _choices(),
        "questions": _questions(),
        "competitors": _competitors(),
        "figures": _figures(),
        "prices": _prices(),
    }
    return pages.renew(DOCUMENT.read_text(encoding="utf-8"), tables)


_units = cache(Units)


def _month(phones: int, usage: Usage = USAGE) -> Month:
    return Month(phones, usage, _units())


def _usages() -> str:
    rows = [
        [DESCRIPTIONS[name], *(f"{getattr(usage, name):,.12g}" for usage in (USAGE, SHORT_VISITS))]
        for name in Usage._fields
    ]
    pings = [f"{usage.pings:.3g}" for usage in (USAGE, SHORT_VISITS)]
    exchanges = [f"{usage.token_exchanges:.3g}" for usage in (USAGE, SHORT_VISITS)]
    rows += [
        ["so: pings of a connection", *pings],
        ["so: exchanges of a refresh token per day", *exchanges],
    ]
    return pages.table(["for each phone", "long visits", "short visits"], rows)


def _upkeep() -> str:
    rows = [[DESCRIPTIONS[name], f"{value:,.12g}"] for name, value in UPKEEP._asdict().items()]
    return pages.table(["assumption", "value"], rows)


def _months() -> str:
    def row(visits: str, usage: Usage, phones: int) -> list[str]:
        found = _month(phones, usage)
        return [
            visits,
            f"{phones:,}",
            f"{found.delivered:,.0f}",
            _dollars(found.dollars),
            _dollars(found.dollars / found.delivered * MILLION),
            f"${found.dollars / phones:.3f}",
            f"${found.dollars / found.people:.4f}",
        ]

    columns = ["visits", "phones", "deliveries"]
    columns += ["$ a month", "$ per million deliveries", "$ per phone", "$ per person"]
    usages = {"long": USAGE, "short": SHORT_VISITS}
    rows = [row(visits, usage, size) for visits, usage in usages.items() for size in SIZES]
    return pages.table(columns, rows)


def _services() -> str:
    found = [_month(phones).by_service for phones in SIZES]
    return _by_column({name: [each[name] for each in found] for name in found[0]})


def _activities() -> str:
    found = [_month(phones) for phones in SIZES]
    return _by_column(
        {name: [each.dollars * each.share_of(name) for each in found] for name in ACTIVITIES}
    )


def _events() -> str:
    def row(per_post: float) -> list[str]:
        usage = USAGE._replace(events_per_post=per_post)
        found = [Month(phones, usage, _units()) for phones in SIZES]
        costs = (each.dollars * each.share_of(EVENTS) / each.live * MILLION for each in found)
        return [f"{per_post:g}", *map(_dollars, costs)]

    columns = ["events in a frame", *(f"{phones:,}" for phones in SIZES)]
    return pages.table(columns, [row(per_post) for per_post in EVENTS_PER_POST])


def _by_column(rows: dict[str, list[float]]) -> str:
    columns = ["$ a month", *(f"{phones:,}" for phones in SIZES)]
    return pages.table(columns, [[name, *map(_dollars, costs)] for name, costs in rows.items()])


def _keep_alives() -> str:
    def cell(found: Month) -> str:
        return f"{_dollars(found.dollars)} ({found.share_of(KEEP_ALIVE):.0%})"

    return _by_size(
        [_interval(seconds) for seconds in INTERVALS],
        lambda phones: [
            cell(_month(phones, USAGE._replace(ping_seconds=seconds))) for seconds in INTERVALS
        ],
    )


def _steps() -> str:
    def row(place: int, step: Step) -> list[str]:
        ends = [
            _dollars(steps.before(which).month(phones).dollars)
            for phones in (SIZES[0], MIDDLE)
            for which in (place, place + 1)
        ]
        return [step.what, step.for_whom, *ends]

    columns = ["step", "what it changes, for whom"]
    columns += [
        f"{phones:,} phones: {end}" for phones in (SIZES[0], MIDDLE) for end in ("before", "after")
    ]
    rows = [row(*numbered) for numbered in enumerate(steps.STEPS)]
    return pages.table(columns, rows, text_columns=2)


def _targets() -> str:
    def row(phones: int) -> list[str]:
        before, here = steps.before(0), steps.Deployment()
        chosen = steps.all_without_a_promise(here, phones)
        target, reached = steps.TARGETS[phones], here.month(phones).dollars
        return [
            _dollars(before.month(phones).dollars),
            f"≤ {_dollars(target)}",
            _dollars(reached),
            "met" if reached <= target else "missed",
            _dollars(chosen.month(phones).dollars),
        ]

    columns = ["before the steps", "target", "reached", "", "with the choices marked *"]
    return _by_size(columns, row)


def _floor() -> str:
    found = [floor.lines(_month(phones)) for phones in SIZES]
    rows = [
        [line.what, line.why, *(_dollars(each[place]) for each in found)]
        for place, line in enumerate(floor.LINES)
    ]
    rows.append(["**together**", "before any function computes", *map(_dollars, map(sum, found))])
    rows.append(["the target", "", *(_dollars(steps.TARGETS[phones]) for phones in SIZES)])
    columns = ["line", "why it stays", *(f"{phones:,}" for phones in SIZES)]
    return pages.table(columns, rows, text_columns=2)


def _choices() -> str:
    def row(choice: Choice) -> list[str]:
        here = steps.Deployment()
        saved = (
            here.month(phones).dollars - choice.chosen(here, phones).month(phones).dollars
            for phones in SIZES
        )
        what = f"{choice.what} *" if choice.costs_no_promise else choice.what
        return [what, choice.its_price, choice.how, *map(_dollars, saved)]

    columns = ["choice", "its price", "how", *(f"{phones:,}" for phones in SIZES)]
    return pages.table(columns, [row(choice) for choice in steps.CHOICES], text_columns=3)


def _questions() -> str:
    def row(question: Question) -> list[str]:
        found = (question.dollars(_month(phones)) for phones in (SIZES[0], MIDDLE, LARGE))
        return [question.what, question.if_so, *map(_signed, found)]

    columns = ["question", "if so", *(f"{phones:,}" for phones in (SIZES[0], MIDDLE, LARGE))]
    return pages.table(columns, [row(each) for each in steps.QUESTIONS], text_columns=2)


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{_dollars(abs(value))}"


def _competitors() -> str:
    def row(phones: int) -> list[str]:
        found = _month(phones)
        transport = found.share_of(CONNECTIONS, KEEP_ALIVE, EVENTS, RECOVERY)
        plan = competitors.pusher(found)
        return [
            _dollars(found.dollars),
            _dollars(found.dollars * transport),
            _dollars(competitors.appsync(found)),
            _range(competitors.ably_by_use(found)),
            _range(competitors.ably_by_user(found)),
            f"{_dollars(plan.dollars)} ({plan.name})" if plan else "not published",
        ]

    columns = ["Vitrina", "of which transport"]
    columns += ["AppSync Events", "Ably by use", "Ably by user", "Pusher Channels"]
    return _by_size(columns, row)


def _figures() -> str:
    found = _month(MIDDLE)
    connection = found.dollars * found.share_of(CONNECTIONS) / (MIDDLE * USAGE.sessions * DAYS)
    event = found.dollars * found.share_of(EVENTS) / found.live
    message, minute = PRICES["messages"].dollars, PRICES["connection_minutes"].dollars
    keep_alives = 2 * 60 / SHORT_SECONDS * message / minute
    appsync = competitors.appsync_keep_alives(found)
    opened = LARGE / (USAGE.session_minutes * 60)
    rows = {
        "connections open on average, as a share of the peak": f"{USAGE.connected:.0%}",
        f"price of pings every {_interval(SHORT_SECONDS)} ÷ price of connection minutes": (
            f"{keep_alives:.0f}"
        ),
        f"one connection of {USAGE.session_minutes:g} min, without keep-alives": (
            f"${connection:.7f}"
        ),
        "minutes of an open, pinged connection for the price of opening one": (
            f"{_opening() / _pinged_minute():.0f}"
        ),
        "one million events to connected phones": _dollars(event * MILLION),
        "events to connected phones for the price of one connection": f"{connection / event:.0f}",
        f"AppSync's own keep-alives for {MIDDLE:,} phones, if they are billed": _dollars(appsync),
        f"connections that {LARGE:,} phones open per second at the peak": f"{opened:,.0f}",
        f"connections that an event reaches, of {LARGE:,} at the peak": (
            f"{USAGE.connected_at_approval * LARGE:,.0f}"
        ),
    }
    return pages.table(["figure", "value"], list(rows.items()))


def _opening() -> float:
    """Return the dollars of opening and closing a connection."""
    units = _units()
    parts = (units.of("connect"), units.of("greet", 0), units.of("disconnect"))
    return sum(dollars(add(*parts, units.through_the_edge(1))).values())


def _pinged_minute() -> float:
    pings = 2 * 60 / USAGE.ping_seconds
    return PRICES["connection_minutes"].dollars + pings * PRICES["messages"].dollars


def _prices() -> str:
    rows = [_price(price) for name, price in PRICES.items() if name != "transfer_bytes"]
    return pages.table(["service", "unit", "$", "$ beyond a monthly volume"], rows, text_columns=2)


def _price(price: Price) -> list[str]:
    beyond = (f"{_unit_price(each)} from {_volume(count)}" for count, each in price.beyond)
    return [price.service, price.part, _unit_price(price.dollars), ", ".join(beyond)]


def _unit_price(price: float) -> str:
    """Return the price of a usual amount: `0.25 per million`."""
    if price * GB < 1:
        return f"{price * GB:.3g} per GB"
    if price < 0.01:  # noqa: PLR2004 - less than a cent
        return f"{price * MILLION:.6g} per million"
    return f"{price:.2f}"


def _volume(count: float) -> str:
    return f"{count / TB:g} TB" if count >= TB else f"{count / MILLION:,.0f} million"


def _range(price: PriceRange) -> str:
    ends = dict.fromkeys((_dollars(price.lowest), _dollars(price.highest)))
    return "–".join(ends) + (" + base" if price.excludes_base_fee else "")


def _interval(seconds: float) -> str:
    return f"{seconds:g} s" if seconds % 60 else f"{seconds / 60:g} min"


def _by_size(columns: Sequence[str], row: Callable[[int], list[str]]) -> str:
    return pages.table(["phones", *columns], [[f"{size:,}", *row(size)] for size in SIZES])


def _dollars(value: float) -> str:
    return f"${value:,.0f}" if value >= 100 else f"${value:,.2f}"  # noqa: PLR2004 - cents count
