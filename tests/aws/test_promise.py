"""The promise: an event once committed reaches every connection of its channels, whatever crashes.

Hypothesis plays a marketplace: clients come, join a room, leave it, go and vanish, products are
submitted, approved, edited and withdrawn, something is announced, the numbers of shards change,
processes die between any two calls that they make, workers stand still and go on when others have
their lanes, queue messages come twice or become dead letters, the management API throttles and
fails, clients that take no post are closed. Whenever the world has calmed down, every client has
every event of its channels since it first connected or joined, once and in order, what the events
have told it of products is as it is, and no open connection was forgotten.

The code is the real one but for what is outside of it: the management API is `Simulation.post`, the
queues are a list, DynamoDB is moto's.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
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

from functions.connect.handler import handler as connect
from functions.disconnect.handler import handler as disconnect
from functions.fanout.handler import handler as fanout
from functions.greet.handler import handler as greet
from functions.message.handler import handler as message
from functions.sweep.handler import handler as sweep
from harness import deployment
from harness.gateway_events import CONTEXT, frame_of, websocket
from harness.tokens import token_of
from infra.cdk.fanout import VISIBILITY_SECONDS
from local.inbox import Inbox, events_in
from tests.aws import processes
from tests.aws.conflicts import conflicts
from tests.aws.conftest import subscribed_connections
from tests.aws.processes import Process
from vitrina import (
    auth,
    aws,
    connections,
    frames,
    greeting,
    history,
    message_budget,
    moderation,
    posting,
    products,
    publishing,
    rounds,
    sender,
    slow_readers,
    subscriptions,
)
from vitrina.buckets import Rate
from vitrina.channels import ClientType
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.partitions import Kind
from vitrina.products import Status, Submission
from vitrina.sender import Delivery, Post

FAULTS = st.sampled_from([429, 500])


class Crash(BaseException):
    """The process is gone: nothing catches this."""


class Phone:
    """A client, over all of its connections."""

    def __init__(self, client_type: ClientType, account_id: int, *, takes_batches: bool) -> None:
        self.client_type = client_type
        self.account_id = account_id
        self.takes_batches = takes_batches
        self.inbox = Inbox()
        self.connection_id: str | None = None
        """Once $connect has answered."""
        self.is_connecting = False
        self.is_open = False
        self.faults: list[int] = []
        self.to_say: list[Any] = []
        self.began: dict[str, tuple[int, int]] = {}
        """Of each channel: its position then, and how many events the inbox had applied."""

    def receive(self, body: bytes) -> None:
        frame = json.loads(body)
        assert self.takes_batches or frame["event"] != "batch"
        for event in events_in(frame):
            match event:
                case {"event": "connected", "data": {"positions": positions}}:
                    for channel, position in positions.items():
                        self._begin(channel, position)
                case {"event": "joined", "data": {"channel": channel, "position": position}}:
                    self._begin(channel, position)
                case {"event": "left", "data": {"room": room}}:
                    self.began.pop(f"room:{room}", None)
        self.to_say += self.inbox.take(frame)

    def _begin(self, channel: str, position: dict[str, Any]) -> None:
        self.began.setdefault(channel, (position["seq"], len(self.inbox.events)))

    def got(self, channel: str) -> tuple[int, list[int]]:
        """Return where it began in a channel, and the numbers of the events since."""
        seq, skipped = self.began[channel]
        events = self.inbox.events[skipped:]
        return seq, [event["seq"] for event in events if event["channel"] == channel]


class Simulation:
    """What is outside of the code: time, crashes, the queue, the management API."""

    def __init__(self) -> None:
        self.now = time.time()
        self.queue: list[str] = []
        self.stream: list[Any] = []
        """Rows of connections, as they were inserted."""
        self.phones: dict[str, Phone] = {}
        self.calls_to_live: int | None = None

    def call(self) -> None:
        """Count a step that a process can die or stand still before or after."""
        processes.step()
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
            if name == "put_item" and "client_type" in request["Item"]:
                self._world.stream.append(request["Item"])
            self._world.call()
            return answer

        return call


# How many steps a process lives: for ever, or so many.
LIVES = st.none() | st.integers(0, 50)
# What an app does with its list.
SHOWS_OR_HIDES = {"product.approved", "product.withdrawn"}
# How many steps $connect takes before it stands still, or dies: none is all.
CALLS_OF_CONNECT = st.none() | st.integers(0, 12)
MAX_PHONES = 8
MAX_LATE = 3
JOIN, LEAVE = ({"type": name, "room": "sale"} for name in ("join", "leave"))
# One after the other, round and round: connections stay while they change.
SHARDS = [(2,), (2, 3), (3, 2), (3,), (3, 2), (2, 3)]


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
        self.step = 0
        self._deploy()
        deployment.create()
        self._replace_what_is_outside()
        self.everyone: list[Phone] = []
        self.late: list[Process] = []
        self.connecting: dict[str, tuple[Phone, Process]] = {}
        self.products: list[int] = []
        self.number = 0

    def _deploy(self) -> None:
        shards = SHARDS[self.step % len(SHARDS)]
        deployment.configure(
            self.patch,
            user_shards=shards,
            shop_shards=(1,),
            room_shards=shards,
            token_lifetime_seconds=86_400,
            connections_per_identity=100,
        )

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
        for name in ("MIN_ATTEMPT", "MIN_COUNTED_TRIES"):
            self.patch.setattr(slow_readers, name, 1)
        self.patch.setattr(sender, "probe", lambda asked, **_: Delivery(sent=len(asked)))
        for module in (connections, history, subscriptions, rounds, posting):
            self.patch.setattr(module, "time", clock)
        for name in ("greeting", "clock"):
            self.patch.setattr(f"vitrina.{name}.time", clock)
        # One call after another, so that a process can stand still at each of them.
        self.patch.setattr(aws, "in_parallel", lambda call, each: [call(value) for value in each])
        self.patch.setattr(publishing, "FIRST_PAGE_ROWS", 2)
        self.patch.setattr(rounds, "MIN_PAGE_ROWS", 1)
        self.patch.setattr(rounds, "MAX_PAGE_ROWS", 2)
        self.patch.setattr(rounds, "SLICE_SECONDS", dict.fromkeys(Kind, 0.001))
        self.patch.setattr(rounds, "MAX_ROUND_EVENTS", {Kind.BATCH: 3, Kind.PLAIN: 2})
        self.patch.setattr(
            rounds, "MAX_WORK_SECONDS", dict.fromkeys(Kind, -1)
        )  # after each slice another worker goes on
        self.patch.setattr(frames, "MAX_FRAME_BYTES", 600)
        # What is missed is sent by the greeting, or needs a `resume`, about as often.
        self.patch.setattr(greeting, "MAX_MISSED_EVENTS", 5)
        self.patch.setattr(greeting, "MAX_FRAMES", 6)
        self.patch.setattr(message_budget, "RECOVERIES", Rate(tries=1000, seconds=1))

    # --- Clients ---

    @initialize()
    def some_are_connected(self) -> None:
        for client_type in (*ClientType, ClientType.ADMIN, ClientType.ADMIN):
            takes_batches = len(self.everyone) % 2 == 0
            self.someone_connects(client_type, False, takes_batches, calls=None)
        self._greet()
        for phone in self.everyone[::2]:
            phone.to_say.append(JOIN)
            self._speak(phone)

    @precondition(lambda self: len(self.everyone) < MAX_PHONES)
    @rule(
        client_type=st.sampled_from(ClientType),
        is_slow=st.booleans(),
        takes_batches=st.booleans(),
        calls=CALLS_OF_CONNECT,
    )
    def someone_connects(
        self, client_type: ClientType, is_slow: bool, takes_batches: bool, calls: int | None
    ) -> None:
        is_user = client_type is ClientType.USER
        account_id = 10 + len(self.everyone) if is_user else 1 + len(self.everyone) % 3
        phone = Phone(client_type, account_id, takes_batches=takes_batches)
        self.everyone.append(phone)
        self._connect(phone, is_slow, calls)

    @precondition(lambda self: self._away())
    @rule(
        data=st.data(), is_slow=st.booleans(), calls=CALLS_OF_CONNECT, has_positions=st.booleans()
    )
    def someone_comes_back(
        self, data: st.DataObject, is_slow: bool, calls: int | None, has_positions: bool
    ) -> None:
        phone = data.draw(st.sampled_from(self._away()))
        # Opened in either case: the inbox has rooms to join on a new connection.
        positions = phone.inbox.open()
        self._connect(phone, is_slow, calls, positions if has_positions else "")

    def _connect(self, phone: Phone, is_slow: bool, calls: int | None, positions: str = "") -> None:
        """`is_slow`: the handshake has not ended when $connect has answered."""
        self.number += 1
        connection_id = f"c{self.number}"
        phone.is_connecting = True
        process = Process(partial(self._shake_hands, phone, connection_id, is_slow, positions))
        self.connecting[connection_id] = phone, process
        self._go_on(connection_id, calls)

    def _shake_hands(self, phone: Phone, connection_id: str, is_slow: bool, positions: str) -> None:
        token = token_of(phone.client_type, phone.account_id)
        batch = "1" if phone.takes_batches else "0"
        query = {"token": token, "batch": batch, "positions": positions}
        request = websocket("CONNECT", connection_id, queryStringParameters=query)
        assert connect(request, CONTEXT)["statusCode"] == 200
        phone.connection_id, phone.is_open = connection_id, not is_slow
        self.world.phones[connection_id] = phone

    def _go_on(self, connection_id: str, calls: int | None) -> None:
        phone, process = self.connecting[connection_id]
        if process.run(calls):
            del self.connecting[connection_id]
            phone.is_connecting = False

    @precondition(lambda self: self.connecting)
    @rule(data=st.data(), calls=CALLS_OF_CONNECT)
    def a_handshake_goes_on(self, data: st.DataObject, calls: int | None) -> None:
        self._go_on(data.draw(st.sampled_from([*self.connecting])), calls)

    @precondition(lambda self: self.connecting)
    @rule(data=st.data())
    def a_handshake_dies(self, data: st.DataObject) -> None:
        """The connection never opens, whatever of it is stored."""
        connection_id = data.draw(st.sampled_from([*self.connecting]))
        self.connecting[connection_id][1].kill()
        self._go_on(connection_id, None)

    @precondition(lambda self: self._shaking_hands())
    @rule(data=st.data())
    def a_handshake_ends(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self._shaking_hands())).is_open = True

    @precondition(lambda self: self._online())
    @rule(data=st.data(), is_noticed=st.booleans(), lives=LIVES)
    def someone_leaves(self, data: st.DataObject, is_noticed: bool, lives: int | None) -> None:
        phone = data.draw(st.sampled_from(self._online()))
        connection_id = phone.connection_id
        self.world.end(phone)
        if is_noticed:
            assert connection_id is not None
            with self.world.dying_after(lives):
                disconnect(websocket("DISCONNECT", connection_id), CONTEXT)

    @precondition(lambda self: self._speaking())
    @rule(data=st.data(), calls=st.integers(0, 12), lives=LIVES)
    def someone_leaves_while_speaking(
        self, data: st.DataObject, calls: int, lives: int | None
    ) -> None:
        """What a message writes late brings nothing of a closed connection back."""
        phone = data.draw(st.sampled_from(self._speaking()))
        connection_id = phone.connection_id
        assert connection_id is not None
        process = Process(partial(self._message, phone.to_say.pop(0), connection_id))
        process.run(calls)
        self.world.end(phone)
        has_ended = False
        with self.world.dying_after(lives):
            disconnect(websocket("DISCONNECT", connection_id), CONTEXT)
            has_ended = True
        process.run()
        if has_ended:
            assert connection_id not in subscribed_connections()

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
        while phone.is_open and queue and self._work(task := queue[0], lives):
            queue.remove(task)

    @precondition(lambda self: self.world.stream)
    @rule(lives=LIVES)
    def new_connections_are_greeted(self, lives: int | None) -> None:
        self._greet(lives)

    @precondition(lambda self: self._speaking())
    @rule(data=st.data())
    def someone_speaks(self, data: st.DataObject) -> None:
        self._speak(data.draw(st.sampled_from(self._speaking())))

    def _away(self) -> list[Phone]:
        phones = (phone for phone in self.everyone if not phone.is_connecting)
        return [phone for phone in phones if phone.connection_id is None]

    def _end_handshakes(self) -> None:
        """Let time pass: no handshake takes as long as what follows."""
        for connection_id in [*self.connecting]:
            self._go_on(connection_id, None)
        for phone in self._shaking_hands():
            phone.is_open = True

    def _shaking_hands(self) -> list[Phone]:
        return [phone for phone in self.world.phones.values() if not phone.is_open]

    def _online(self) -> list[Phone]:
        return [phone for phone in self.world.phones.values() if phone.is_open]

    def _speaking(self) -> list[Phone]:
        return [phone for phone in self._online() if phone.to_say]

    def _greet(self, lives: int | None = None) -> None:
        """As the stream does: a batch whose process dies comes again."""
        images = [*self.world.stream]
        with self.world.dying_after(lives):
            greet({"Records": [{"dynamodb": {"NewImage": image}} for image in images]}, CONTEXT)
            del self.world.stream[: len(images)]

    def _speak(self, phone: Phone) -> None:
        assert phone.connection_id is not None
        answer = self._message(phone.to_say.pop(0), phone.connection_id)
        phone.receive(frame_of(answer).encode())

    def _message(self, said: Any, connection_id: str) -> Any:
        return message(websocket("MESSAGE", connection_id, body=said), CONTEXT)

    @precondition(lambda self: self._online())
    @rule(data=st.data())
    def someone_joins_the_room(self, data: st.DataObject) -> None:
        phone = data.draw(st.sampled_from(self._online()))
        phone.to_say.append(JOIN)

    @precondition(lambda self: self._users())
    @rule(data=st.data())
    def someone_leaves_the_room(self, data: st.DataObject) -> None:
        """A user, as the room's past ends for all connections of an identity."""
        phone = data.draw(st.sampled_from(self._users()))
        phone.to_say.append(LEAVE)

    def _users(self) -> list[Phone]:
        return [phone for phone in self._online() if phone.client_type is ClientType.USER]

    @rule()
    def the_numbers_of_shards_change_by_a_step(self) -> None:
        """Before an older number is left out, its connections have ended: two hours later."""
        self._end_handshakes()
        self.step += 1
        shards = SHARDS[self.step % len(SHARDS)]
        for connection_id, phone in [*self.world.phones.items()]:
            stored = connections.find(connection_id)
            assert stored
            if stored.shards not in shards or stored.room_shards not in shards:
                self.world.end(phone)
                connections.forget(connection_id)
        self._deploy()

    # --- Events ---

    @rule(lives=LIVES, to=st.sampled_from(["room:sale", "user", "shop:10"]))
    def something_is_announced(self, lives: int | None, to: str) -> None:
        announcement = Announcement(to=to, title="x", text="x", admin_id=1)
        event = AnnouncementPublished(data=announcement)
        with self.world.dying_after(lives):
            publishing.commit([history.Change(None, [event])])

    @rule(lives=LIVES, count=st.integers(1, 3))
    def products_are_submitted_and_approved(self, lives: int | None, count: int) -> None:
        shop = auth.verify(token_of(ClientType.SHOP))
        admin = auth.verify(token_of(ClientType.ADMIN))
        with self.world.dying_after(lives):
            submitted = [
                moderation.submit(Submission(product_name="x"), shop) for _ in range(count)
            ]
            self.products += [product.product_id for product in submitted]
            moderation.approve([product.product_id for product in submitted], None, admin)

    @precondition(lambda self: self.products)
    @rule(data=st.data(), lives=LIVES, is_edit=st.booleans())
    def a_product_is_edited_or_withdrawn(
        self, data: st.DataObject, lives: int | None, is_edit: bool
    ) -> None:
        """It leaves public view if it is there; an edit waits for an approval, which may come."""
        product_id = data.draw(st.sampled_from(self.products))
        shop = auth.verify(token_of(ClientType.SHOP))
        admin = auth.verify(token_of(ClientType.ADMIN))
        with self.world.dying_after(lives):
            if is_edit:
                moderation.resubmit(product_id, Submission(product_name="y"), shop)
            else:
                version = products.find_many([product_id])[product_id].version
                moderation.withdraw(product_id, "x", admin, {version})
                moderation.approve([product_id], None, admin, {product_id: {version}})

    @precondition(lambda self: self.world.queue)
    @rule(data=st.data(), lives=LIVES, comes_again=st.booleans())
    def a_worker_takes_a_task(
        self, data: st.DataObject, lives: int | None, comes_again: bool
    ) -> None:
        task = data.draw(st.sampled_from(self.world.queue))
        self._take_off(task, is_done=self._work(task, lives) and not comes_again)

    @precondition(lambda self: self.world.queue and len(self.late) < MAX_LATE)
    @rule(data=st.data(), calls=st.integers(0, 40))
    def a_worker_stands_still(self, data: st.DataObject, calls: int) -> None:
        """It outlives the time for which its message is invisible: another one is given it."""
        task = data.draw(st.sampled_from(self.world.queue))
        process = Process(partial(self._work, task))
        if process.run(calls):
            self._take_off(task, is_done=process.answer)
        else:
            self.late.append(process)
            self._end_handshakes()
            self.world.now += VISIBILITY_SECONDS

    @precondition(lambda self: self.late)
    @rule(data=st.data(), calls=st.none() | st.integers(1, 20))
    def a_late_worker_goes_on(self, data: st.DataObject, calls: int | None) -> None:
        process = data.draw(st.sampled_from(self.late))
        if process.run(calls):
            self.late.remove(process)

    @precondition(lambda self: self._wakes())
    @rule(data=st.data())
    def a_message_becomes_a_dead_letter(self, data: st.DataObject) -> None:
        """One that wakes a lane: the lane's row still has the work."""
        self.world.queue.remove(data.draw(st.sampled_from(self._wakes())))

    def _wakes(self) -> list[str]:
        return [task for task in self.world.queue if '"wake"' in task]

    def _take_off(self, task: str, *, is_done: bool) -> None:
        if is_done and task in self.world.queue:
            self.world.queue.remove(task)

    def _work(self, task: str, lives: int | None = None) -> bool:
        with self.world.dying_after(lives):
            answer = fanout({"Records": [{"messageId": "1", "body": task}]}, CONTEXT)
            return not answer["batchItemFailures"]
        return False  # it died

    @rule(lives=LIVES)
    def a_minute_passes(self, lives: int | None) -> None:
        self._end_handshakes()
        self.world.now += 60
        with self.world.dying_after(lives):
            sweep({}, CONTEXT)

    # --- What must hold ---

    @invariant()
    def no_open_connection_is_forgotten(self) -> None:
        keys = [connections.key(connection_id) for connection_id in self.world.phones]
        stored = list(map(connections.from_item, aws.batch_get("connections", keys)))
        assert {connection.connection_id for connection in stored} == {*self.world.phones}
        members = [row._asdict() for connection in stored for row in connection.subscriptions]
        assert len([*aws.batch_get("connections", members)]) == len(members)

    @invariant()
    def nobody_has_an_event_twice_or_out_of_order(self) -> None:
        for phone in self.everyone:
            for channel in phone.began:
                began, got = phone.got(channel)
                assert got == list(range(began + 1, began + 1 + len(got)))

    @rule()
    def calm(self) -> None:
        """Faults end, handshakes end, everything that is waiting is done: all have everything."""
        self._end_handshakes()
        for phone in self.world.phones.values():
            phone.faults = []
        while self.late:
            self.late.pop().run()
        for _ in range(2):
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
        for channel in phone.began:
            began, got = phone.got(channel)
            assert got == list(range(began + 1, heads[channel].seq + 1)), channel
            self._assert_shows_what_is_approved(phone, channel)
        assert not phone.inbox.refetches

    def _assert_shows_what_is_approved(self, phone: Phone, channel: str) -> None:
        """What the latest event of a product in a channel says is how it is."""
        _, skipped = phone.began[channel]
        shown = {
            event["data"]["product_id"]: event["event"] == "product.approved"
            for event in phone.inbox.events[skipped:]
            if event["channel"] == channel and event["event"] in SHOWS_OR_HIDES
        }
        for product_id, product in products.find_many(shown).items():
            is_approved = product.moderation_status is Status.APPROVED
            assert shown[product_id] == is_approved, product


TestThePromise = Marketplace.TestCase
TestThePromise.settings = settings(
    max_examples=3 * settings().max_examples // 10, stateful_step_count=25
)
