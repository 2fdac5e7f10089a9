"""The platform's settings, and what follows them."""

import json
from typing import Any, get_type_hints

import pytest

from functions.approve.handler import handler as approve_handler
from functions.settings.handler import handler
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Answer, HttpCall, connect
from tests.aws.test_moderation import reject, submit
from vitrina import history, platform_settings
from vitrina.channels import ClientType
from vitrina.events import ChangedSettings
from vitrina.platform_settings import PlatformSettings

call = HttpCall(handler)
call_approve = HttpCall(approve_handler)

pytestmark = pytest.mark.usefixtures("management_api")

PATH = "/api/v1/admin/settings"
DEFAULTS = {
    "approval_fee": 5.0,
    "currency": "RUB",
    "longest_notes": 1000,
    "shortest_rejection_notes": 1,
}


def read() -> Answer:
    return call("GET", PATH, token=token_of(ClientType.ADMIN))


def write(version: int | None, **changes: Any) -> Answer:
    headers = {} if version is None else {"if-match": f'"{version}"'}
    token = token_of(ClientType.ADMIN)
    return call("PUT", PATH, DEFAULTS | changes, token=token, headers=headers)


def test_the_deployments_settings_are_in_force_until_somebody_changes_them() -> None:
    answer = read()
    assert (answer.status, answer.body, answer.headers["ETag"]) == (200, DEFAULTS, '"0"')


@pytest.mark.parametrize("client_type", ClientType)
def test_everyone_reads_the_settings_whose_changes_everyone_receives(
    client_type: ClientType,
) -> None:
    write(0, currency="USD")
    answer = call("GET", "/api/v1/settings", token=token_of(client_type))
    assert (answer.status, answer.headers["ETag"]) == (200, '"1"')
    assert answer.body == DEFAULTS | {"currency": "USD"}


def test_nobody_reads_the_settings_without_a_token() -> None:
    assert call("GET", "/api/v1/settings").status == 401


def test_a_change_is_published_to_everyone_with_the_changed_fields_only(
    management_api: ManagementApiStub,
) -> None:
    for client_type in ClientType:
        connect(client_type, client_type)
    answer = write(0, approval_fee=7.5)
    assert (answer.status, answer.headers["ETag"]) == (200, '"1"')
    assert answer.body == read().body == DEFAULTS | {"approval_fee": 7.5}
    assert set(management_api.received) == set(ClientType)
    for [body] in management_api.received.values():
        event = json.loads(body)
        assert event["event"] == "settings.updated"
        assert event["data"] == {"version": 1, "changed": {"approval_fee": 7.5}}


def test_an_approval_takes_the_fee_in_force_not_the_deployments() -> None:
    write(0, approval_fee=7.5)
    path = f"/api/v1/admin/products/{submit()}/approve"
    approved = call_approve("POST", path, token=token_of(ClientType.ADMIN))
    assert approved.body["product"]["approval_fee"] == 7.5


def test_notes_keep_to_the_limits_in_force() -> None:
    write(0, longest_notes=20, shortest_rejection_notes=10)
    product_id = submit()
    assert reject(product_id, "short").body["code"] == "notes_too_short"
    assert reject(product_id, "x" * 21).body["code"] == "notes_too_long"
    path = f"/api/v1/admin/products/{product_id}/approve"
    body = {"moderation_notes": "x" * 21}
    refused = call_approve("POST", path, body, token=token_of(ClientType.ADMIN))
    assert (refused.status, refused.body["code"]) == (422, "notes_too_long")
    assert reject(product_id, "x" * 20).status == 200


def test_of_two_changes_of_the_same_version_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert write(0, currency="USD").status == 200
    late = write(0, currency="EUR")
    assert (late.status, late.body["code"]) == (409, "settings_changed")
    in_force = platform_settings.read

    def read_then_lose() -> Any:
        monkeypatch.undo()
        found = in_force()
        assert write(1, currency="KZT").status == 200
        return found

    monkeypatch.setattr(platform_settings, "read", read_then_lose)
    racing = write(1, currency="EUR")
    assert (racing.status, racing.body["code"]) == (409, "settings_changed")
    assert read().body["currency"] == "KZT"


def test_a_change_names_the_version_it_changes() -> None:
    answer = write(None)
    assert (answer.status, answer.body["code"]) == (428, "version_missing")


def test_what_changes_nothing_is_no_event_and_no_version() -> None:
    assert write(0).headers["ETag"] == '"0"'
    assert list(history.unsent(-1)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"approval_fee": -1},
        {"approval_fee": 1.234},
        {"approval_fee": "NaN"},
        {"currency": "rubles"},
        {"longest_notes": 0},
        {"longest_notes": 1001},
        {"longest_notes": 5, "shortest_rejection_notes": 6},
        {"unknown": 1},
    ],
    ids=str,
)
def test_settings_that_break_a_rule_are_refused(changes: dict[str, Any]) -> None:
    assert write(0, **changes).status == 422
    assert read().headers["ETag"] == '"0"'


def test_settings_are_for_admins() -> None:
    assert call("GET", PATH, token=token_of(ClientType.SHOP)).status == 403
    assert call("GET", PATH).status == 401


def test_the_event_names_every_setting() -> None:
    assert set(get_type_hints(ChangedSettings)) == set(PlatformSettings.model_fields)
