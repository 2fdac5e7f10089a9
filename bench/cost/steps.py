"""Changes that lowered the bill, choices that can lower it further, and open questions."""

from collections.abc import Callable
from typing import NamedTuple

from bench.cloud.bill import PRICES
from bench.cost.month import KEEP_ALIVE, Month
from bench.cost.units import TRACED, Measured, Units, measured
from bench.cost.usage import MINUTES, UPKEEP, Upkeep, Usage
from infra.cdk.functions import FUNCTIONS

TARGETS = {1_000: 45, 10_000: 210, 100_000: 1_700, 1_000_000: 15_500}
"""Dollars a month, at most, by phones."""

# Batches that a stream hands over at the same time: four shards with four each.
PARALLEL_BATCHES = 16
NEVER_SECONDS = 1e5


class Deployment(NamedTuple):
    """A usage, and what is billed for it."""

    usage: Usage = Usage()
    upkeep: Upkeep = UPKEEP
    traced: frozenset[str] = TRACED
    counts: Measured = measured()

    def month(self, phones: int) -> Month:
        return Month(phones, self.usage, Units(self.upkeep, self.counts, self.traced))

    def with_counts(self, activity: str, *sizes: int, **changed: float) -> "Deployment":
        """Change what an activity of these sizes costs, by default of all that were measured."""
        sized = self.counts[activity]
        others = {str(size): {**sized[str(size)], **changed} for size in sizes or map(int, sized)}
        return self._replace(counts={**self.counts, activity: {**sized, **others}})

    def with_more(self, activity: str, **more: float) -> "Deployment":
        """Add to what an activity costs, of all sizes."""
        sized = {
            size: {**found, **{name: found.get(name, 0) + n for name, n in more.items()}}
            for size, found in self.counts[activity].items()
        }
        return self._replace(counts={**self.counts, activity: sized})

    def with_usage(self, **changed: float) -> "Deployment":
        return self._replace(usage=self.usage._replace(**changed))

    def with_upkeep(self, **changed: float) -> "Deployment":
        return self._replace(upkeep=self.upkeep._replace(**changed))


class Step(NamedTuple):
    what: str
    for_whom: str
    """What it changes, and for whom."""
    undone: Callable[[Deployment], Deployment]


ZEROS = 3
"""Metrics that were 0 in nearly all hours."""
ZEROS_BYTES = 146
"""Of a greeting's metrics that were 0."""

STEPS = (
    Step(
        "a connection opens with two plain writes, and not with a transaction",
        "nobody: a crash in between leaves a row that the next post or its expiry removes",
        lambda here: here.with_counts("connect", write_units=4),
    ),
    Step(
        "apps bring their positions in the handshake, and send no `resume`",
        "apps: what they missed comes a round trip earlier; those that send `resume` still may",
        lambda here: here.with_usage(positions_in_handshakes=0),
    ),
    Step(
        "a ping after silence, and not at every interval",
        "apps: nothing; a lost network is noticed as soon as before",
        lambda here: here.with_usage(pings_despite_events=1),
    ),
    Step(
        "X-Ray records what publishes, and nothing else",
        "operators: no traces of handshakes, messages, reads and logins",
        lambda here: here._replace(traced=frozenset(FUNCTIONS)),
    ),
    Step(
        "Lambda's own log lines are left out",
        "operators: no REPORT lines in `prod`; `report_lines` brings them back",
        lambda here: here.with_upkeep(system_log_bytes=280),
    ),
    Step(
        "of one connection in a hundred it is logged what it does",
        "operators: a phone is followed if it is in the sample; refusals are logged of each",
        lambda here: here.with_upkeep(logged_connections=1),
    ),
    Step(
        "logs are kept for 30 days, not 90",
        "operators: the trail too, unless `log_retention_days` is set",
        lambda here: here.with_upkeep(log_retention_days=90),
    ),
    Step(
        "alarms have 41 metrics, not 67",
        "operators: what fails behind the HTTP API alone raises `HttpErrors` alone",
        lambda here: here.with_upkeep(alarms=67),
    ),
    Step(
        "lists are fresh for ten seconds, not two",
        "apps without `since`: a list is up to 20 s old, not 12; with it nothing",
        lambda here: here.with_upkeep(cached_seconds=2),
    ),
    Step(
        "a greeting with at most ten missed events takes no recovery of its identity's budget",
        "nobody: to read them costs less than to count the recovery",
        lambda here: here.with_counts("greet", 5, write_units=1),
    ),
    Step(
        "`disconnect` deletes the row that lists the others first, and does not read it before",
        "nobody: a crash in between leaves a row that the next post or its expiry removes",
        lambda here: here.with_counts("disconnect", read_units=1),
    ),
    Step(
        "`disconnect` deletes the subscription, and leaves the connection's own row to its expiry",
        "nobody: nothing but the client's own messages finds that row",
        lambda here: here.with_counts("disconnect", write_units=2, read_units=0).with_upkeep(
            closed_row_days=0
        ),
    ),
    Step(
        "`greet` takes the row from the stream, and reads the identity's connections alone",
        "nobody: of a connection that has closed or expired there is no subscription",
        lambda here: here.with_more("greet", read_units=1),
    ),
    Step(
        "that an account may not connect for a minute is written in its sessions' row",
        "nobody",
        lambda here: here.with_more("connect", read_units=1),
    ),
    Step(
        "a count of nothing is no metric",
        "operators: no value instead of 0 in the graphs of failures",
        lambda here: here.with_upkeep(metrics=here.upkeep.metrics + ZEROS).with_more(
            "greet", log_bytes=ZEROS_BYTES, metric_bytes=ZEROS_BYTES
        ),
    ),
)


def before(step: int) -> Deployment:
    """Return what was deployed before a step, by its place in `STEPS`; after all of them by none.

    The model of the bill is the present one.
    """
    here = Deployment()
    for later in reversed(STEPS[step:]):
        here = later.undone(here)
    return here


class Choice(NamedTuple):
    what: str
    its_price: str
    how: str
    chosen: Callable[[Deployment, int], Deployment]
    """By the number of phones."""
    costs_no_promise: bool = False


def _gathered(here: Deployment, phones: int) -> Deployment:
    per_second = here.month(phones).sessions / (MINUTES * 60)
    return here.with_upkeep(greetings_per_batch=max(1.0, per_second / PARALLEL_BATCHES))


CHOICES = (
    Choice(
        "keep-alive by frames",
        "apps: an own WebSocket client on Android; two facts to be confirmed first",
        "[ping frames](#ping-frames)",
        lambda here, _: here.with_usage(ping_seconds=NEVER_SECONDS),
        costs_no_promise=True,
    ),
    Choice(
        "tokens for a day",
        "a stolen access token works for a day, unless its session is ended",
        "`token_lifetime_seconds` 86400",
        lambda here, _: here.with_usage(token_minutes=24 * 60),
        costs_no_promise=True,
    ),
    Choice(
        "lists fresh for a minute",
        "apps without `since`: a list is up to 70 s old",
        "`LIST_TTL_SECONDS` in `vitrina/listings.py`",
        lambda here, _: here.with_upkeep(cached_seconds=60),
        costs_no_promise=True,
    ),
    Choice(
        "greetings gathered for a second",
        "apps: `connected`, and what they missed, up to a second later",
        "`greeting_window_seconds` 1",
        _gathered,
    ),
    Choice(
        "WebSockets straight to API Gateway",
        "no firewall and no edge on handshakes; the APIs' own URLs are open",
        "`guarded` off, and apps use `WebSocketUrl`",
        lambda here, _: here.with_upkeep(handshakes_at_the_edge=0),
    ),
    Choice(
        "no firewall",
        "no limit for an address but those of the service itself",
        "`requests_per_address` 0",
        lambda here, _: here.with_upkeep(firewalls=0, firewall_rules=0),
    ),
)


def all_without_a_promise(here: Deployment, phones: int) -> Deployment:
    """Make every choice that costs no promise."""
    for choice in CHOICES:
        if choice.costs_no_promise:
            here = choice.chosen(here, phones)
    return here


class Question(NamedTuple):
    what: str
    if_so: str
    dollars: Callable[[Month], float]
    """Which it adds to a month, or saves if it is negative."""


QUESTIONS = (
    Question(
        "Are ping frames free, and do they keep a connection open?",
        "native apps need no `ping` messages",
        lambda month: -month.dollars * month.share_of(KEEP_ALIVE),
    ),
    Question(
        "Are `$connect` and `$disconnect` messages?",
        "each connection has two more",
        lambda month: 2 * month.sessions * PRICES["messages"].dollars,
    ),
    Question(
        "Does CloudFront not bill the bytes of WebSockets?",
        "events and pongs cost less",
        lambda month: -month.websocket_bytes * PRICES["edge_bytes"].dollars,
    ),
    Question(
        "Is one invocation in fifty a cold start, and not in a hundred?",
        "Lambda and Secrets Manager cost more",
        lambda month: _colder(month) - month.dollars,
    ),
)


def _colder(month: Month) -> float:
    upkeep = month.units.upkeep
    return Deployment(month.usage, upkeep._replace(cold_starts=0.02)).month(month.phones).dollars
