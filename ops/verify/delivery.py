"""Delivery: how soon events arrive, and that missed ones are recovered."""

import time
from statistics import median
from typing import Any

from local.client import Client, Frame
from ops.verify.expectation import Unexpected, expect
from ops.verify.site import Site
from vitrina import aws, config, connections, tasks
from vitrina.history import Span

APPROVALS = 50
ARRIVAL_SECONDS = 20

# Generous: a cold start of several functions is below them.
MAX_CONNECTED_SECONDS = 5.0
MAX_MEDIAN_SECONDS = 2.0
MAX_WORST_SECONDS = 10.0


def of_the_greeting(site: Site) -> str:
    """Measure from the beginning of the handshake to `connected`."""
    begun = time.monotonic()
    with site.connect("user", site.token("user")) as client:
        took = client.frames[0].at - begun
    if took > MAX_CONNECTED_SECONDS:
        raise Unexpected(f"after {took:.1f} s")
    return f"after {took * 1000:.0f} ms"


def of_approvals(site: Site) -> str:
    """Measure from the approving request to the frame, one approval after another."""
    with site.connect("user", site.token("user")) as client:
        delays = sorted(_delay(site, client) for _ in range(APPROVALS))
    came = f"median {median(delays) * 1000:.0f} ms, worst {delays[-1] * 1000:.0f} ms"
    if median(delays) > MAX_MEDIAN_SECONDS or delays[-1] > MAX_WORST_SECONDS:
        raise Unexpected(came)
    return came


def _delay(site: Site, client: Client) -> float:
    product_id = site.submit()
    begun = time.monotonic()
    site.approve(product_id)

    def arrived() -> Frame | None:
        of_it = (each for each in client.events("product.approved") if _is_of(each, product_id))
        return next(of_it, None)

    return site.until(arrived, ARRIVAL_SECONDS, "product.approved").at - begun


def _is_of(frame: Frame, product_id: int) -> bool:
    return bool(frame.event["data"]["product_id"] == product_id)


def of_missed_events(site: Site) -> str:
    """Publish two events to a user who is away, and let the user connect with its positions."""
    own = site.channel_of("user")
    with site.connect("user", site.token("user")) as client:
        inbox = client.inbox
    missed = [*site.announce(own), *site.announce(own)]
    with site.connect("user", site.token("user"), inbox=inbox) as client:
        recovered = site.until(
            lambda: client.events("recovered"), ARRIVAL_SECONDS, "recovered frame"
        )
        came = [event["id"] for event in inbox.events if event["channel"] == own]
        is_whole = recovered[0].event["data"]["channels"][own]["recovered"] and came == missed
        details: Any = client.events("connected")[0].event["data"]
    how = "with connected" if own in details["recovering"] else "by resume"
    return expect(
        f"recovered {how}: {str(is_whole).lower()}, {len(came)} events",
        "recovered with connected: true, 2 events",
    )


def by_a_worker(site: Site) -> str:
    """Queue a task that posts an event again, to this run's own connection."""
    own = site.channel_of("user")
    with site.connect("user", site.token("user")) as client:
        details: Any = client.events("connected")[0].event["data"]
        [event_id] = site.announce(own)

        def copies() -> list[Frame]:
            return [frame for frame in client.frames if frame.event.get("id") == event_id]

        first = site.until(copies, ARRIVAL_SECONDS, "announcement")[0]
        row = connections.find(details["connection_id"])
        if row is None:
            raise Unexpected("the connection is not stored")
        span = Span(own, first.event["seq"], first.event["seq"])
        for task in tasks.post_again(span, [row.subscription], 1):
            aws.sqs().send_message(
                QueueUrl=config.current().retry_queue_url, MessageBody=task.model_dump_json()
            )
        site.until(lambda: len(copies()) > 1, ARRIVAL_SECONDS, "second copy of the event")
    return "posted again"
