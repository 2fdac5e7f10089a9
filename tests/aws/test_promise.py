"""The promise: an event once committed reaches every connection of its channels, whatever crashes.

Hypothesis plays a marketplace: clients come, join a room, go and vanish, products are submitted and
approved, something is announced, processes die between any two calls that they make, queue messages
come twice, the management API throttles and fails, clients that take no post are closed. Whenever
the world has calmed down, every client has every event of its channels since it first connected or
joined, once and in order, and no open connection was forgotten.

The code is the real one but for what is outside of it: the management API is `Simulation.post`, the
queue is a list, DynamoDB is moto's.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from moto import mock_aws

from functions.fanout.handler import handler as fanout
from functions.greet.handler import handler as greet
from functions.message.handler import handler as message
from functions.sweep.handler import handler as sweep
from harness import deployment
from harness.gateway_events import CONTEXT, frame_of
from harness.tokens import token_of
from local.inbox import Inbox
from tests.aws.conflicts import conflicts
from vitrina import (
    auth,
    aws,
    connections,
    history,
    moderation,
    publishing,
    sender,
    slow_readers,
    subscriptions,
)
from vitrina.channels import ClientType
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.products import Submission
from vitrina.sender import Delivery, Post

FAULTS = st.sampled_from([429, 500])


class Crash(BaseException):
    """The process is gone: nothing catches this."""


class Phone:
    """A client, over all of its connections."""

    def __init__(self, client_type: ClientType, account_id: int) -> None:
        self.client_type = client_type
        self.account_id = account_id
        self.inbox = Inbox()
        self.connection_id: str | None = None
        self.is_open = False
        self.faults: list[int] = []
        self.to_say: list[Any] = []
        self.began: dict[str, int] = {}

    def receive(self, body: bytes) -> None:
        event = json.loads(body)
        if event["event"] == "connected":
            for channel, position in event["data"]["positions"].items():
                self.began.setdefault(channel, position["seq"])
        if event["event"] == "joined":
            self.began.setdefault(event["data"]["channel"], event["data"]["position"]["seq"])
        self.to_say += self.inbox.take(event)


class Simulation:
    """What is outside of the code: time, crashes, the queue, the management API."""

    def __init__(self) -> None:
        self.now = time.time()
        self.queue: list[str] = []
        self.phones: dict[str, Phone] = {}
        self.calls_to_live: int | None = None

    def call(self) -> None:
        """Count a step that a process can die before or after."""
        if self.calls_to_live is not None:
            if self.calls_to_live == 0:
                raise Crash
            self.calls_to_live -= 1

    @contextmanager
    def dying_after(self, calls: int | None) -> Iterator[None]:
        self.calls_to_live = calls
        try:
            yield
        except Crash:
            pass
        finally:
            self.calls_to_live = None

    def send_message_batch(self, Entries: Any, **_: Any) -> Any:  # noqa: N803 - boto3's name
        self.call()
        self.queue += [entry["MessageBody"] for entry in Entries]
        self.call()
        return {}

    def post(self, posts: Sequence[Post], **_: Any) -> Delivery:
        delivery = Delivery()
        for post in posts:
            self._post_to(self.phones.get(post.subscription.connection_id), post, delivery)
        return delivery

    def _post_to(self, phone: Phone | None, post: Post, delivery: Delivery) -> None:
        if phone is None or not phone.is_open:
            delivery.gone.append(post)
            return
        for body in post.bodies:
            if phone.faults:
                fault = phone.faults.pop()
                delivery.throttles += fault == 429
                if post.closes and fault == 429:
                    continue  # it does not read, and is closed
                {429: delivery.throttled, 500: delivery.failed}[fault].append(post)
                return
            self.call()
            phone.receive(body)
            self.call()
        if post.closes:
            self.end(phone)
            self.call()
        delivery.sent += 1

    def end(self, phone: Phone) -> None:
        assert phone.connection_id is not None
        del self.phones[phone.connection_id]
        phone.connection_id, phone.is_open, phone.to_say = None, False, []


class Dying:
    """A boto3 client whose every call is a step."""

    def __init__(self, client: Any, world: Simulation) -> None:
        self._client = client
        self._world = world

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name in {"exceptions", "meta"}:
            return found

        def call(**request: Any) -> Any:
            self._world.call()
            answer = found(**request)
            self._world.call()
            return answer

        return call


# How many steps a process lives: for ever, or so many.
LIVES = st.none() | st.integers(0, 50)
MAX_PHONES = 8
JOIN = {"type": "join", "room": "sale"}


class Marketplace(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = Simulation()
        self.patch = pytest.MonkeyPatch()
        self.cloud = ExitStack()
        self.cloud.enter_context(mock_aws())
        # One write in eight meets another transaction, or is throttled.
        chance = Random(0)  # noqa: S311
        self.cloud.enter_context(conflicts(lambda: chance.random() < 1 / 8))
        deployment.configure(
            self.patch,
            user_shards=(2,),
            shop_shards=(1,),
            token_lifetime_seconds=86_400,
            connections_per_identity=100,
        )
        deployment.create()
        self._replace_what_is_outside()
        self.everyone: list[Phone] = []
        self.streamed: list[Any] = []
        self.number = 0

    def teardown(self) -> None:
        try:
            self.calm()
        finally:
            self.cloud.close()
            self.patch.undo()

    def _replace_what_is_outside(self) -> None:
        world = self.world
        clock = SimpleNamespace(
            time=lambda: world.now,
            time_ns=lambda: int(world.now * 1e9),
            monotonic=lambda: world.now,
            sleep=lambda _: None,
        )
        dynamodb = Dying(aws.dynamodb(), world)
        self.patch.setattr(aws, "dynamodb", lambda: dynamodb)
        self.patch.setattr(aws, "sqs", lambda: world)
        self.patch.setattr(sender, "post", world.post)
        for name in ("MIN_ATTEMPT", "COUNTED_TRIES"):
            self.patch.setattr(slow_readers, name, 1)
        self.patch.setattr(sender, "probe", lambda asked, **_: Delivery(sent=len(asked)))
        for module in (connections, history, subscriptions):
            self.patch.setattr(module, "time", clock)
        self.patch.setattr("vitrina.greeting.time", clock)
        self.patch.setattr(publishing, "FIRST_PAGE_POSTS", 1)
        self.patch.setattr(publishing, "PAGE_SECONDS", 0.0005)

    # --- Clients ---

    @initialize()
    def some_are_connected(self) -> None:
        for client_type in (*ClientType, ClientType.ADMIN, ClientType.ADMIN):
            self.someone_connects(client_type, is_slow=False)
        self._greet()
        for phone in self.everyone[::2]:
            phone.to_say.append(JOIN)
            self._speak(phone)

    @precondition(lambda self: len(self.everyone) < MAX_PHONES)
    @rule(client_type=st.sampled_from(ClientType), is_slow=st.booleans())
    def someone_connects(self, client_type: ClientType, is_slow: bool) -> None:
        phone = Phone(client_type, account_id=1 + len(self.everyone) % 3)
        self.everyone.append(phone)
        self._connect(phone, is_slow)

    @precondition(lambda self: self._away())
    @rule(data=st.data(), is_slow=st.booleans())
    def someone_comes_back(self, data: st.DataObject, is_slow: bool) -> None:
        self._connect(data.draw(st.sampled_from(self._away())), is_slow)

    def _connect(self, phone: Phone, is_slow: bool) -> None:
        """`is_slow`: the handshake has not ended when $connect has stored the connection."""
        self.number += 1
        phone.connection_id = f"c{self.number}"
        phone.is_open = not is_slow
        self.world.phones[phone.connection_id] = phone
        identity = auth.verify(token_of(phone.client_type, phone.account_id))
        connections.add(phone.connection_id, identity)
        self.streamed.append(phone.connection_id)

    @precondition(lambda self: self._shaking_hands())
    @rule(data=st.data())
    def a_handshake_ends(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self._shaking_hands())).is_open = True

    @precondition(lambda self: self._online())
    @rule(data=st.data(), is_noticed=st.booleans())
    def someone_leaves(self, data: st.DataObject, is_noticed: bool) -> None:
        phone = data.draw(st.sampled_from(self._online()))
        connection_id = phone.connection_id
        self.world.end(phone)
        if is_noticed:
            assert connection_id is not None
            connections.forget(connection_id)

    @precondition(lambda self: self._online())
    @rule(data=st.data(), faults=st.lists(FAULTS, min_size=1, max_size=4))
    def someones_connection_is_bad(self, data: st.DataObject, faults: list[int]) -> None:
        data.draw(st.sampled_from(self._online())).faults = faults

    @precondition(lambda self: self._online())
    @rule(data=st.data(), lives=LIVES)
    def someone_does_not_read(self, data: st.DataObject, lives: int | None) -> None:
        phone = data.draw(st.sampled_from(self._online()))
        phone.faults = [429] * 20
        self.something_is_announced(None, phone.client_type)
        queue = self.world.queue
        while phone.is_open and queue and self._work(queue[0], lives):
            del queue[0]

    @precondition(lambda self: self.streamed)
    @rule()
    def new_connections_are_greeted(self) -> None:
        self._greet()

    @precondition(lambda self: self._speaking())
    @rule(data=st.data())
    def someone_speaks(self, data: st.DataObject) -> None:
        self._speak(data.draw(st.sampled_from(self._speaking())))

    def _away(self) -> list[Phone]:
        return [phone for phone in self.everyone if phone.connection_id is None]

    def _shaking_hands(self) -> list[Phone]:
        return [phone for phone in self.world.phones.values() if not phone.is_open]

    def _online(self) -> list[Phone]:
        return [phone for phone in self.world.phones.values() if phone.is_open]

    def _speaking(self) -> list[Phone]:
        return [phone for phone in self._online() if phone.to_say]

    def _greet(self) -> None:
        """As the stream does: what is still not open is tried again later."""
        waiting = [c for c in self.streamed if c in self.world.phones]
        self.streamed = [c for c in waiting if not self.world.phones[c].is_open]
        keys = [connections.key(c) for c in waiting if c not in self.streamed]
        images = list(aws.batch_get("connections", keys))
        greet({"Records": [{"dynamodb": {"NewImage": image}} for image in images]}, CONTEXT)

    def _speak(self, phone: Phone) -> None:
        body = json.dumps(phone.to_say.pop(0))
        event = {
            "requestContext": {"eventType": "MESSAGE", "connectionId": phone.connection_id},
            "body": body,
        }
        phone.receive(frame_of(message(event, CONTEXT)).encode())

    @precondition(lambda self: self._online())
    @rule(data=st.data())
    def someone_joins_the_room(self, data: st.DataObject) -> None:
        phone = data.draw(st.sampled_from(self._online()))
        phone.to_say.append(JOIN)

    # --- Events ---

    @rule(lives=LIVES, to=st.sampled_from(["room:sale", "user", "shop:10"]))
    def something_is_announced(self, lives: int | None, to: str) -> None:
        announcement = Announcement(to=to, title="x", text="x", admin_id=1)
        event = AnnouncementPublished(data=announcement)
        with self.world.dying_after(lives):
            publishing.commit([history.Change(None, event)])

    @rule(lives=LIVES, count=st.integers(1, 3))
    def products_are_submitted_and_approved(self, lives: int | None, count: int) -> None:
        shop = auth.verify(token_of(ClientType.SHOP))
        admin = auth.verify(token_of(ClientType.ADMIN))
        with self.world.dying_after(lives):
            submitted = [
                moderation.submit(Submission(product_name="x"), shop) for _ in range(count)
            ]
            moderation.approve([product.product_id for product in submitted], None, admin)

    @precondition(lambda self: self.world.queue)
    @rule(data=st.data(), lives=LIVES, comes_again=st.booleans())
    def a_worker_takes_a_task(
        self, data: st.DataObject, lives: int | None, comes_again: bool
    ) -> None:
        task = data.draw(st.sampled_from(self.world.queue))
        is_done = self._work(task, lives)
        if is_done and not comes_again:
            self.world.queue.remove(task)

    def _work(self, task: str, lives: int | None = None) -> bool:
        with self.world.dying_after(lives):
            answer = fanout({"Records": [{"messageId": "1", "body": task}]}, CONTEXT)
            return not answer["batchItemFailures"]
        return False  # it died

    @rule(lives=LIVES)
    def a_minute_passes(self, lives: int | None) -> None:
        for phone in self._shaking_hands():
            phone.is_open = True  # no handshake takes so long
        self.world.now += 60
        with self.world.dying_after(lives):
            sweep({}, CONTEXT)

    # --- What must hold ---

    @invariant()
    def no_open_connection_is_forgotten(self) -> None:
        keys = [connections.key(connection_id) for connection_id in self.world.phones]
        stored = [row["partition"]["S"] for row in aws.batch_get("connections", keys)]
        assert sorted(stored) == sorted(key["partition"] for key in keys)

    @invariant()
    def nobody_has_an_event_twice_or_out_of_order(self) -> None:
        for phone in self.everyone:
            for channel, began in phone.began.items():
                got = [e["seq"] for e in phone.inbox.events if e["channel"] == channel]
                assert got == list(range(began + 1, began + 1 + len(got)))

    @rule()
    def calm(self) -> None:
        """Faults end, handshakes end, everything that is waiting is done: all have everything."""
        for phone in self.world.phones.values():
            phone.is_open, phone.faults = True, []
        self.world.now += 60
        sweep({}, CONTEXT)
        while self.world.queue:
            assert self._work(self.world.queue.pop(0))
        self._greet()
        for phone in self.world.phones.values():
            while phone.to_say:
                self._speak(phone)
        for phone in self.world.phones.values():
            self._assert_complete(phone)

    def _assert_complete(self, phone: Phone) -> None:
        assert phone.began, "was never greeted"
        heads = history.positions(phone.began)
        for channel, began in phone.began.items():
            got = [e["seq"] for e in phone.inbox.events if e["channel"] == channel]
            assert got == list(range(began + 1, heads[channel].seq + 1)), channel
        assert not phone.inbox.refetches


TestThePromise = Marketplace.TestCase
TestThePromise.settings = settings(
    max_examples=3 * settings().max_examples // 10, stateful_step_count=25
)
