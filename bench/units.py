"""Units: what AWS would bill for each activity once; docs/cost.md multiplies them by usage."""

import gzip
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from statistics import median
from typing import Any

from bench import machine, recovery, report, scale
from bench.cloud import rows, stack
from bench.cloud.bill import PRICES
from bench.cloud.lambdas import Lambda
from bench.cloud.stack import Stack
from bench.report import Section, Table
from harness import gateway_events
from vitrina import aws, statistics
from vitrina.channels import ClientType

REPETITIONS = 5
APPROVED = (0, 10, *scale.SIZES)
"""Connections when a product is approved."""
GREETED = (0, 5)
"""Missed events of a client that brings its positions."""
FEW = 10
MAX_WRITE_UNITS, MAX_QUERIES = 21, 6
"""Of an approval without connections, or with a few."""
PRODUCTS = 60
"""Stored products, of which a list contains the first twenty."""
EMAIL, PASSWORD = "user@example.com", "password"
KINDS = ("Платье", "Рубашка", "Пальто", "Куртка", "Юбка", "Свитер", "Костюм", "Плащ")
COLOURS = ("красное", "синее", "белое", "чёрное", "зелёное", "серое", "бежевое", "розовое")
WORDS = (
    "ткань хлопок лён вискоза шерсть подкладка пояс карман ворот рукав манжета застёжка "
    "молния пуговица размер таблица длина колено плечо талия цвет узор полоска клетка рисунок "
    "прогулка работа праздник лето осень зима весна джинсы туфли сумка стирка глажка градус "
    "мягкая плотная лёгкая тёплая прямая свободная новая удобная подойдёт сочетается держит "
    "дышит хорошо почти всегда быстро сразу легко"
)
WORDS_PER_PRODUCT = 42

Bill = dict[str, float]
Sized = dict[int, Bill]
"""By number of connections or events; 1 if it makes no difference."""


def measure(progress: Callable[[str], None]) -> Section:
    """Do each activity several times and take the medians; takes about three minutes."""
    units: dict[str, Sized] = {}
    usage = machine.CpuUsage()
    progress("Connecting, greeting, disconnecting")
    units |= {**_visits(), "greet": _greetings()}
    progress("Resuming")
    runs = recovery.recover(scale.LATENCY_MS, takes_batches=True)
    units["resume"] = {n: _typical([run.bill for run in found]) for n, found in runs.items()}
    progress("Logging in, listing, submitting")
    units |= _requests()
    units |= {"approve": {}, "sweep": {}, "count": {}}
    queries: dict[int, float] = {}
    for size in APPROVED:
        progress(f"Approving: {size:,} connections")
        bills = [run.bill for run in scale.approvals(size)]
        units["approve"][size] = _typical(bills)
        queries[size] = median(bill["Query"] for bill in bills)
    for size in scale.SIZES:
        progress(f"Sweeping, counting: {size:,} connections")
        units["sweep"][size], units["count"][size] = _rounds(size)
    _write(units)
    busy = usage.others_share()
    note = f"Other processes used {busy:.0%} of the machine, which lengthens GB-s only."
    targets = Table("Targets", [*_targets(units["approve"], queries)])
    return Section([targets, _approvals_table(units["approve"], queries), _table(units)], [note])


def _visits() -> dict[str, Sized]:
    """Bill connects, and then the disconnects of these connections."""
    with stack.running(latency_ms=scale.LATENCY_MS) as here:
        token = here.token(ClientType.USER)
        connect, disconnect = map(here.function, ("connect", "disconnect"))
        ids = [f"visitor{number}=" for number in range(1 + REPETITIONS)]
        opened = (gateway_events.websocket("CONNECT", each, token=token) for each in ids)
        closed = (gateway_events.websocket("DISCONNECT", each) for each in ids)
        return {
            "connect": {1: _typical_of(here, connect, opened)},
            "disconnect": {1: _typical_of(here, disconnect, closed)},
        }


def _greetings() -> Sized:
    """Bill greetings, by the number of missed events that they recover."""
    with stack.running(latency_ms=scale.LATENCY_MS) as here:
        recovery.store(here)
        visit = recovery.Visit(here)
        return {
            missed: _typical([_greet(here, visit, missed) for _ in range(1 + REPETITIONS)][1:])
            for missed in GREETED
        }


def _greet(here: Stack, visit: recovery.Visit, missed: int) -> Bill:
    bill = _bill(here, visit.greet, visit.connect(missed, brings=missed > 0))
    posts = here.answers()
    if [post.status for post in posts] != [HTTPStatus.OK]:
        raise RuntimeError(f"Not greeted with one frame: {posts}")
    return bill | {"messages": 1}


def _requests() -> dict[str, Sized]:
    """Bill the HTTP requests of phones and shops."""
    with stack.running(latency_ms=scale.LATENCY_MS) as here:
        for product_id in range(1, PRODUCTS + 1):
            here.put("products", _product(product_id))
        here.put("platform", {"name": "last_product_id", "value": 100})
        here.put("accounts", rows.account(EMAIL, PASSWORD))
        shop = here.token(ClientType.SHOP, shop_id=10, shop_name="Fashion Store")
        asked = {
            "log in": ("login", _post("auth/login", body={"email": EMAIL, "password": PASSWORD})),
            "list": ("products", gateway_events.http("GET", "/api/v1/products")),
            "submit": ("products", _post("products", token=shop, body=_submission())),
        }
        units = {what: {1: _ask(here, *request)} for what, request in asked.items()}
        return {**units, "refresh": {1: _refresh(here)}}


def _refresh(here: Stack) -> Bill:
    """Bill refreshes that give a new refresh token, as those of an app that was away do."""
    tokens = (
        here.session(ClientType.USER, number + 1, age_seconds=3600).refresh_token
        for number in range(1 + REPETITIONS)
    )
    asked = (_post("auth/refresh", body={"refresh_token": str(token)}) for token in tokens)
    return _typical_of(here, here.function("sessions"), asked)


def _post(path: str, *, token: str | None = None, body: Any = None) -> dict[str, Any]:
    return gateway_events.http("POST", f"/api/v1/{path}", token=token, body=body)


def _ask(here: Stack, name: str, request: dict[str, Any]) -> Bill:
    """Bill the same event repeatedly.

    Connections are counted each time, and no earlier numbers are returned.
    """

    def repeated() -> Iterator[dict[str, Any]]:
        for _ in range(1 + REPETITIONS):
            here.cloud.tables["platform"].delete(aws.to_item({"name": statistics.ROW}))
            yield request

    return _typical_of(here, here.function(name), repeated())


def _rounds(connections: int) -> tuple[Bill, Bill]:
    """Bill what reads all connections: a sweep that finds nothing to do, and a count."""
    with stack.running(connections=connections) as here:
        health = gateway_events.http("GET", "/health")
        return _ask(here, "sweep", {}), _ask(here, "stats", health)


def _typical_of(here: Stack, function: Lambda, events: Iterable[dict[str, Any]]) -> Bill:
    """Return the typical bill of events, but for the first one, which starts the function."""
    return _typical([_bill(here, function, event) for event in events][1:])


def _bill(here: Stack, function: Lambda, event: dict[str, Any]) -> Bill:
    """Invoke a function and return its bill; raises RuntimeError if it returns an error."""
    bill, answer = here.bill(function, event)
    if "rawPath" in event:
        body = answer["body"].encode()
        # The edge compresses what it may share, as clients take it.
        if "max-age" in answer["headers"]["Cache-Control"]:
            body = gzip.compress(body)
        bill |= {"http_requests": 1, "transfer_bytes": len(body)}
    return bill


def _typical(bills: list[Bill]) -> Bill:
    """Return the median of each count that has a price, and of the logs' bytes that are metrics."""
    counted = (*PRICES, "metric_bytes")
    names = [name for name in counted if any(name in bill for bill in bills)]
    return {name: median(bill.get(name, 0) for bill in bills) for name in names}


def _product(product_id: int) -> dict[str, Any]:
    return {
        **rows.pending_product(product_id),
        **_submission(product_id),
        "moderation_status": "approved",
        "status_changed_at": datetime.now(UTC).isoformat(),
        "shop_status": "10#approved",
        "version": 2,
        "moderation_notes": "Отличный товар",
        "admin_id": 1,
        "approval_fee": 5,
    }


def _submission(product_id: int = 0) -> dict[str, Any]:
    """Return a product as a shop describes it, with a paragraph of Russian, each another one."""
    chosen = random.Random(product_id)  # noqa: S311 - the same in each run
    return {
        "product_name": f"{chosen.choice(KINDS)} {chosen.choice(COLOURS)}",
        "description": " ".join(chosen.choices(WORDS.split(), k=WORDS_PER_PRODUCT)),
        "price": chosen.randrange(990, 9990, 10),
        "image_url": f"https://images.example.com/products/{chosen.getrandbits(64):016x}/front.webp",
    }


# --- The section of the page ----------------------------------------------------------------------


def _write(units: Mapping[str, Sized]) -> None:
    """Write the figures for the tables of docs/cost.md."""
    rounded = {
        what: {
            str(size): {name: float(f"{count:.6g}") for name, count in bill.items()}
            for size, bill in sized.items()
        }
        for what, sized in units.items()
    }
    report.write_figures("units", rounded)


def _targets(approve: Sized, queries: Mapping[int, float]) -> Iterator[report.Row]:
    for size in (0, FEW):
        what = f"an approval at {size} connections"
        written = approve[size]["write_units"]
        yield report.at_most(f"write units of {what}", MAX_WRITE_UNITS, written)
        yield report.at_most(f"queries of {what}", MAX_QUERIES, queries[size])


def _approvals_table(approve: Sized, queries: Mapping[int, float]) -> Table:
    rows = [
        [
            ("connections", f"{size:,}"),
            *report.counts(bill, {"write units": "write_units"}),
            ("queries", f"{queries[size]:,.0f}"),
            *report.counts(bill, {"read units": "read_units", "SQS requests": "queue_requests"}),
        ]
        for size, bill in approve.items()
    ]
    return Table("An approval", rows)


def _table(units: Mapping[str, Sized]) -> Table:
    rows = [
        [
            ("", what),
            ("of", f"{size:,}" if len(sized) > 1 else ""),
            *report.counts(bill, {"messages": "messages", **scale.WORK}),
            ("GB-s", f"{bill['gb_seconds']:.3f}"),
            *report.counts(bill, {"bytes of logs": "log_bytes"}),
        ]
        for what, sized in units.items()
        for size, bill in sized.items()
    ]
    return Table("What one costs", rows)
