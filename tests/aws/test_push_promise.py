"""The promise of push: each event reaches exactly the phones of the table, whatever crashes.

Hypothesis plays phones: apps are started, switch accounts, choose what they are notified of,
connect, log out, are removed and installed again, tokens change; events are published; processes
die between any two calls or stand still while others go on; tasks come twice; SNS throttles and
fails. Whenever the world has calmed down, each phone has got each event that was for it during all
of that time in exactly one notification, and none that never was; SNS knows exactly the phones that
are registered. Notifications with one id are one, as a phone shows the latest; only a digest whose
task was repeated may have an event that was shown.

The code is the real one but for what is outside of it: SNS is `tests.aws.sns`, the queue a list,
DynamoDB moto's. The promise of the sockets is another test's.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import Random
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

from functions.push.handler import handler as push_handler
from functions.sweep.handler import handler as sweep
from harness import deployment
from harness.environment import REGION
from harness.gateway_events import CONTEXT
from tests.aws import processes, push
from tests.aws.conflicts import conflicts
from tests.aws.conftest import stopped_clock, stored
from tests.aws.processes import Process
from tests.aws.sns import Sns
from vitrina import (
    admission,
    aws,
    closing,
    connections,
    devices,
    history,
    notices,
    publishing,
    pushing,
    sender,
)
from vitrina.auth import Identity
from vitrina.buckets import Rate
from vitrina.channels import ClientType
from vitrina.errors import Unavailable
from vitrina.events import (
    Announcement,
    AnnouncementPublished,
    ProductApproval,
    ProductApproved,
    ProductRejected,
    ProductRejection,
    ProductWithdrawal,
    ProductWithdrawn,
    Published,
)
from vitrina.history import Change
from vitrina.preferences import Preferences, QuietHours
from vitrina.sender import Delivery, Post

HOUR = 3600
APP = f"arn:aws:sns:{REGION}:123456789012:app/APNS/vitrina"
# Of one shop two, one of another shop, and of the other types: type, account, shop.
ACCOUNTS = [
    (ClientType.SHOP, 10, 10),
    (ClientType.SHOP, 110, 10),
    (ClientType.SHOP, 11, 11),
    (ClientType.USER, 1, None),
    (ClientType.USER, 2, None),
    (ClientType.ADMIN, 1, None),
]
PHONES = 5
# How many calls a process makes before it dies or stands still: none is all.
LIVES = st.none() | st.integers(0, 9)
FAULTS = st.lists(st.sampled_from(["Throttled", "InternalError"]), max_size=4)
ANY = ["push", "digest", "off"]
MODES = {
    ClientType.SHOP: {
        "product.approved": ANY,
        "product.rejected": ANY,
        "product.withdrawn": ANY,
        "announcement.published": ANY,
    },
    ClientType.USER: {"product.approved": ["off", "digest"], "announcement.published": ANY},
    ClientType.ADMIN: {"announcement.published": ANY},
}
"""What each type may choose; the first one is the default."""
Kind = tuple[str, str]
KINDS: list[Kind] = [
    *(("approved", f"shop:{shop}") for shop in (10, 11)),
    *(("rejected", "shop:10"), ("withdrawn", "shop:10")),
    *(("announced", to) for to in ("user", "shop", "admin", "user:1", "shop:10", "room:x")),
]
"""What is published, and to whom or about which shop."""
SEVERAL = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(1, 2), LIVES), min_size=1, max_size=6
)


class Inline:
    """In place of a pool of threads: one call after another, as a process stops between them."""

    def submit(self, call: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(call(*arguments))
        except Exception as failure:  # noqa: BLE001 - raised again by `result`
            done.set_exception(failure)
        return done


@dataclass
class Account:
    client_type: ClientType
    account_id: int
    shop_id: int | None
    modes: dict[str, str] = field(default_factory=dict)
    quiet: bool = False
    is_settled: bool = True
    """Whether the latest choice was answered."""

    @property
    def own_channel(self) -> str:
        return f"{self.client_type}:{self.shop_id or self.account_id}"

    def mode(self, event: str) -> str:
        return self.modes.get(event, MODES[self.client_type].get(event, ["off"])[0])

    def identity(self, *, new_session: bool) -> Identity:
        shop: Any = {"shop_id": self.shop_id} if self.shop_id else {}
        return push.identity_of(self.client_type, self.account_id, new_session=new_session, **shop)


@dataclass
class Phone:
    number: int
    installed: int = 0
    """How often the app was."""
    tokens: int = 0
    is_installed: bool = True
    account: Account | None = None
    """That is logged in here."""
    identity: Identity | None = None
    is_settled: bool = True
    """Whether its latest request was answered."""
    leaves: list[tuple[ClientType, int, str]] = field(default_factory=list)
    """The sessions of logouts that were not answered."""
    in_doubt_until: float = 0
    """A registration that was interrupted notifies for a minute at most."""
    connected_until: float = 0
    shown: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    """The id of each notification, and the events in it."""

    @property
    def token(self) -> str:
        return push.token_for(f"phone{self.number}.{self.tokens}")

    @property
    def device_id(self) -> str:
        return f"phone{self.number}-{self.installed}"

    @property
    def is_connected(self) -> bool:
        return self.connected_until > time.time()

    @property
    def connection_id(self) -> str:
        return f"{self.device_id}="


@dataclass
class Happened:
    """An event, and whether each phone must get it: None where that has changed since."""

    published: Published
    must: dict[int, bool | None]


class Phones(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.cloud = ExitStack()
        self.cloud.enter_context(mock_aws())
        self.at = stopped_clock(self.patch)
        self.seconds = 0.0
        chance = Random(0)  # noqa: S311
        self.cloud.enter_context(conflicts(lambda: chance.random() < 1 / 8))
        more: Any = {"push_queue_url": push.QUEUE, "push_topics": push.TOPICS}
        deployment.configure(
            self.patch,
            push_apps=(APP,),
            token_lifetime_seconds=86_400,
            sessions_per_account=100,
            **more,
        )
        deployment.create()
        self.sns = Sns(self._receive)
        self.queue: list[str] = []
        self.phones = [Phone(number) for number in range(PHONES)]
        self.accounts = [Account(*each) for each in ACCOUNTS]
        self.happened: dict[str, Happened] = {}
        self.entries: dict[tuple[str, int], str] = {}
        """The event of each position of a channel."""
        self.has_repeated = False
        """Whether a task was done twice, or in parts."""
        self.late: list[Process] = []
        self.starting: dict[int, Process] = {}
        self.cloud.enter_context(processes.counted_calls())
        self._replace_what_is_outside()

    def _replace_what_is_outside(self) -> None:
        self.patch.setattr(aws, "sns", lambda: self.sns)
        self.patch.setattr(aws, "sqs", lambda: self)
        self.patch.setattr(sender, "post", _take_all)
        # One call after another, so that a process can stand still at each of them.
        self.patch.setattr(aws, "in_parallel", lambda call, each: [call(value) for value in each])
        self.patch.setattr(aws, "begin", Inline().submit)
        self.patch.setattr(time, "sleep", lambda _: None)
        # After each page another worker goes on.
        self.patch.setattr(pushing, "PAGE_ROWS", 1)
        self.patch.setattr(pushing, "MAX_WORK_SECONDS", -1)
        self.patch.setattr(devices, "CHANGES", Rate(tries=10_000, seconds=1))
        show = notices.show

        def tell(notice: notices.Notice, *arguments: Any) -> notices.Shown:
            """Show a notice, and say what is in it."""
            shown = show(notice, *arguments)
            events = {self.entries[each.channel, each.seq] for each in notice.entries}
            return shown._replace(data={**shown.data, "events": " ".join(sorted(events))})

        self.patch.setattr(notices, "show", tell)

    def send_message_batch(self, *, QueueUrl: str, Entries: Any) -> Any:  # noqa: N803 - boto3's names
        processes.step()
        if QueueUrl == push.QUEUE:
            self.queue += [entry["MessageBody"] for entry in Entries]
        return {}

    def _receive(self, token: str, shown: dict[str, Any]) -> None:
        for phone in self.phones:
            if phone.token == token and phone.is_installed:
                phone.shown.append((shown["id"], frozenset(shown["events"].split())))

    def teardown(self) -> None:
        try:
            self.calm()
        finally:
            for process in (*self.late, *self.starting.values()):
                process.kill()
            self.cloud.close()
            self.patch.undo()

    def _pass(self, seconds: float) -> None:
        """Let time pass: no request takes as long."""
        for number in [*self.starting]:
            self._go_on(number, None)
        while self.late:
            self.late.pop().run()
        self.seconds += seconds
        self.at(self.seconds)

    # --- Phones ---

    @initialize(data=st.data(), kinds=SEVERAL)
    def some_are_registered(
        self, data: st.DataObject, kinds: list[tuple[Kind, int, int | None]]
    ) -> None:
        for account in self.accounts:
            self._draw_choice(account, data)
            self._choose(account, None)
        for phone, account in zip(self.phones, self.accounts[1:], strict=True):
            self._start(phone, account, None)
            if data.draw(st.booleans(), label="connected"):
                self._connect(phone)
        self.something_is_published(kinds)

    @precondition(lambda self: self._idle())
    @rule(data=st.data(), calls=st.none() | st.integers(0, 19), dies=st.booleans())
    def an_app_is_started(self, data: st.DataObject, calls: int | None, dies: bool) -> None:
        """By who was logged in, or by another account, which may find the former one's token."""
        phone = data.draw(st.sampled_from(self._idle()))
        same = [phone.account or self.accounts[0]]
        account = data.draw(st.sampled_from(9 * same + self.accounts))
        self._start(phone, account, calls)
        if dies and phone.number in self.starting:
            self.starting.pop(phone.number).kill()
            phone.in_doubt_until = time.time() + devices.REGISTRATION_TTL_SECONDS

    def _start(self, phone: Phone, account: Account, calls: int | None) -> None:
        if not phone.is_installed:
            phone.is_installed = True
            phone.installed += 1
            phone.tokens += 1
        phone.is_settled = False
        if phone.account is not account or not phone.identity:
            phone.account, phone.identity = account, account.identity(new_session=True)
            phone.connected_until = 0
            self.remember_what_changes()
        elif not self._is_in_topic(phone):
            # It may join between the publish to the topic and the walk over the others.
            for event in self.happened.values():
                if isinstance(event.published, AnnouncementPublished):
                    event.must[phone.number] = None
        process = Process(partial(self._register, phone, phone.identity))
        self.starting[phone.number] = process
        self._go_on(phone.number, calls)

    def _is_in_topic(self, phone: Phone) -> bool:
        subscribed = {arn for _, arn in self.sns.subscriptions.values()}
        return phone.token in {
            each.token for arn, each in self.sns.endpoints.items() if arn in subscribed
        }

    def _register(self, phone: Phone, identity: Identity) -> None:
        with suppress(Unavailable):
            devices.register(identity, phone.device_id, push.registration(phone.token))
            phone.is_settled = True

    def _go_on(self, number: int, calls: int | None) -> None:
        if self.starting[number].run(calls):
            del self.starting[number]

    @precondition(lambda self: self.starting)
    @rule(data=st.data(), calls=LIVES)
    def a_registration_goes_on(self, data: st.DataObject, calls: int | None) -> None:
        self._go_on(data.draw(st.sampled_from([*self.starting])), calls)

    @precondition(lambda self: self._idle())
    @rule(data=st.data(), is_removed=st.booleans())
    def a_token_ends(self, data: st.DataObject, is_removed: bool) -> None:
        """The app is removed, or the platform gives it another token; SNS knows of the old one."""
        phone = data.draw(st.sampled_from(self._idle()))
        for endpoint in self.sns.endpoints.values():
            if endpoint.token == phone.token:
                endpoint.is_enabled = False
        self._disconnect(phone)
        if is_removed:
            phone.is_installed, phone.identity, phone.account = False, None, None
        else:
            phone.tokens += 1
            phone.is_settled = phone.account is None

    @precondition(lambda self: self._logged_in())
    @rule(data=st.data(), calls=LIVES)
    def someone_logs_out(self, data: st.DataObject, calls: int | None) -> None:
        phone = data.draw(st.sampled_from(self._logged_in()))
        account, identity = phone.account, phone.identity
        assert account
        assert identity
        assert identity.session_id
        phone.leaves.append((account.client_type, account.account_id, identity.session_id))
        phone.account = phone.identity = None
        phone.connected_until = 0
        self._leave(phone, calls)

    @precondition(lambda self: self._logged_in())
    @rule(data=st.data(), is_open=st.booleans())
    def someone_connects_or_leaves(self, data: st.DataObject, is_open: bool) -> None:
        phone = data.draw(st.sampled_from(self._logged_in()))
        assert phone.identity
        self._disconnect(phone)
        if is_open and phone.identity.expires_at > time.time():
            self._connect(phone)

    def _connect(self, phone: Phone) -> None:
        assert phone.identity
        admission.admit(phone.connection_id, phone.identity)
        phone.connected_until = stored(phone.connection_id).expires_at

    def _leave(self, phone: Phone, calls: int | None) -> None:
        for session in [*phone.leaves]:
            if self._do(partial(closing.end_session, *session), calls):
                phone.leaves.remove(session)

    def _disconnect(self, phone: Phone) -> None:
        if phone.is_connected:
            connections.forget(phone.connection_id)
        phone.connected_until = 0

    @rule(data=st.data(), calls=LIVES)
    def an_account_chooses(self, data: st.DataObject, calls: int | None) -> None:
        account = data.draw(st.sampled_from(self.accounts))
        self._draw_choice(account, data)
        # It holds for what is published from then on; what is under way may go either way.
        account.is_settled = False
        self.remember_what_changes()
        self._choose(account, calls)

    def _draw_choice(self, account: Account, data: st.DataObject) -> None:
        account.modes = {
            event: data.draw(st.sampled_from(modes), label=event)
            for event, modes in MODES[account.client_type].items()
        }
        account.quiet = data.draw(st.integers(0, 3), label="quiet") == 3

    def _choose(self, account: Account, calls: int | None) -> None:
        quiet = None
        if account.quiet:
            start, end = (
                datetime.fromtimestamp(time.time() + hours * HOUR, UTC).strftime("%H:%M")
                for hours in (-1, 1.5)
            )
            quiet = QuietHours(start=start, end=end, timezone="UTC")
        chosen: Any = account.modes
        preferences = Preferences(events=chosen, quiet_hours=quiet)
        identity = account.identity(new_session=False)
        account.is_settled = self._do(partial(devices.prefer, identity, preferences), calls)

    def _do(self, work: Callable[[], Any], calls: int | None) -> bool:
        """Do something, or die after so many calls; return whether it was done."""
        process = Process(work)
        try:
            has_ended = process.run(calls)
        except Unavailable:
            return False
        if not has_ended:
            process.kill()
        return has_ended

    def _idle(self) -> list[Phone]:
        return [phone for phone in self.phones if phone.number not in self.starting]

    def _logged_in(self) -> list[Phone]:
        return [phone for phone in self._idle() if phone.identity]

    # --- Events ---

    @rule(kinds=SEVERAL)
    def something_is_published(self, kinds: list[tuple[Kind, int, int | None]]) -> None:
        for (name, to), count, calls in kinds:
            self._publish([_event(name, to) for _ in range(count)], calls)

    def _publish(self, events: Sequence[Published], calls: int | None) -> None:
        publication = history.commit([Change(None, events)])
        for each in publication.events:
            self.entries[each.channel, each.seq] = each.event_id
        for event in events:
            must = {phone.number: self._must(phone, event) for phone in self.phones}
            self.happened[event.id] = Happened(event, must)
        # Its tasks may be handed over again.
        self.has_repeated |= not self._do(partial(publishing.publish, [publication]), calls)

    def _must(self, phone: Phone, event: Published) -> bool | None:
        """Return whether a phone as it is now is to get an event; None if nobody can say."""
        account = phone.account
        if not phone.is_installed:
            return False
        is_settled = phone.is_settled and not phone.leaves
        is_settled = is_settled and time.time() >= phone.in_doubt_until
        if not is_settled or (account and not account.is_settled):
            return None
        if account is None:
            return False
        if isinstance(event, AnnouncementPublished):
            is_for_all = event.data.to == account.client_type
            concerns = is_for_all or event.data.to == account.own_channel
        else:
            is_for_all = False
            is_user = account.client_type is ClientType.USER and event.event == "product.approved"
            concerns = is_user or f"shop:{event.data.shop_id}" == account.own_channel
        mode = account.mode(event.event)
        if not concerns or mode == "off":
            return False
        if phone.is_connected:
            # A topic cannot skip it; it is not in the topic if SNS was busy.
            return None if is_for_all and mode == "push" and not account.quiet else False
        return True

    @invariant()
    def remember_what_changes(self) -> None:
        for event in self.happened.values():
            for phone in self.phones:
                if self._must(phone, event.published) != event.must[phone.number]:
                    event.must[phone.number] = None

    # --- Workers ---

    @precondition(lambda self: self.queue)
    @rule(
        data=st.data(),
        calls=LIVES,
        comes_again=st.booleans(),
        before=st.integers(0, 6),
        faults=FAULTS,
    )
    def a_worker_takes_tasks(
        self,
        data: st.DataObject,
        calls: int | None,
        comes_again: bool,
        before: int,
        faults: list[str],
    ) -> None:
        """The last one may be interrupted, or come again."""
        self.sns.faults = faults
        for _ in range(min(before, len(self.queue) - 1)):
            task = self.queue.pop(0)
            if not self._work(task):
                self.queue.append(task)
                self.has_repeated = True
        task = data.draw(st.sampled_from(self.queue))
        process = Process(partial(self._work, task))
        if not process.run(calls):
            process.kill()
        is_done = process.answer and not comes_again
        self.has_repeated |= not is_done
        self._take_off(task, is_done)

    @precondition(lambda self: self.queue and len(self.late) < 2)
    @rule(data=st.data(), calls=st.integers(0, 9))
    def a_worker_stands_still(self, data: st.DataObject, calls: int) -> None:
        task = data.draw(st.sampled_from(self.queue))
        process = Process(partial(self._work, task))
        if self._run(process, calls):
            self._take_off(task, process.answer)
        else:
            self.late.append(process)
            self.has_repeated = True

    @precondition(lambda self: self.late)
    @rule(data=st.data(), calls=LIVES)
    def a_late_worker_goes_on(self, data: st.DataObject, calls: int | None) -> None:
        process = data.draw(st.sampled_from(self.late))
        if self._run(process, calls):
            self.late.remove(process)

    def _run(self, process: Process, calls: int | None) -> bool:
        """Let a worker make so many calls; return whether it has ended.

        A phone whose token has ended is removed at once: an app that starts between SNS's answer
        and the removal is registered again only at its next start.
        """
        before = self.sns.refusals
        return process.run(calls) or (self.sns.refusals > before and process.run())

    def _work(self, task: str) -> bool:
        record = {"messageId": "1", "body": task}
        return not push_handler({"Records": [record]}, CONTEXT)["batchItemFailures"]

    def _take_off(self, task: str, is_done: bool | None) -> None:
        if is_done and task in self.queue:
            self.queue.remove(task)

    @rule(faults=FAULTS)
    def sns_is_busy(self, faults: list[str]) -> None:
        self.sns.faults = faults

    @rule(minutes=st.sampled_from([60, 1, 30, 60]), calls=LIVES)
    def time_passes(self, minutes: int, calls: int | None) -> None:
        self._pass(60 * minutes)
        self.has_repeated |= not self._do(partial(sweep, {}, CONTEXT), calls)

    # --- What must hold ---

    @precondition(lambda self: self.happened)
    @rule()
    def calm(self) -> None:
        """Crashes end, apps repeat what was not answered, hours pass: all have what is for them."""
        self.sns.faults = []
        self._pass(60)
        self._repeat_what_was_not_answered()
        for half_hours in range(12):
            self._pass(HOUR / 2)
            self.remember_what_changes()
            sweep({}, CONTEXT)
            # What SNS refuses until it has recovered is tried again.
            self.sns.faults = ["Throttled", "InternalError"] if half_hours < 6 else []
            while self.queue:
                may_fail = bool(self.sns.faults)
                task = self.queue.pop(0)
                if not self._work(task):
                    assert may_fail
                    self.queue.append(task)
                    self.has_repeated = True
            if not any("owed" in row for row in _rows()):
                break
        # Those of endpoints are due when their devices expire.
        assert not any("due" in row and "owned_by" not in row for row in _rows())
        for phone in self.phones:
            self._assert_has_what_is_for_it(phone)
            phone.shown = []
        self.happened, self.has_repeated = {}, False
        self._assert_sns_knows_the_phones()

    def _repeat_what_was_not_answered(self) -> None:
        for account in self.accounts:
            if not account.is_settled:
                self._choose(account, None)
        for phone in self.phones:
            if phone.leaves:
                self._leave(phone, None)
            if not phone.is_settled and phone.account:
                self._start(phone, phone.account, None)

    def _assert_has_what_is_for_it(self, phone: Phone) -> None:
        for event_id, event in self.happened.items():
            ids = {shown for shown, events in phone.shown if event_id in events}
            must = event.must[phone.number]
            least, most = (0, 1) if must is None else (must, must)
            # A digest that grew between two attempts has another id than its first event, and so
            # has that of an account that chose digests after it was notified.
            is_digest = any(shown not in self.happened for shown in ids)
            if most and is_digest and (self.has_repeated or must is None):
                most += 1
            assert least <= len(ids) <= most, (phone, event)
        assert {*self.happened} >= {each for _, events in phone.shown for each in events}

    def _assert_sns_knows_the_phones(self) -> None:
        """What else a crash leaves there has no device, or no token: it gets nothing."""
        rows = [row for row in _rows() if "endpoint" in row and row["expires_at"] > time.time()]
        enabled = {arn: each.token for arn, each in self.sns.endpoints.items() if each.is_enabled}
        found = {arn: token for arn, token in enabled.items() if self._is_reached(arn, rows)}
        # Nobody was told whether these are registered.
        unknown = {phone.token for phone in self.phones if not phone.identity}
        unknown -= {phone.token for phone in self.phones if phone.is_settled}
        in_use = {phone.token: phone for phone in self.phones if phone.identity}
        assert {*in_use} <= {*found.values()} <= {*in_use} | unknown
        for arn, token in found.items():
            if token in unknown:
                continue
            account = in_use[token].account
            assert account
            [row] = (row for row in rows if row["endpoint"] == arn)
            assert row["account_id"] == account.account_id
            may_join = account.mode("announcement.published") == "push" and not account.quiet
            topics = [topic for topic, each in self.sns.subscriptions.values() if each == arn]
            # SNS may have been busy: the walk notifies the phone then, until it is started again.
            assert may_join or "joins" not in row
            assert len(topics) >= ("subscription" in row)
            assert topics in ([], [f"{push.TOPICS}{account.client_type}"] * row.get("joins", False))

    def _is_reached(self, arn: str, rows: Sequence[dict[str, Any]]) -> bool:
        """Return whether anything published reaches an endpoint."""
        is_subscribed = any(each == arn for _, each in self.sns.subscriptions.values())
        return is_subscribed or any(row["endpoint"] == arn for row in rows)


def _event(name: str, to: str) -> Published:
    if name == "announced":
        data = Announcement(to=to, title="x", text="x", admin_id=1)
        return AnnouncementPublished(data=data)
    shop = int(to.removeprefix("shop:"))
    about: Any = {"product_id": 1, "product_name": "x", "shop_id": shop, "shop_name": "y"}
    if name == "withdrawn":
        return ProductWithdrawn(data=ProductWithdrawal(**about, version=1))
    about |= {"admin_id": 1, "moderation_notes": "x"}
    if name == "rejected":
        return ProductRejected(data=ProductRejection(**about))
    return ProductApproved(data=ProductApproval(**about, approval_fee=1))


def _take_all(posts: Sequence[Post], **_: Any) -> Delivery:
    return Delivery(sent=len(posts))


def _rows() -> Iterator[dict[str, Any]]:
    for item in aws.dynamodb().scan(TableName="devices")["Items"]:
        yield aws.from_item(item)


TestThePromise = Phones.TestCase
TestThePromise.settings = settings(
    max_examples=settings().max_examples // 6, stateful_step_count=25
)
