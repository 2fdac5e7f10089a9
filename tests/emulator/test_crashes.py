"""Processes killed in mid-flight, on a deployed stack: events are late, and none is lost.

A function's own code runs here in a process that kills itself at a chosen point; the sweep, the
queue and the workers are the deployed ones.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count, islice
from typing import Any

import pytest

from harness.tokens import token_of
from local.client import Api, Client
from local.inbox import Inbox
from tests.emulator.conftest import let_half_a_minute_pass, sweep, wait_until
from vitrina import aws, config, history, partitions, tasks
from vitrina.channels import ClientType
from vitrina.lanes import Lane
from vitrina.partitions import Kind

# More than are posted to at once: they are left to their lane.
AUDIENCE = 80
USER_ID = 2  # of user@example.com

PRELUDE = """
import os, signal, sys
from harness.tokens import token_of
from vitrina import auth, history, lanes, moderation, publishing, rounds, sender, tasks
from vitrina.channels import ClientType
from vitrina.partitions import Kind

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def die_after(sent):
    take = sender._Sender._take_done
    def count(self, task):
        take(self, task)
        if self._delivery.sent == sent:
            die()
    sender._Sender._take_done = count

def approve():
    admin = auth.verify(token_of(ClientType.ADMIN))
    moderation.approve([*map(int, sys.argv[1:])], None, admin)

def work():
    lanes.LEASE_MS = 0
    # A slow machine takes its time for posts; what it left would be posted by id, from a queue.
    rounds.LINGER_SECONDS = rounds.SLICE_BUDGET_SECONDS = 60
    channel, epoch, partition, kind = sys.argv[1:]
    rounds.work(lanes.Lane(channel, epoch, partition, Kind(kind)))
"""

PUBLISHER_DIES = {
    "after the commit": "publishing.publish = die; approve()",
    "before its lanes owe the events": "lanes.owe = die; approve()",
    "before a worker is woken": "tasks.wake = die; approve()",
    "before the first post": "sender.post = die; approve()",
    "before the events are off the outbox": "history.mark_sent = die; approve()",
}
WORKER_DIES = {
    "with the lease": "lanes.begin = die; work()",
    "with a round begun": "history.read = die; work()",
    "before the first post": "sender.post = die; work()",
    "in the middle of the posts": "die_after(5); work()",
    "before the end of the round is written": "lanes.finish = die; work()",
}


@pytest.fixture(scope="module")
def audience(api: Api) -> Iterator[list[Client]]:
    """Return connected users, all of one partition."""
    [shared] = {place.key for place in partitions.partitions_of(f"user:{USER_ID}")}
    ids = (n for n in count(USER_ID) if partitions.partitions_of(f"user:{n}")[0].key == shared)
    with ExitStack() as clients:
        yield [
            clients.enter_context(
                Client.connected(api.websocket_url("user", token_of(ClientType.USER, n)))
            )
            for n in islice(ids, AUDIENCE)
        ]
    wait_until(lambda: api.call("GET", "/ws/stats")["total"], 0)


def run(program: str, *arguments: object, status: int) -> None:
    """Run a program that ends so; it has the settings and the credentials of this process."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr


def tasks_under_way() -> int:
    """Return how many tasks of the fan-out queue wait, or are being done."""
    found = aws.sqs().get_queue_attributes(
        QueueUrl=config.current().fanout_queue_url, AttributeNames=["All"]
    )
    numbers = found["Attributes"].items()
    return sum(int(n) for name, n in numbers if name.startswith("ApproximateNumberOfMessages"))


@pytest.mark.parametrize("point", PUBLISHER_DIES)
def test_an_approval_whose_function_is_killed_reaches_everyone_once_and_in_order(
    audience: list[Client], submit: Callable[[], int], point: str
) -> None:
    before = [len(client.inbox.events) for client in audience]
    approved = [submit(), submit()]
    run(PUBLISHER_DIES[point], *approved, status=-signal.SIGKILL)
    assert list(history.unsent(-1))
    let_half_a_minute_pass()
    sweep()
    for client, seen in zip(audience, before, strict=True):
        events = client.wait_for_events(seen + 2)[seen:]
        assert [event["data"]["product_id"] for event in events] == approved
    assert not any(client.inbox.refetches for client in audience)
    assert list(history.unsent(-1)) == []


@pytest.mark.parametrize("point", WORKER_DIES)
def test_a_worker_killed_in_any_step_of_its_round_is_followed_by_another(
    audience: list[Client], submit: Callable[[], int], point: str
) -> None:
    """Its message comes again when the lease has ended; here at once, and to two workers."""
    # A deployed worker that is still at its lane would take this event as well.
    wait_until(tasks_under_way, 0)
    before = [len(client.inbox.events) for client in audience]
    product_id = submit()
    run("tasks.wake = lambda *_: None; approve()", product_id, status=0)
    [user] = partitions.partitions_of(f"user:{USER_ID}")
    lane = Lane("user", history.positions(["user"])["user"].epoch, user.key, Kind.PLAIN)
    run(WORKER_DIES[point], *lane, status=-signal.SIGKILL)
    tasks.wake([lane, lane])
    for client, seen in zip(audience, before, strict=True):
        [event] = client.wait_for_events(seen + 1)[seen:]
        assert event["data"]["product_id"] == product_id


def test_a_client_that_was_away_gets_what_it_missed_and_nothing_twice(
    api: Api, tokens: dict[str, str], submit: Callable[[], int], approve: Callable[..., Any]
) -> None:
    url = api.websocket_url("user", tokens["user"])
    inbox = Inbox()
    with Client.connected(url, inbox=inbox) as client:
        first = submit()
        approve(first)
        client.wait_for_events(1)
    missed = [submit() for _ in range(3)]
    for product_id in missed:
        approve(product_id)
    with Client.connected(url, inbox=inbox) as client:
        [recovered] = client.wait_for("recovered")
        assert recovered.event["data"]["recovered"]
        last = submit()
        approve(last)
        events = client.wait_for_events(5)
    assert [event["data"]["product_id"] for event in events] == [first, *missed, last]
    assert [event["channel"] for event in events] == ["user"] * 5
