"""A flood of one connection: its cost, and its effect on clients that share only its quotas."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from bench import recovery, scale
from bench.cloud import requests, rows, stack
from bench.cloud.lambdas import LambdaPool, check
from bench.cloud.stack import Stack
from vitrina.message_budget import MAX_OVERDRAWN_SECONDS, MESSAGES

# The next one closes the connection.
FRAMES = MESSAGES.tries + round(MAX_OVERDRAWN_SECONDS / MESSAGES.seconds)
RECOVERED, REFUSED = "answered with `recovered`", "refused, as it is beyond the budget"

ROOM, PHONES = "room:42", 20
"""The connections whose delays are measured. The flood is in another channel, so the number of its
missed events does not change."""
# By frames in a second. Each flood begins with a recovery, of which an identity has twenty at once.
FLOODS = {20: 2, 100: 5, 1000: 12}
PAUSE_SECONDS = 0.3
"""Between two events."""
# Two would do for a processor each; a call waits most of its time.
ENVIRONMENTS = 4
# The lowest priority: in Lambda, the functions of a flood have processors of their own.
NICENESS = 19

Bill = dict[str, float]


def taken() -> dict[str, list[Bill]]:
    """Send the frames of a flood to the function, one after the other; bill each, by its kind.

    Each call of the function takes as long as on AWS.
    """
    found: dict[str, list[Bill]] = {}
    with stack.running(latency_ms=scale.LATENCY_MS) as here:
        recovery.store(here)
        message = here.function("message")
        here.bill(message, _resume("starts="))
        frame = _open(here, recovery.CONNECTION)
        for _ in range(FRAMES):
            bill, answer = here.bill(message, frame)
            bill["posts"] = len(here.answers())
            found.setdefault(_kind(bill, answer), []).append(bill)
    return found


def delays() -> dict[int, dict[str, list[float]]]:
    """Return milliseconds from a request to each phone's post: alone and beside floods, by rate.

    Functions and services answer as fast as on AWS as long as they get a processor, and the flood
    takes one only when nothing else wants it. What is left is what is shared on AWS too.
    """
    found = {}
    with scale.at_the_quota() as here:
        recovery.store(here)
        for number in range(PHONES):
            here.join(ROOM, number)
        phones = _Phones(here)
        flood = _Flood(here)
        for _ in range(scale.WARM_UPS):
            phones.delay()
        flood.run(max(FLOODS))
        for rate, floods in FLOODS.items():
            alone, beside = [], []
            # In turns, as a machine is not equally fast all the time.
            for _ in range(floods):
                alone += phones.delays(rate)
                beside += phones.delays_beside(flood, rate)
            found[rate] = {"alone": alone, "resume": beside}
    return found


class _Phones:
    """The connections that receive events, and the functions that post them."""

    def __init__(self, here: Stack) -> None:
        self._here = here
        self._announce, self._workers = here.function("announce"), here.fanout()

    def delays(self, rate: int) -> list[float]:
        """Publish for as long as a flood of this rate takes, at least once."""
        found = []
        for _ in range(max(1, round(FRAMES / rate / PAUSE_SECONDS))):
            began = time.monotonic()
            found += self.delay()
            time.sleep(max(0.0, PAUSE_SECONDS - (time.monotonic() - began)))
        return found

    def delays_beside(self, flood: "_Flood", rate: int) -> list[float]:
        """Publish during a flood, whose first frame is the expensive one."""
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(flood.run, rate)
            found = self.delays(rate)
            running.result()
        # The quota's burst is full again.
        time.sleep(scale.PAUSE_SECONDS)
        self._here.answers()
        return found

    def delay(self) -> list[float]:
        """Publish an event; return the milliseconds to each post."""
        request = requests.announcement(self._here, ROOM)
        began = time.time()
        check("announce", self._announce.invoke(request).answer)
        self._workers.check(are_done=self._here.cloud.wait_until_done(scale.TIMEOUT_SECONDS))
        found = [
            1000 * (post.at - began)
            for post in self._here.answers()
            if not post.connection_id.startswith(_Flood.PREFIX)
        ]
        if len(found) != PHONES:
            raise RuntimeError(f"{len(found)} posts")
        return found


class _Flood:
    """Sends `resume` without a pause, by one connection at a time."""

    PREFIX = "FLOOD"

    def __init__(self, here: Stack) -> None:
        self._here = here
        self._numbers = count()
        environments = [here.function("message", NICENESS) for _ in range(ENVIRONMENTS)]
        for message in environments:
            message.invoke(_resume("starts="))
        self._messages = LambdaPool(environments)

    def run(self, rate: int) -> None:
        """Send a connection's frames at a rate; as long as no function is free, they wait."""
        frame = _open(self._here, f"{self.PREFIX}{next(self._numbers)}")
        began = time.monotonic()
        sent = []
        with ThreadPoolExecutor(ENVIRONMENTS) as pool:
            for number in range(FRAMES):
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
                sent.append(pool.submit(self._messages.invoke, frame))
        for each in sent:
            each.result()


def _open(here: Stack, connection_id: str) -> dict[str, Any]:
    """Store a connection that is far behind; return the message in which it says so."""
    here.put("connections", rows.connection(connection_id))
    return _resume(connection_id)


def _resume(connection_id: str) -> dict[str, Any]:
    return requests.resume(connection_id, recovery.positions_after(max(recovery.MISSED)))


def _kind(bill: Bill, answer: Any) -> str:
    frame = json.loads(answer["body"])
    match frame["data"].get("code", frame["event"]):
        # Whether the connection rests is asked after the heads are read.
        case "too_many_requests":
            return "refused, as the connection rests" if bill.get("read_units") else REFUSED
        case name:
            return f"answered with `{name}`"
