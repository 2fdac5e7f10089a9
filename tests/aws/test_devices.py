"""Devices: registered by a session, owned by one account, ended with both."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given
from hypothesis import strategies as st
from moto.core.models import DEFAULT_ACCOUNT_ID

from functions.devices.handler import handler as devices_handler
from functions.sweep.handler import handler as sweep
from harness.gateway_events import CONTEXT
from harness.tokens import token_of
from tests.aws import push
from tests.aws.conftest import Clock, HttpCall
from tests.aws.push import (
    Crash,
    dying_after,
    endpoint_of,
    register,
    registration,
    token_for,
)
from vitrina import aws, closing, device_rows, devices, endings, endpoints, preferences
from vitrina.channels import ClientType
from vitrina.errors import Unauthorized
from vitrina.preferences import Preferences, QuietHours

call = HttpCall(devices_handler)
DEVICE = "/api/v1/me/devices/phone"
CHOICE = "/api/v1/me/notifications"
BODY: dict[str, Any] = registration(token_for("phone")).model_dump(mode="json")

pytestmark = pytest.mark.usefixtures("management_api")


@pytest.fixture(autouse=True)
def _push(management_api: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    push.turn_on(monkeypatch, management_url=management_api.url)  # type: ignore[attr-defined]
    with push.without_delays():
        yield


def names() -> set[str]:
    """Return the last parts of the keys of all devices."""
    rows = aws.dynamodb().scan(TableName="devices")["Items"]
    return {row["member"]["S"] for row in rows if "endpoint" in row}


def owners() -> int:
    rows = aws.dynamodb().scan(TableName="devices")["Items"]
    return sum("owned_by" in row for row in rows)


def tokens() -> list[str]:
    return [each.attributes["Token"] for each in push.backend().platform_endpoints.values()]


def topic_size(client_type: ClientType) -> int:
    found = aws.sns().list_subscriptions_by_topic(TopicArn=f"{push.TOPICS}{client_type}")
    return len(found["Subscriptions"])


# --- Registering ----------------------------------------------------------------------------------


def test_a_phone_is_registered_at_each_start_and_removed(calls: list[str]) -> None:
    token = token_of(ClientType.USER)
    for _ in range(3):
        assert call("PUT", DEVICE, BODY, token=token).status == 204
    assert names() == {"1#1#phone"}
    assert tokens() == [token_for("phone")]
    assert topic_size(ClientType.USER) == 1
    calls.clear()
    assert call("PUT", DEVICE, BODY, token=token).status == 204
    assert not {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"} & {*calls}
    for _ in range(2):
        assert call("DELETE", DEVICE, token=token).status == 204
    assert (names(), tokens(), owners(), topic_size(ClientType.USER)) == (set(), [], 0, 0)


def test_without_an_application_push_is_off_and_reads_nothing(
    monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    from harness import deployment

    token = token_of(ClientType.USER)
    deployment.configure(monkeypatch)
    token_of(ClientType.USER)
    for method, path, body in (
        ("PUT", DEVICE, BODY),
        ("DELETE", DEVICE, None),
        ("GET", CHOICE, None),
        ("PUT", CHOICE, {}),
    ):
        answer = call(method, path, body, token=token)
        assert (answer.status, answer.body["code"]) == (404, "push_off")


def test_a_platform_without_an_application_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness import deployment

    app = f"arn:aws:sns:eu-central-1:{DEFAULT_ACCOUNT_ID}:app/GCM/vitrina"
    deployment.configure(monkeypatch, push_apps=(app,))
    answer = call("PUT", DEVICE, BODY, token=token_of(ClientType.USER))
    assert answer.body["code"] == "push_off"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platform", "gcm"),
        ("token", "a b" * 9),
        ("token", "a" * 1025),
        ("locale", "русский"),
        ("timezone", "../etc/passwd"),
        ("timezone", "Europe/" + "x" * 33),
        ("app_version", "1\n0"),
        ("more", "x"),
    ],
)
def test_what_a_phone_says_of_itself_is_validated(field: str, value: str) -> None:
    answer = call("PUT", DEVICE, BODY | {field: value}, token=token_of(ClientType.USER))
    assert answer.body["code"] == "request_invalid"


def test_a_disabled_or_deleted_endpoint_and_a_new_token_are_mended() -> None:
    register("phone", ClientType.USER)
    endpoint = endpoint_of("phone")
    endpoint.attributes["Enabled"] = False
    register("phone", ClientType.USER)
    assert endpoint_of("phone").enabled
    aws.sns().delete_endpoint(EndpointArn=endpoint.arn)
    register("phone", ClientType.USER)
    assert endpoint_of("phone").arn != endpoint.arn
    devices.register(push.identity_of(ClientType.USER), "phone", registration("b" * 64))
    assert tokens() == ["b" * 64]
    assert owners() == len(names()) == 1


def test_a_token_leaves_the_account_that_had_it() -> None:
    register("phone", ClientType.USER, 1)
    register("phone", ClientType.USER, 2)
    assert names() == {"2#2#phone"}
    # The endpoint may be new; the token has one.
    assert tokens() == [token_for("phone")]
    devices.register(push.identity_of(ClientType.SHOP), "p", registration(token_for("phone")))
    assert names() == {"10#10#p"}
    assert (owners(), topic_size(ClientType.USER), topic_size(ClientType.SHOP)) == (1, 0, 1)


def test_an_app_that_is_installed_anew_leaves_its_former_device() -> None:
    identity = register("phone", ClientType.USER)
    devices.register(identity, "another", registration(token_for("phone")))
    assert names() == {"1#1#another"}
    assert (tokens(), owners(), topic_size(ClientType.USER)) == ([token_for("phone")], 1, 1)


def test_a_registration_that_dies_between_any_two_calls_is_repeated_or_expires(at: Clock) -> None:
    """The token is another account's, whose device goes when the registration is complete."""
    identity = push.identity_of(ClientType.USER, 2)
    for calls in range(100):
        at(100 * calls)
        register("phone", ClientType.USER, 1)
        with dying_after(calls) as has_died, suppress(Crash):
            devices.register(identity, "phone", registration(token_for("phone")))
        if not has_died():
            break
        if calls % 2:  # the app may not come back at once
            at(100 * calls + 61)
            assert device_rows.of_account(ClientType.USER, 2, None) == []
        devices.register(identity, "phone", registration(token_for("phone")))
        assert names() == {"2#2#phone"}
        assert owners() == len(tokens()) == topic_size(ClientType.USER) == 1
    assert calls == 18
    assert names() == {"2#2#phone"}


def test_an_account_has_as_many_devices_as_sessions(at: Clock) -> None:
    for n in range(15):
        at(n)
        register(f"phone{n}", ClientType.USER)
    assert names() == {f"1#1#phone{n}" for n in range(3, 15)}
    assert len(tokens()) == owners() == topic_size(ClientType.USER) == 12


def test_a_flood_of_changes_is_refused_and_starts_of_an_app_are_not() -> None:
    token = token_of(ClientType.USER)
    answers = [call("PUT", CHOICE, {}, token=token) for _ in range(31)]
    assert [each.status for each in answers[29:]] == [200, 429]
    other = token_of(ClientType.USER, 2)
    assert {call("PUT", DEVICE, BODY, token=other).status for _ in range(40)} == {204}
    assert call("PUT", CHOICE, {}, token=other).status == 200


def test_a_flood_of_tokens_for_one_device_is_refused() -> None:
    """Each would be two requests to SNS, whose limit all accounts share."""
    token = token_of(ClientType.USER)
    answers = [
        call("PUT", DEVICE, BODY | {"token": token_for(f"phone{n}")}, token=token).status
        for n in range(31)
    ]
    assert answers == [204] * 30 + [429]
    assert tokens() == [token_for("phone29")]


def test_a_token_of_apns_in_capitals_is_the_same_phone() -> None:
    for account_id, token in ((1, "AB" * 32), (2, "ab" * 32)):
        identity = push.identity_of(ClientType.USER, account_id)
        devices.register(identity, "phone", registration(token))
    assert (names(), tokens(), owners()) == ({"2#2#phone"}, ["ab" * 32], 1)


def test_a_token_of_fcm_is_taken_as_it_is() -> None:
    identity = push.identity_of(ClientType.USER)
    devices.register(identity, "phone", registration("AbCdEfGh:xY", platform="fcm"))
    assert tokens() == ["AbCdEfGh:xY"]


def test_a_token_is_in_no_log_line(
    monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    token, mine = token_of(ClientType.USER), token_for("phone")
    call("PUT", DEVICE, BODY, token=token)

    def refuse(code: str) -> Callable[..., Any]:
        def create(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": code, "Message": mine}}, "CreatePlatformEndpoint")

        return create

    for code, answered in (
        ("InvalidParameter", "request_invalid"),
        ("Throttled", "busy"),
        ("AuthorizationError", "internal_error"),
    ):
        monkeypatch.setattr(aws.sns(), "create_platform_endpoint", refuse(code))
        answer = call("PUT", f"{DEVICE}2", BODY, token=token)
        assert answer.body["code"] == answered
        assert mine not in str(answer)
    assert mine not in logged()


# --- Ending ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["session", "account"])
def test_a_device_ends_with_its_session_and_its_account(ends: str) -> None:
    mine = register("phone", ClientType.USER)
    another = push.identity_of(ClientType.USER, new_session=True)
    devices.register(another, "tablet", registration(token_for("tablet")))
    register("other", ClientType.USER, 2)
    if ends == "session":
        assert mine.session_id
        closing.end_session(ClientType.USER, 1, mine.session_id)
        assert len(names()) == len(tokens()) == 2
    else:
        closing.disconnect(ClientType.USER, 1)
        assert names() == {"2#2#other"}
        assert len(tokens()) == topic_size(ClientType.USER) == 1


def test_a_crash_between_the_end_and_the_removal_is_swept_up(at: Clock) -> None:
    mine = register("phone", ClientType.USER)
    assert mine.session_id
    endings.end_session(ClientType.USER, 1, mine.session_id)
    at(40)
    sweep({}, CONTEXT)
    assert (names(), tokens(), owners()) == (set(), [], 0)


def test_a_session_that_ends_while_its_phone_is_registered_leaves_no_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settle = endpoints.settle

    def end_first(*arguments: Any) -> str:
        closing.disconnect(ClientType.USER, 1)
        return settle(*arguments)

    monkeypatch.setattr(endpoints, "settle", end_first)
    with pytest.raises(Unauthorized):
        register("phone", ClientType.USER)
    assert (names(), tokens()) == (set(), [])


def test_a_phone_that_is_not_seen_for_sixty_days_is_forgotten(at: Clock) -> None:
    register("phone", ClientType.USER)
    at(59 * 86_400)
    sweep({}, CONTEXT)
    assert push.work() == []
    assert len(names()) == 1
    at(60 * 86_400 + 1)
    sweep({}, CONTEXT)
    assert push.work() == []
    assert (names(), tokens(), owners(), topic_size(ClientType.USER)) == (set(), [], 0, 0)


# --- Choosing -------------------------------------------------------------------------------------


def test_an_account_reads_and_chooses_what_it_is_notified_of() -> None:
    shop = token_of(ClientType.SHOP)
    defaults = {
        "announcement.published": "push",
        "product.approved": "push",
        "product.rejected": "push",
        "product.withdrawn": "push",
    }
    assert call("GET", CHOICE, token=shop).body == {"events": defaults, "quiet_hours": None}
    user = call("GET", CHOICE, token=token_of(ClientType.USER)).body
    assert user["events"] == {"product.approved": "off", "announcement.published": "push"}
    quiet = {"start": "22:00", "end": "07:00", "timezone": None}
    choice = {"events": {"product.approved": "digest"}, "quiet_hours": quiet}
    whole = choice | {"events": defaults | {"product.approved": "digest"}}
    assert call("PUT", CHOICE, choice, token=shop).body == whole
    assert call("GET", CHOICE, token=shop).body == whole


@pytest.mark.parametrize(
    "choice",
    [
        {"events": {"product.approved": "push"}},
        {"events": {"product.rejected": "off"}},
        {"events": {"product.submitted": "off"}},
        {"events": {"product.approved": "never"}},
        {"quiet_hours": {"start": "22:00", "end": "22:00"}},
        {"quiet_hours": {"start": "22:00", "end": "24:00"}},
        {"quiet_hours": {"start": "22:00", "end": "07:00", "timezone": "Mars/Olympus"}},
    ],
)
def test_what_a_user_cannot_choose_is_refused(choice: Any) -> None:
    answer = call("PUT", CHOICE, choice, token=token_of(ClientType.USER))
    assert answer.body["code"] == "request_invalid"


def test_a_choice_that_overtakes_a_registration_is_the_one_that_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SNS was asked to subscribe by the older choice, after the newer one had been written."""
    identity = push.identity_of(ClientType.USER)
    off = Preferences(events={"announcement.published": "off"})
    subscribe = endpoints.subscribe

    def choose_first(*arguments: Any) -> str | None:
        monkeypatch.setattr(endpoints, "subscribe", subscribe)
        devices.prefer(identity, off)
        return subscribe(*arguments)

    monkeypatch.setattr(endpoints, "subscribe", choose_first)
    devices.register(identity, "phone", registration(token_for("phone")))
    assert topic_size(ClientType.USER) == 0
    assert call("PUT", CHOICE, {}, token=token_of(ClientType.USER)).status == 200
    assert topic_size(ClientType.USER) == 1


def test_a_subscription_whose_answer_was_lost_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe = endpoints.subscribe
    monkeypatch.setattr(endpoints, "subscribe", lambda *each: subscribe(*each) and None)
    identity = register("phone", ClientType.USER)
    assert topic_size(ClientType.USER) == 1
    devices.prefer(identity, Preferences(events={"announcement.published": "off"}))
    assert topic_size(ClientType.USER) == 0


def test_a_subscription_whose_answer_was_lost_ends_when_another_type_takes_the_phone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscribe = endpoints.subscribe
    with monkeypatch.context() as patch:
        patch.setattr(endpoints, "subscribe", lambda *each: subscribe(*each) and None)
        register("phone", ClientType.USER)
    register("phone", ClientType.ADMIN)
    assert (topic_size(ClientType.USER), topic_size(ClientType.ADMIN)) == (0, 1)


def test_a_choice_that_another_type_overtakes_leaves_the_phone_out_of_its_topic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SNS was asked to subscribe the phone after the other account had taken it."""
    identity = register("phone", ClientType.USER)
    subscribe = endpoints.subscribe

    def be_overtaken(*arguments: Any) -> str | None:
        monkeypatch.setattr(endpoints, "subscribe", subscribe)
        register("phone", ClientType.ADMIN)
        return subscribe(*arguments)

    monkeypatch.setattr(endpoints, "subscribe", be_overtaken)
    devices.prefer(identity, Preferences())
    assert (topic_size(ClientType.USER), topic_size(ClientType.ADMIN)) == (0, 1)


def test_a_busy_sns_leaves_a_subscription_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = register("phone", ClientType.USER)
    with monkeypatch.context() as patch:
        patch.setattr(endpoints, "subscribe", lambda *_: None)
        devices.prefer(identity, Preferences())
    [device] = device_rows.of_account(ClientType.USER, 1, None)
    assert device.subscription
    monkeypatch.setattr(endpoints, "unsubscribe", busy)
    off = {"events": {"announcement.published": "off"}}
    answer = call("PUT", CHOICE, off, token=token_of(ClientType.USER))
    assert answer.body["code"] == "busy"


def busy(_: str) -> None:
    raise ClientError({"Error": {"Code": "Throttled", "Message": ""}}, "Unsubscribe")


def test_the_end_of_one_account_leaves_the_phone_s_next_one_in_the_topic() -> None:
    """Its removal was under way when another account of the same type took the phone."""
    mine = register("phone", ClientType.USER, 1)
    [before] = device_rows.of_account(ClientType.USER, 1, None)
    row = device_rows.read(before.key)
    register("phone", ClientType.USER, 2)
    devices._remove_row(before.key, row)
    assert mine.account_id == 1
    assert topic_size(ClientType.USER) == 1


def test_a_device_whose_registration_was_interrupted_ends_with_its_session(at: Clock) -> None:
    """SNS does not know that the row has expired."""
    mine = register("phone", ClientType.USER)
    [device] = device_rows.of_account(ClientType.USER, 1, None)
    device_rows.update(device.key, {"expires_at": int(time.time()) + 60})
    at(61)
    assert mine.session_id
    closing.end_session(ClientType.USER, 1, mine.session_id)
    assert (names(), tokens(), owners(), topic_size(ClientType.USER)) == (set(), [], 0, 0)


def test_choices_hold_for_all_devices_and_an_older_one_is_not_written_over_a_newer_one() -> None:
    identity = register("phone", ClientType.USER)
    older = preferences.replace("user:1", Preferences())
    devices.prefer(identity, Preferences(events={"product.approved": "digest"}))
    register("tablet", ClientType.USER)
    own = device_rows.of_account(ClientType.USER, 1, None)
    devices._follow(own[0], older)
    own = device_rows.of_account(ClientType.USER, 1, None)
    assert [dict(each.modes) for each in own] == [{"product.approved": "digest"}] * 2


def test_quiet_hours_and_other_modes_leave_the_topic() -> None:
    identity = register("phone", ClientType.USER)
    quiet = QuietHours(start="22:00", end="07:00")
    for choice in (
        Preferences(quiet_hours=quiet),
        Preferences(events={"announcement.published": "digest"}),
        Preferences(events={"announcement.published": "off"}),
    ):
        devices.prefer(identity, choice)
        assert topic_size(ClientType.USER) == 0
        devices.prefer(identity, Preferences())
        assert topic_size(ClientType.USER) == 1


@pytest.mark.parametrize("timezone", ["Etc/Unknown", "America/Not_Yet", "Europe"])
def test_a_phone_in_a_time_zone_that_is_not_known_here_has_its_quiet_hours_in_utc(
    timezone: str,
) -> None:
    answer = call("PUT", DEVICE, BODY | {"timezone": timezone}, token=token_of(ClientType.USER))
    assert answer.status == 204
    [device] = device_rows.of_account(ClientType.USER, 1, None)
    quiet = QuietHours(start="00:00", end="01:00")
    assert quiet.end_after(0, device.timezone) == 3600


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("hours", "moment", "end"),
    [
        # The clock changes in between.
        ("22:00-07:00", "2026-03-28T22:30:00+01:00", "2026-03-29T07:00:00+02:00"),
        ("22:00-07:00", "2026-03-29T06:59:59+02:00", "2026-03-29T07:00:00+02:00"),
        ("22:00-07:00", "2026-03-29T07:00:00+02:00", None),
        ("22:00-07:00", "2026-03-28T21:59:59+01:00", None),
        # The end comes twice, or not at all.
        ("22:00-02:30", "2026-10-25T02:10:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("22:00-02:30", "2026-10-25T02:10:00+01:00", "2026-10-25T02:30:00+01:00"),
        ("22:00-02:30", "2026-03-29T01:59:59+01:00", "2026-03-29T03:30:00+02:00"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(hours: str, moment: str, end: str | None) -> None:
    seconds = datetime.fromisoformat(moment).timestamp()
    start, until = hours.split("-")
    found = QuietHours(start=start, end=until).end_after(seconds, BERLIN.key)
    assert found == (datetime.fromisoformat(end).timestamp() if end else None)


DAY_TIMES = st.times().map(lambda time: time.strftime("%H:%M"))


@given(
    hours=st.tuples(DAY_TIMES, DAY_TIMES).filter(lambda hours: hours[0] != hours[1]),
    moment=st.floats(0, 4e9),
    zone=st.timezone_keys(),
)
@example(hours=("22:00", "02:30"), moment=1_792_890_600, zone=BERLIN.key)
def test_quiet_hours_end_after_the_moment_in_every_time_zone(
    hours: tuple[str, str], moment: float, zone: str
) -> None:
    start, end = hours
    found = QuietHours(start=start, end=end).end_after(moment, zone)
    # A day, and what clocks are set back by.
    assert found is None or moment < found <= moment + 26 * 3600
