"""The text of docs/cost.md."""

import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.cloud.bill import GB, MILLION, PRICES, TB
from bench.cost import month, rivals
from bench.cost.month import CONNECTIONS, DONE, EVENTS, KEEP_ALIVE, RECOVERY, UPKEEP, Month, Units
from bench.cost.rivals import Range
from bench.cost.usage import DAYS, TOLD, Upkeep, Usage
from bench.report import Table

DOCUMENT = Path(__file__).parents[2] / "docs/cost.md"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
MIDDLE, LARGE = 100_000, 1_000_000
OFTEN_SECONDS, ADVISED_SECONDS, SELDOM_SECONDS = 30, 240, 540
INTERVALS = (OFTEN_SECONDS, ADVISED_SECONDS, 300, SELDOM_SECONDS)

PAGES = {
    "API Gateway": "https://aws.amazon.com/api-gateway/pricing/",
    "DynamoDB": "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    "SQS": "https://aws.amazon.com/sqs/pricing/",
    "Lambda": "https://aws.amazon.com/lambda/pricing/",
    "CloudWatch": "https://aws.amazon.com/cloudwatch/pricing/",
    "X-Ray": "https://aws.amazon.com/xray/pricing/",
    "Secrets Manager": "https://aws.amazon.com/secrets-manager/pricing/",
    "CloudFront": "https://aws.amazon.com/cloudfront/pricing/",
    "WAF": "https://aws.amazon.com/waf/pricing/",
}


class _Months:
    """Months of every size, at the stated usage and at other keep-alives."""

    def __init__(self) -> None:
        self.usage, self.upkeep = Usage(), Upkeep()
        self.units = Units.read(self.upkeep)

    def of(self, phones: int, ping_seconds: float | None = None) -> Month:
        usage = self.usage._replace(ping_seconds=ping_seconds or self.usage.ping_seconds)
        return month.month(phones, usage, self.units, self.upkeep)


def text() -> str:
    """Return the page as it should be now."""
    months = _Months()
    parts = [
        _head(months),
        _usage(months),
        _summary(months),
        _services(months),
        _keep_alives(months),
    ]
    parts += [_rivals(months), _advice(months), _uncounted(months), _prices()]
    return "\n\n".join(map(_wrapped, "\n\n".join(parts).split("\n\n"))) + "\n"


def _wrapped(paragraph: str) -> str:
    """Fill the lines of a paragraph or of a list's items; tables and their titles stay."""
    is_title = paragraph.startswith("**") and paragraph.endswith("**")
    if is_title or paragraph.startswith(("|", "#")):
        return paragraph
    items = paragraph.removeprefix("- ").split("\n- ")
    first, next_ = ("- ", "  ") if paragraph.startswith("- ") else ("", "")
    fill = textwrap.TextWrapper(
        100,
        initial_indent=first,
        subsequent_indent=next_,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(fill.fill(" ".join(item.split())) for item in items)


def _head(months: _Months) -> str:
    return f"""\
# What it costs

Written by `make cost`: [what each thing takes](benchmarks.md), as measured on
{months.units.measured_on}, × AWS's list prices × the usage stated here. To ask for another usage,
change `bench/cost/usage.py` and make it again.

Dollars are those of a month of {DAYS} days in us-east-1, without free tier, discount, tax and
support plan."""


def _usage(months: _Months) -> str:
    rows = [[f"{value:g}", TOLD[name]] for name, value in months.usage._asdict().items()]
    table = Table("For each phone connected in the busiest moment of a day", ["", ""], rows)
    return f"""\
## The usage

A phone here is a connection that is open in the busiest moment of a day: a thousand phones are a
thousand WebSockets at once, and {months.usage.connected:.0%} of that on the average of the day.

{_left(table)}

Beside it stands what is there whether or not anyone uses it: {months.upkeep.alarms:g} alarms,
{months.upkeep.metrics:g} metrics of our own, a dashboard, a firewall with one rule, the sweep and
a look at `/health` every minute, and X-Ray as `prod` has it. Everything goes through CloudFront,
the bytes of the WebSockets included. One invocation in a hundred starts cold, which AWS gives as
the most that is usual."""


def _summary(months: _Months) -> str:
    columns = ["phones", "deliveries", "$ a month", "$ per million deliveries", "$ per phone"]
    intervals = {months.usage.ping_seconds: ", the default", ADVISED_SECONDS: ""}
    tables = [
        _table(
            f"With a keep-alive every {_said(seconds)}{which}", columns, _summed(months, seconds)
        )
        for seconds, which in intervals.items()
    ]
    return "\n\n".join(["## A month", *tables, _DELIVERIES])


_DELIVERIES = """\
A delivery is an event that has reached a phone, at once or by `resume`."""


def _summed(months: _Months, ping_seconds: float) -> list[list[str]]:
    def row(phones: int) -> list[str]:
        found = months.of(phones, ping_seconds)
        return [
            f"{found.delivered:,.0f}",
            _dollars(found.dollars),
            _dollars(found.dollars / found.delivered * MILLION),
            f"${found.dollars / found.phones:.3f}",
        ]

    return _by_size(row)


def _services(months: _Months) -> str:
    found = [months.of(phones) for phones in SIZES]
    columns = ["$ a month", *(f"{phones:,}" for phones in SIZES)]
    services = [each.by_service for each in found]
    by_service = [[name, *(_dollars(each[name]) for each in services)] for name in services[0]]
    by_deed = [
        [name, *(_dollars(each.dollars * each.share_of(name)) for each in found)] for name in DONE
    ]
    return "\n\n".join(
        [
            "## By service, and by what it is spent on",
            _table("By service, with the default keep-alive", columns, by_service),
            _table("The same by what is done", columns, by_deed),
        ]
    )


def _keep_alives(months: _Months) -> str:
    def row(phones: int) -> list[str]:
        found = [months.of(phones, seconds) for seconds in INTERVALS]
        cells = (_dollars(each.dollars) + f" ({each.share_of(KEEP_ALIVE):.0%})" for each in found)
        return list(cells)

    columns = ["phones", *map(_said, INTERVALS)]
    message, minute = (PRICES[name].dollars for name in ("messages", "connection_minutes"))
    times = 2 * 60 / OFTEN_SECONDS * message / minute
    return f"""\
## The keep-alive

API Gateway answers `ping` itself, so that no function runs and nothing is logged. It bills a
message in and a message out all the same: every {_said(OFTEN_SECONDS)}, the keep-alives of a
connection cost {times:.0f} times what the connection does.

{_table("$ a month, and the share that is keep-alives", columns, _by_size(row))}

The upper end is API Gateway's and CloudFront's: both end a connection that was silent for ten
minutes. Mobile networks are less patient. RFC 5382 wants an address translator to keep an idle TCP
connection for two hours and four minutes, and not all do: a network in France lost connections that
were silent for nine minutes and kept those with a sign of life every 270 s
([wirelessmoves.com, 2020]({_WIRELESSMOVES})), and who runs devices on mobile networks plans with
five minutes ([iatip.blogspot.com, 2012]({_IATIP})). Four minutes are below both."""


_WIRELESSMOVES = (
    "https://blog.wirelessmoves.com/2020/09/"
    "carrier-grade-nat-timeouts-and-how-to-configure-your-xmpp-server.html"
)
_IATIP = "https://iatip.blogspot.com/2012/07/"


def _rivals(months: _Months) -> str:
    usage, event_bytes = months.usage, months.units.event_bytes

    def row(phones: int) -> list[str]:
        found, advised = months.of(phones), months.of(phones, ADVISED_SECONDS)
        plan = rivals.pusher(found, usage)
        return [
            _dollars(found.dollars),
            _dollars(advised.dollars),
            _dollars(_carried(advised)),
            _dollars(rivals.appsync(found, usage, event_bytes)),
            _range(rivals.ably_by_use(found, usage)),
            _range(rivals.ably_by_user(found, usage)),
            f"{_dollars(plan.dollars)} ({plan.name})" if plan else "not published",
        ]

    columns = ["phones", "Vitrina", f"at {_said(ADVISED_SECONDS)}", "of it carrying"]
    columns += ["AppSync Events", "Ably by use", "Ably by user", "Pusher Channels"]
    unsure = rivals.appsync_keep_alives(months.of(MIDDLE), usage)
    largest = rivals.PUSHER_PLANS[-1]
    return f"""\
## Beside others

The same connections and the same events, at published prices. What the others charge is for
carrying events, which is Vitrina's third column: connections, keep-alives, events, `resume`.
Products, their lists, the edge and the alarms are needed beside any of them. Ably and Pusher do
not say that keep-alives are messages, and none are counted.

{_table("$ a month", columns, _by_size(row))}

- **AppSync Events** ([prices](https://aws.amazon.com/appsync/pricing/), $1.00 per million
  operations and $0.08 per million connection minutes in the price list of September 2026):
  publications, deliveries of 5 KB, connections and subscriptions are operations, and so are
  clients' pings. The service sends a keep-alive of its own every minute; were that one too,
  {MIDDLE:,} phones would cost {_dollars(unsure)} more. There is nothing to operate, and fan-out is
  AWS's. It has no history and no recovery: what a phone missed is gone. A Lambda that authorizes
  connections is not counted.
- **Ably** ([prices](https://ably.com/docs/platform/pricing), documentation of August 2026): by use
  $2.50 per million messages and $1.00 per million minutes, down to $0.50 and $0.20 for volumes that
  are not said; by user $0.05, down to $0.01. A later page says that new accounts are priced by
  user. “+ base” is the fee of an Enterprise package, which is not published: more than 50,000
  connections, or an event to more than 10,000 of them in a second, need one. Recovery, history,
  presence, many regions and a promised availability are included. A channel of each phone's own,
  which Vitrina has, is not counted; by use it would be billed by the minute.
- **Pusher Channels** ([plans](https://pusher.com/channels/pricing), as of May 2026): plans by
  connections and messages a day, up to {largest.connections:,} and {largest.messages_per_day:,}
  for {_dollars(largest.dollars)}; what is beyond is by agreement. Of what was missed it keeps the
  last event of a channel.
- **Vitrina** is yours to operate, in one region, within the quotas of your account."""


def _carried(found: Month) -> float:
    return found.dollars * found.share_of(CONNECTIONS, KEEP_ALIVE, EVENTS, RECOVERY)


def _range(price: Range) -> str:
    ends = dict.fromkeys((_dollars(price.least), _dollars(price.most)))
    return "–".join(ends) + (" + base" if price.is_without_base else "")


def _advice(months: _Months) -> str:
    often, advised, seldom = (
        months.of(MIDDLE, seconds) for seconds in (OFTEN_SECONDS, ADVISED_SECONDS, SELDOM_SECONDS)
    )
    small = months.of(SIZES[0], ADVISED_SECONDS)
    services = small.by_service
    opened = MIDDLE * months.usage.sessions * DAYS
    connection = advised.dollars * advised.share_of(CONNECTIONS) / opened
    event = advised.dollars * advised.share_of(EVENTS) / advised.live
    appsync = rivals.appsync(advised, months.usage, months.units.event_bytes)
    return f"""\
## What to do about it

- Let `ping_interval_seconds` be {ADVISED_SECONDS}, not {OFTEN_SECONDS}: {MIDDLE:,} phones cost
  {_dollars(advised.dollars)} then instead of {_dollars(often.dollars)}, and nothing else saves as
  much. The price is that a phone whose network went away without a word notices up to
  {_said(ADVISED_SECONDS)} later, unless its app comes to the foreground or hears of another network
  meanwhile, on which the module of the guide asks at once. What it missed comes with `resume`.
- Do not go to {_said(SELDOM_SECONDS)}: it saves {_dollars(advised.dollars - seldom.dollars)} more,
  and where a network forgets connections sooner, phones hear nothing until they notice.
- A native app that sends WebSocket ping frames may pay nothing for them: API Gateway's price page
  is quoted as not metering control frames. Browsers and React Native cannot send any, and whether
  they count against the ten minutes is to be confirmed.
- After that, connections are what costs most. One that lives {months.usage.session_minutes:g}
  minutes costs ${connection:.7f}, as much as {connection / event:.0f} events. Let an app keep its
  connection while it is in front, and never reconnect on a timer.
- Events are cheap: a million of them to phones that are connected cost
  {_dollars(event * MILLION)}. Batching or conflating them would save little.
- A small deployment pays for what watches it. Of the {_dollars(small.dollars)} of {SIZES[0]:,}
  phones, {_dollars(small.dollars * small.share_of(UPKEEP))} are for what is there without any
  phone: metrics, alarms, the dashboard, and a firewall (`requests_per_address` 0 does without).
  X-Ray, which records the first invocation of every second, is {_dollars(services["X-Ray"])} more
  (`tracing`).
- If phones may miss events for good, AppSync Events carries them for less: {_dollars(appsync)}
  instead of {_dollars(_carried(advised))} for {MIDDLE:,} phones."""


def _uncounted(months: _Months) -> str:
    opened = LARGE / (months.usage.session_minutes * 60)
    return f"""\
## What is not counted

- The quotas: {LARGE:,} phones open {opened:,.0f} connections a second in the busiest moment, of
  which an account may open 500 until the quota is raised, and an event reaches
  {months.usage.connected_at_approval * LARGE:,.0f} of them at the rate of posts that the account
  allows. Raising costs nothing.
- What AWS does not bill: reads of the connections stream by Lambda, the minute's schedule, data
  from API Gateway to CloudFront, the expiry of rows.
- A greeting that comes before the handshake has ended and waits a tenth of a second for it,
  retries, rejected products and other events to few, what moderators ask.
- Compression at the edge, which would make lists smaller; requests to KMS for DynamoDB's key;
  SnapStart (`snap_start`), other regions, a domain.
- That `$connect` and `$disconnect` are no messages, and that CloudFront counts a WebSocket's bytes
  as any others, is read from the price pages and not from a bill; see
  [the first deployment](first-deploy.md)."""


def _prices() -> str:
    rows = [
        [price.service, price.part, _per(price.dollars), _further(price.beyond)]
        for name, price in PRICES.items()
        if name != "transfer_bytes"
    ]
    columns = ["service", "of", "$", "beyond so many a month"]
    pages = ", ".join(f"[{service}]({page})" for service, page in PAGES.items())
    return f"""\
## The prices

They stand in `bench/cloud/bill.py`, and come from the pages of {pages}, as copies of these and
quotations of AWS's price list said in 2026. Look before you rely on one.

{_left(Table("List prices", columns, rows))}"""


def _per(dollars: float) -> str:
    """Say a small price of many: `0.25 per million`."""
    if dollars * GB < 1:
        return f"{dollars * GB:.3g} per GB"
    if dollars * MILLION < 100:  # noqa: PLR2004 - what is told one by one costs cents
        return f"{dollars * MILLION:.6g} per million"
    return f"{dollars:.2f}"


def _further(beyond: Iterable[tuple[float, float]]) -> str:
    return ", ".join(f"{_per(dollars)} from {_amount(count)}" for count, dollars in beyond)


def _amount(count: float) -> str:
    return f"{count / TB:g} TB" if count >= TB else f"{count / MILLION:,.0f} million"


def _said(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{seconds:g} s" if rest else f"{minutes:g} min"


def _by_size(row: Callable[[int], list[str]]) -> list[list[str]]:
    return [[f"{phones:,}", *row(phones)] for phones in SIZES]


def _table(title: str, columns: list[str], rows: list[list[str]]) -> str:
    return Table(title, columns, rows).to_markdown()


def _left(table: Table) -> str:
    """Return a table whose second column is text."""
    return table.to_markdown().replace("| --- | ---: |", "| --- | --- |", 1)


def _dollars(value: float) -> str:
    return f"${value:,.0f}" if value >= 100 else f"${value:,.2f}"  # noqa: PLR2004 - cents count
