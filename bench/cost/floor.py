"""The part of the bill that follows from the usage alone, and that no change of code can lower."""

from collections.abc import Callable
from typing import NamedTuple

from bench.cloud.bill import dollars
from bench.cost.month import CONNECTIONS, EVENTS, INDEPENDENT, KEEP_ALIVE, RECOVERY, Month
from bench.cost.units import Counts, add, times
from bench.cost.usage import DAYS

CONNECTION_WRITES = 3
"""Two rows are written, and one is deleted; the other expires."""
CONNECTION_READS = 3
"""The session, and the positions of two channels, strongly consistent."""
HAVE_FRAMES = (CONNECTIONS, KEEP_ALIVE, EVENTS, RECOVERY)
CONNECTION_INVOCATIONS = 3
"""To admit, to greet, to forget."""


class Line(NamedTuple):
    what: str
    why: str
    counts: Callable[[Month], Counts]


def _requests(month: Month) -> Counts:
    """Count what comes over HTTP, but not what the functions do for it."""
    exchanges = month.phones * month.usage.token_exchanges * DAYS
    logins, lists = month.people, month.lists_at_the_edge
    return add(
        _at_the_edge(exchanges + logins + lists),
        {
            "http_requests": exchanges + logins + month.fetched_lists,
            "invocations": exchanges + logins + month.fetched_lists,
            "write_units": exchanges,
            "edge_bytes": lists * month.units.of("list")["edge_bytes"],
        },
    )


def _protocol(month: Month) -> Counts:
    """Count the bytes that are not those of lists, and the runs of the edge's function."""
    used = [counts for of, counts in month.counts.items() if of != INDEPENDENT]
    bytes_of = [counts["edge_bytes"] for of, counts in month.counts.items() if of in HAVE_FRAMES]
    return {
        "edge_bytes": sum(bytes_of),
        "edge_function_runs": sum(counts.get("edge_function_runs", 0) for counts in used),
    }


def _at_the_edge(requests: float) -> Counts:
    return {"edge_requests": requests, "firewall_requests": requests}


LINES = (
    Line(
        "pings after four minutes of silence",
        "each is answered, so that the client knows that its connection is alive",
        lambda month: {"messages": month.counts[KEEP_ALIVE]["messages"]},
    ),
    Line(
        "connection minutes",
        "the connections are open",
        lambda month: {"connection_minutes": month.minutes},
    ),
    Line(
        "a message for each event and each greeting",
        "each connection is notified immediately",
        lambda month: {"messages": month.live + month.sessions},
    ),
    Line(
        "handshakes at the edge and its firewall",
        "one door for all; [straight to API Gateway](#choices) is a choice",
        lambda month: _at_the_edge(month.sessions),
    ),
    Line(
        "three invocations for each connection",
        "API Gateway calls for each end, and accepts no message before the handshake has ended",
        lambda month: {"invocations": CONNECTION_INVOCATIONS * month.sessions},
    ),
    Line(
        "two rows, of which one is deleted; three units read",
        "fan-out finds the one, messages the other; an ended session is refused immediately, "
        "and a greeting has the latest positions",
        lambda month: times(
            month.sessions, {"write_units": CONNECTION_WRITES, "read_units": CONNECTION_READS}
        ),
    ),
    Line(
        "token exchanges, logins and lists",
        "the stated usage asks for them; an exchange is written down",
        _requests,
    ),
    Line(
        "frames, headers and the edge's function",
        "they are the protocol; the function gives a request the path that its origin has, and the "
        "client's address",
        _protocol,
    ),
    Line(
        "independent of usage",
        "alarms, metrics, the firewall; the sweep",
        lambda month: month.counts[INDEPENDENT],
    ),
)


def lines(month: Month) -> list[float]:
    """Return the dollars of each line; volume prices are shared by all."""
    counts = [line.counts(month) for line in LINES]
    total = add(*counts)
    cost = dollars(total)
    return [
        sum(cost[name] * part / total[name] for name, part in found.items() if total[name])
        for found in counts
    ]
