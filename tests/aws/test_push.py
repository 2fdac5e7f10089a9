"""Push: exactly the devices of the table, once, whatever crashes or is down."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.sweep.handler import handler as sweep
from harness import deployment
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from tests.aws import push
from tests.aws.conftest import Clock, connect
from tests.aws.push import (
    Crash,
    announced,
    dying_after,
    endpoint_of,
    identity_of,
    pushed,
    register,
    times_pushed,
)
from vitrina import aws, device_rows, devices, digests, history, publishing, push_tasks, pushing
from vitrina.channels import ClientType, Mode
from vitrina.events import (
    Announcement,
    AnnouncementPublished,
    ProductApproval,
    ProductApproved,
    ProductRejected,
    ProductRejection,
    ProductSubmission,
    ProductSubmitted,
    ProductWithdrawal,
    ProductWithdrawn,
    Published,
)
from vitrina.history import Change
from vitrina.notices import Entry
from vitrina.preferences import Preferences, QuietHours

HOUR = 3600
SECRETS = {"admin_id": 77, "moderation_notes": "Secret notes"}


@pytest.fixture(autouse=True)
def delays(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[int]]:
    more: Any = {"management_url": management_api.url, "token_lifetime_seconds": 86_400}
    push.turn_on(monkeypatch, **more)
    with push.without_delays() as delays:
        yield delays


def about(shop_id: int, product_id: int = 1) -> dict[str, Any]:
    return {
        "product_id": product_id,
        "product_name": "Платье {red}",
        "shop_id": shop_id,
        "shop_name": "Fashion Store",
    }


def approved(shop_id: int, product_id: int = 1) -> Published:
    data = ProductApproval(**about(shop_id, product_id), **SECRETS, approval_fee=12.5)
    return ProductApproved(data=data)


def announcement(to: str) -> Published:
    data = Announcement(to=to, title="Распродажа", text="Началась", admin_id=77)
    return AnnouncementPublished(data=data)


def publish(*events: Published) -> None:
    publishing.commit([Change(None, events)])


def ids(device_id: str) -> list[str]:
    return [each["id"] for each in pushed(device_id)]


# --- The table ------------------------------------------------------------------------------------

# Which events are for accounts of a type: an event of this shop or to this identity, of another
# one, or to all of the type.
EVENTS: dict[str, Callable[[ClientType, int], Published]] = {
    "approved": lambda _, own: approved(own),
    "rejected": lambda _, own: ProductRejected(data=ProductRejection(**about(own), **SECRETS)),
    "withdrawn": lambda _, own: ProductWithdrawn(data=ProductWithdrawal(**about(own), version=3)),
    "submitted": lambda _, own: ProductSubmitted(data=ProductSubmission(**about(own))),
    "to me": lambda client_type, own: announcement(f"{client_type}:{own}"),
    "to all": lambda client_type, _: announcement(client_type),
    "to a room": lambda *_: announcement("room:sale"),
}
ANY = {"push", "digest", "off"}
CHOICES: dict[tuple[str, str], tuple[str, set[str]]] = {
    # The default, and what may be chosen.
    ("shop", "approved"): ("push", ANY),
    ("shop", "rejected"): ("push", ANY),
    ("shop", "withdrawn"): ("push", ANY),
    ("user", "approved"): ("off", {"off", "digest"}),
    **{
        (kind, to): ("push", ANY)
        for kind in ("user", "shop", "admin")
        for to in ("to me", "to all")
    },
}
NAMES = {
    "approved": "product.approved",
    "rejected": "product.rejected",
    "withdrawn": "product.withdrawn",
    "to me": "announcement.published",
    "to all": "announcement.published",
}
DEVICE = st.fixed_dictionaries(
    {
        "client_type": st.sampled_from(ClientType),
        "chosen": st.sampled_from([None, "push", "digest", "off"]),
        "is_connected": st.booleans(),
        "quiet": st.sampled_from([None, "now", "at another time"]),
        "is_mine": st.sampled_from([True, True, False]),
    }
)
# Each of another account, as the devices of one have its choices.
PHONES = st.lists(
    DEVICE, min_size=1, max_size=4, unique_by=lambda phone: (phone["client_type"], phone["is_mine"])
)
numbers = iter(range(1000, 100_000))


def when(device: dict[str, Any], event: str) -> str:
    """Return when a device is notified: now, by its topic, later, or never."""
    if (device["client_type"], event) not in CHOICES:
        return "never"
    default, allowed = CHOICES[device["client_type"], event]
    mode = device["chosen"] if device["chosen"] in allowed else default
    is_for_all = event == "to all" or (device["client_type"], event) == ("user", "approved")
    if mode == "off" or not (is_for_all or device["is_mine"]):
        return "never"
    if event == "to all" and mode == "push" and device["quiet"] is None:
        return "by topic"
    if device["is_connected"]:
        return "never"
    return "later" if mode == "digest" or device["quiet"] == "now" else "now"


def quiet_hours(quiet: str | None) -> QuietHours | None:
    """Return hours that end in less than an hour, or that begin in two."""
    if quiet is None:
        return None
    begin, end = (-1, 0.9) if quiet == "now" else (2, 3)
    start, until = (
        datetime.fromtimestamp(time.time() + hours * HOUR, UTC).strftime("%H:%M")
        for hours in (begin, end)
    )
    return QuietHours(start=start, end=until, timezone="UTC")


@settings(max_examples=25)
@given(event=st.sampled_from([*EVENTS]), phones=PHONES)
def test_exactly_the_devices_of_the_table_are_notified_once(
    at: Clock, event: str, phones: list[dict[str, Any]]
) -> None:
    at(0)
    target = next(numbers)
    # An announcement is for the type of the first phone.
    client_type = phones[0]["client_type"]
    expected = {}
    for phone in phones:
        name = _registered(phone, event, target)
        concerns = "to" not in event or phone["client_type"] is client_type
        expected[name] = when(phone, event) if concerns else "never"
        is_in_topic = device_rows.find([_key(name)])[0].subscription is not None
        if event == "to all":
            assert not concerns or is_in_topic is (expected[name] == "by topic")
    before = {kind: len(announced(kind)) for kind in ClientType}
    publish(EVENTS[event](client_type, target))
    assert push.work() == []
    assert {name: len(pushed(name)) for name in expected} == {
        name: int(moment == "now") for name, moment in expected.items()
    }
    assert {kind: len(announced(kind)) - n for kind, n in before.items()} == {
        kind: int(event == "to all" and kind is client_type) for kind in ClientType
    }
    for hours in (1.1, 2.2):
        at(hours * HOUR)
        sweep({}, CONTEXT)
        assert push.work() == []
    shown = {name: pushed(name) for name in expected}
    assert {name: len(found) for name, found in shown.items()} == {
        name: int(moment in ("now", "later")) for name, moment in expected.items()
    }
    assert not any(secret in json.dumps(shown) for secret in ("Secret", "12.5", "admin_id"))


def _registered(phone: dict[str, Any], event: str, target: int) -> str:
    """Register a phone with its choices; return its id."""
    client_type = phone["client_type"]
    own = target if phone["is_mine"] else next(numbers)
    name = f"phone{next(numbers)}"
    identity = register(name, client_type, own)
    _, allowed = CHOICES.get((client_type, event), ("", ()))
    chosen: Any = {NAMES[event]: phone["chosen"]} if phone["chosen"] in allowed else {}
    devices.prefer(identity, Preferences(events=chosen, quiet_hours=quiet_hours(phone["quiet"])))
    if phone["is_connected"]:
        shop: Any = {"shop_id": own} if client_type is ClientType.SHOP else {}
        connect(f"{name}=", client_type, own, **shop)
    return name


def _key(device_id: str) -> digests.RowKey:
    rows = aws.dynamodb().scan(TableName="devices")["Items"]
    [row] = [row for row in rows if row["member"]["S"].endswith(f"#{device_id}")]
    return digests.RowKey(row["partition"]["S"], row["member"]["S"])


# --- What a phone gets ----------------------------------------------------------------------------


def test_a_push_has_the_text_of_the_phone_s_language_and_the_position_of_the_event() -> None:
    register("ru", ClientType.SHOP)
    register("de", ClientType.SHOP, locale="de_DE")
    event = approved(10)
    publish(event)
    push.work()
    [russian], [other] = pushed("ru"), pushed("de")
    assert russian["aps"]["alert"] == {
        "title": "Товар одобрен",
        "body": "«Платье {red}» теперь в каталоге.",
    }
    assert other["aps"]["alert"]["title"] == "Product approved"
    [(channel, position)] = history.known_positions(["shop"]).items()
    data = {name: russian[name] for name in ("id", "channel", "epoch", "seq")}
    assert data == {
        "id": event.id,
        "channel": channel,
        "epoch": position.epoch,
        "seq": str(position.seq),
    }


def test_a_push_by_fcm_has_the_same_data_and_a_tag_by_which_repeats_replace_it() -> None:
    register("phone", ClientType.USER, platform="fcm")
    event = announcement("user:1")
    publish(event)
    push.work()
    [text] = endpoint_of("phone").messages.values()
    message = json.loads(json.loads(text)["GCM"])["fcmV1Message"]["message"]
    assert message["notification"] == {"title": "Распродажа", "body": "Началась"}
    assert message["android"] == {"collapse_key": event.id, "notification": {"tag": event.id}}
    assert message["data"]["id"] == event.id


def test_repeats_of_apns_replace_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    register("phone", ClientType.USER)
    monkeypatch.setattr(aws.sns(), "publish", lambda **request: sent.append(request))
    event = announcement("user:1")
    publish(event)
    push.work()
    [request] = sent
    attributes = {n: of["StringValue"] for n, of in request["MessageAttributes"].items()}
    assert attributes["AWS.SNS.MOBILE.APNS.COLLAPSE_ID"] == event.id


def test_a_long_text_is_cut_to_what_apns_takes() -> None:
    register("phone", ClientType.USER)
    data = Announcement(to="user:1", title="🎉" * 200, text="🎉" * 4000, admin_id=1)
    publish(AnnouncementPublished(data=data))
    push.work()
    [text] = endpoint_of("phone").messages.values()
    assert len(json.loads(text)["APNS"].encode()) < 4096


@pytest.mark.parametrize("locale", ["tlh", "zh-Hant-TW", "ar_EG"])
def test_an_announcement_is_shown_as_it_was_written_in_any_language_of_a_phone(locale: str) -> None:
    register("phone", ClientType.USER, locale=locale)
    written = {"title": "مرحبا 👨‍👩‍👧", "text": "Ω"}
    publish(AnnouncementPublished(data=Announcement(to="user:1", admin_id=1, **written)))
    push.work()
    [shown] = pushed("phone")
    assert shown["aps"]["alert"] == {"title": written["title"], "body": written["text"]}


def test_products_of_one_publication_are_one_push() -> None:
    register("phone", ClientType.SHOP)
    publish(*(approved(10, n) for n in range(1, 22)))
    push.work()
    [shown] = pushed("phone")
    assert shown["aps"]["alert"] == {"title": "Новости", "body": "21 товар одобрен"}


# --- Digests and quiet hours ----------------------------------------------------------------------


def test_a_hundred_approvals_within_an_hour_are_one_digest(at: Clock) -> None:
    identity = register("phone", ClientType.USER)
    register("without", ClientType.USER, 2)
    devices.prefer(identity, Preferences(events={"product.approved": Mode.DIGEST}))
    for n in range(100):
        at(n * 30)
        publish(approved(10, n + 1))
        push.work()
    assert pushed("phone") == []
    for minute in range(59, 130, 10):
        at(minute * 60)
        sweep({}, CONTEXT)
        push.work()
    [shown] = pushed("phone")
    assert shown["aps"]["alert"]["body"] == "100 новых товаров"
    assert shown["seq"] == str(history.known_positions(["user"])["user"].seq)
    assert pushed("without") == []


def test_one_event_of_the_quiet_hours_is_shown_as_itself_and_several_by_their_number(
    at: Clock,
) -> None:
    for shop, events in ((10, 1), (11, 3)):
        identity = register(f"phone{shop}", ClientType.SHOP, shop)
        devices.prefer(identity, Preferences(quiet_hours=quiet_hours("now")))
        for n in range(events):
            publish(approved(shop, n + 1))
    push.work()
    at(HOUR)
    sweep({}, CONTEXT)
    push.work()
    [[one], [several]] = pushed("phone10"), pushed("phone11")
    assert one["aps"]["alert"]["title"] == "Товар одобрен"
    assert several["aps"]["alert"]["body"] == "3 товара одобрено"


# --- Faults ---------------------------------------------------------------------------------------


def test_a_digest_that_two_workers_have_sent_in_parts_is_due_no_more(at: Clock) -> None:
    """One of them had read it before it grew."""
    row = digests.key_of(ClientType.USER)
    first, second = (Entry("product.approved", "user", "e", seq) for seq in (1, 2))
    digests.owe(row, [first])
    at(HOUR)
    part = digests.read(row)
    digests.owe(row, [second])
    whole = digests.read(row)
    assert part
    assert whole
    digests.settle(row, part)
    digests.settle(row, whole)
    at(3 * HOUR)
    assert [*digests.due()] == []


def test_a_publisher_that_dies_between_any_two_calls_loses_no_push(at: Clock) -> None:
    register("phone", ClientType.SHOP)
    published = []
    for calls in count():
        at(0)
        event = approved(10)
        publication = history.commit([Change(None, [event])])
        published.append(event.id)
        with dying_after(calls) as has_died:
            with suppress(Crash):
                publishing.publish([publication])
            is_over = not has_died()
        at(40)
        sweep({}, CONTEXT)
        assert push.work() == []
        if is_over:
            break
    assert calls == 9
    assert ids("phone") == published


def test_a_worker_that_dies_between_any_two_calls_shows_each_event_once(at: Clock) -> None:
    register("shop phone", ClientType.SHOP)
    quiet = register("quiet phone", ClientType.SHOP, 11)
    digest = register("user phone", ClientType.USER)
    devices.prefer(digest, Preferences(events={"product.approved": Mode.DIGEST}))
    devices.prefer(quiet, Preferences(quiet_hours=quiet_hours("now")))
    published = []
    for calls in range(40):
        event = approved(10)
        publish(event, approved(11))
        published.append(event.id)
        has_died = _work_dying_after(calls)
        assert push.work() == []
    assert not has_died
    assert ids("shop phone") == published
    at(1.1 * HOUR)
    for calls in count():
        sweep({}, CONTEXT)
        if not _work_dying_after(calls):
            break
    assert push.work() == []
    quiet_text, digest_text = "40 товаров одобрено", "80 новых товаров"
    assert [each["aps"]["alert"]["body"] for each in pushed("quiet phone")] == [quiet_text]
    assert [each["aps"]["alert"]["body"] for each in pushed("user phone")] == [digest_text]


def _work_dying_after(calls: int) -> bool:
    """Do tasks of the queue; if the process dies, SQS delivers all of them again. Return whether.

    SQS may deliver those again that were done, too.
    """
    found: Any = aws.sqs().receive_message(
        QueueUrl=push.QUEUE, MaxNumberOfMessages=10, VisibilityTimeout=600
    )
    bodies = [message["Body"] for message in found.get("Messages", [])]
    with dying_after(calls) as has_died:
        with suppress(Crash):
            for body in bodies:
                pushing.work(push_tasks.parse(body))
        died = has_died()
    for body in bodies if died else ():
        aws.sqs().send_message(QueueUrl=push.QUEUE, MessageBody=body)
    return died


def failing(code: str, where: Callable[[Any], bool], send: Any) -> Callable[..., Any]:
    def publish(**request: Any) -> Any:
        if where(request):
            raise ClientError({"Error": {"Code": code, "Message": code}}, "Publish")
        return send(**request)

    return publish


def test_what_sns_does_not_take_is_tried_again_and_delays_no_other(
    monkeypatch: pytest.MonkeyPatch, delays: list[int]
) -> None:
    for n in range(3):
        token_of_another = identity_of(ClientType.SHOP, 100 + n, shop_id=10)
        devices.register(
            token_of_another, f"phone{n}", push.registration(push.token_for(f"phone{n}"))
        )
    busy = endpoint_of("phone1").arn
    send = aws.sns().publish
    fails = [5]

    def where(request: Any) -> bool:
        if request["TargetArn"] != busy or fails[0] == 0:
            return False
        fails[0] -= 1
        return True

    monkeypatch.setattr(aws.sns(), "publish", failing("Throttled", where, send))
    event = approved(10)
    publish(event)
    delays.clear()
    assert push.work() == []
    assert delays == [2, 4, 8, 16, 32]
    for n in range(3):
        assert times_pushed(f"phone{n}") == {event.id: 1}


def test_a_push_is_given_up_after_an_hour_and_a_half_as_a_dead_letter(
    monkeypatch: pytest.MonkeyPatch, delays: list[int]
) -> None:
    register("phone", ClientType.SHOP)
    monkeypatch.setattr(
        aws.sns(), "publish", failing("InternalError", lambda _: True, aws.sns().publish)
    )
    publish(approved(10))
    delays.clear()
    [failed] = push.work()
    assert json.loads(failed)["attempt"] == push_tasks.MAX_ATTEMPT
    assert HOUR < sum(delays) < 2 * HOUR


def test_a_missing_grant_is_a_dead_letter_at_once(
    monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    register("phone", ClientType.SHOP)
    monkeypatch.setattr(
        aws.sns(), "publish", failing("AuthorizationError", lambda _: True, aws.sns().publish)
    )
    publish(approved(10))
    assert len(push.work()) == 1
    assert "AuthorizationError" in logged()


def test_a_disabled_endpoint_is_forgotten_and_the_others_are_notified() -> None:
    register("phone", ClientType.SHOP)
    gone = identity_of(ClientType.SHOP, 100, shop_id=10)
    devices.register(gone, "gone", push.registration(push.token_for("gone")))
    endpoint_of("gone").attributes["Enabled"] = False
    publish(approved(10))
    assert push.work() == []
    assert len(pushed("phone")) == 1
    assert push.token_for("gone") not in {
        each.attributes["Token"] for each in push.backend().platform_endpoints.values()
    }
    assert len(device_rows.of_account(ClientType.SHOP, 100, 10)) == 0


def test_an_endpoint_that_sns_does_not_know_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    register("phone", ClientType.SHOP)

    def refuse(**_: Any) -> Any:
        message = "Invalid parameter: TargetArn Reason: No endpoint found for the target arn"
        raise ClientError({"Error": {"Code": "InvalidParameter", "Message": message}}, "Publish")

    monkeypatch.setattr(aws.sns(), "publish", refuse)
    publish(approved(10))
    assert push.work() == []
    assert device_rows.of_account(ClientType.SHOP, 10, 10) == []


def test_a_task_whose_event_has_expired_pushes_nothing(at: Clock) -> None:
    register("phone", ClientType.SHOP)
    publish(approved(10))
    aws.dynamodb().delete_item(
        TableName="history",
        Key=aws.to_item({"channel": "shop", "seq": history.known_positions(["shop"])["shop"].seq}),
    )
    assert push.work() == []
    assert pushed("phone") == []


def test_without_push_a_publication_puts_no_task_and_costs_nothing(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.configure(monkeypatch, management_url=management_api.url)
    monkeypatch.setattr(push_tasks, "_tasks_of", lambda *_: pytest.fail("a task was made"))
    publish(approved(10), announcement("user"))
    sweep({}, CONTEXT)
