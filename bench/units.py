"""Units: what AWS would bill for each activity once; docs/cost.md multiplies them by usage."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from statistics import median
from typing import Any

from bench import machine, recovery, report, scale
from bench.cloud import rows, stack
from bench.cloud.bill import PRICES
from bench.cloud.stack import Stack
from bench.report import Section, Table
from harness import gateway_events
from vitrina import aws
from vitrina.channels import ClientType

DOCUMENT = report.CHARTS / "units.json"
REPETITIONS = 5
PRODUCTS = 60
"""Stored products, of which a list contains the first twenty."""
EMAIL, PASSWORD = "user@example.com", "password"
NAME = "Красное платье"

Bill = dict[str, float]
Sized = dict[int, Bill]
"""By number of connections or events; 1 if it makes no difference."""


def measure(progress: Callable[[str], None]) -> Section:
    """Do each activity several times and take the medians; takes about three minutes."""
    units: dict[str, Sized] = {}
    load = machine.Load()
    progress("Connecting, greeting, disconnecting")
    units |= _visits()
    progress("Resuming")
    runs = recovery.recover(scale.LATENCY_MS)
    units["resume"] = {n: _typical([run.bill for run in found]) for n, found in runs.items()}
    progress("Logging in, listing, submitting")
    units |= _requests()
    units |= {"approve": {}, "sweep": {}, "count": {}}
    for size in scale.SIZES:
        progress(f"Approving, sweeping, counting: {size:,} connections")
        units["approve"][size] = _typical([run.bill for run in scale.approvals(size)])
        units["sweep"][size], units["count"][size] = _rounds(size)
    _write(units)
    note = (
        f"Other processes used {load.others_share():.0%} of the machine, which lengthens GB-s only."
    )
    return Section([_table(units)], [note])


def _visits() -> dict[str, Sized]:
    """Bill connects, greetings and disconnects, one after another."""
    with stack.running(latency_ms=scale.LATENCY_MS) as here:
        token = here.token(ClientType.USER)
        connect, greet, disconnect = map(here.function, ("connect", "greet", "disconnect"))
        bills: dict[str, list[Bill]] = {"connect": [], "greet": [], "disconnect": []}
        for number in range(1 + REPETITIONS):
            connection = f"visitor{number}="
            request = gateway_events.websocket("CONNECT", connection, token=token)
            bills["connect"].append(here.bill(connect, request))
            inserted = {"Records": [{"dynamodb": {"NewImage": _row(here, connection)}}]}
            bills["greet"].append(here.bill(greet, inserted) | {"messages": 1})
            request = gateway_events.websocket("DISCONNECT", connection)
            bills["disconnect"].append(here.bill(disconnect, request))
        _expect(here, posts=1 + REPETITIONS)
        return {name: {1: _typical(found[1:])} for name, found in bills.items()}


def _row(here: Stack, connection_id: str) -> Any:
    key = {"partition": f"connection#{connection_id}", "member": "connection"}
    return here.cloud.tables["connections"].get(aws.to_item(key)).item


def _requests() -> dict[str, Sized]:
    """Bill the HTTP requests of phones and shops."""
    with stack.running(latency_ms=scale.LATENCY_MS) as here:
        for row in map(_product, range(1, PRODUCTS + 1)):
            here.put("products", row)
        here.put("platform", {"name": "last_product_id", "value": 100})
        here.put("accounts", rows.account(EMAIL, PASSWORD))
        shop = here.token(ClientType.SHOP, shop_id=10, shop_name="Fashion Store")
        asked = {
            "log in": ("login", _post("auth/login", body={"email": EMAIL, "password": PASSWORD})),
            "refresh": ("login", _post("auth/refresh", token=here.token(ClientType.USER))),
            "list": ("products", gateway_events.http("GET", "/api/v1/products")),
            "submit": ("products", _post("products", token=shop, body=_submission())),
        }
        return {what: {1: _ask(here, *request)} for what, request in asked.items()}


def _post(path: str, *, token: str | None = None, body: Any = None) -> dict[str, Any]:
    return gateway_events.http("POST", f"/api/v1/{path}", token=token, body=body)


def _ask(here: Stack, name: str, request: dict[str, Any]) -> Bill:
    function = here.function(name)
    bills = [here.bill(function, request) for _ in range(1 + REPETITIONS)]
    return _typical(bills[1:])


def _rounds(connections: int) -> tuple[Bill, Bill]:
    """Bill what reads all connections: a sweep that finds nothing to do, and a count."""
    with stack.running(connections=connections) as here:
        sweep, stats = here.function("sweep"), here.function("stats")
        swept, counted = [], []
        for _ in range(1 + REPETITIONS):
            swept.append(here.bill(sweep, {}))
            counted.append(here.bill(stats, gateway_events.http("GET", "/health")))
            # A count is cached for two seconds.
            time.sleep(2)
        return _typical(swept[1:]), _typical(counted[1:])


def _expect(here: Stack, *, posts: int) -> None:
    done = [answer for answer in here.answers() if answer.status == HTTPStatus.OK]
    if len(done) != posts:
        raise RuntimeError(f"{len(done)} posts instead of {posts}")


def _typical(bills: list[Bill]) -> Bill:
    """Return the median of each count that has a price."""
    names = [name for name in PRICES if any(name in bill for bill in bills)]
    return {name: median(bill.get(name, 0) for bill in bills) for name in names}


def _product(product_id: int) -> dict[str, Any]:
    return {
        **rows.pending_product(product_id),
        **_submission(),
        "moderation_status": "approved",
        "status_changed_at": datetime.now(UTC).isoformat(),
        "shop_status": "10#approved",
        "version": 2,
        "moderation_notes": "Отличный товар",
        "admin_id": 1,
        "approval_fee": 5,
    }


def _submission() -> dict[str, Any]:
    """Return a product as a shop describes it, with a paragraph of Russian."""
    return {
        "product_name": NAME,
        "description": "Лёгкое платье из хлопка, на каждый день. " * 8,
        "price": 4990,
        "image_url": "https://images.example.com/products/0197b2c4/front.webp",
    }


# --- The section of the page ----------------------------------------------------------------------


def _write(units: Mapping[str, Sized]) -> None:
    """Write the figures for the tables of docs/cost.md."""
    content = {
        "measured_on": f"{datetime.now(UTC):%Y-%m-%d}",
        "measured_by": machine.description(),
        "units": {
            what: {str(size): _rounded(bill) for size, bill in sized.items()}
            for what, sized in units.items()
        },
    }
    DOCUMENT.write_text(json.dumps(content, indent=2) + "\n")


def _rounded(bill: Bill) -> Bill:
    return {name: float(f"{count:.6g}") for name, count in bill.items()}


def _table(units: Mapping[str, Sized]) -> Table:
    counted = ("messages", "read_units", "write_units", "queue_requests", "invocations")
    columns = ["", "of", "messages", "read units", "write units", "SQS requests", "invocations"]
    columns += ["GB-s", "bytes of logs"]
    rows = [
        [
            what,
            f"{size:,}" if len(sized) > 1 else "",
            *(f"{bill.get(name, 0):,.0f}" for name in counted),
            f"{bill['gb_seconds']:.3f}",
            f"{bill['log_bytes']:,.0f}",
        ]
        for what, sized in units.items()
        for size, bill in sized.items()
    ]
    return Table("What one costs", columns, rows)
