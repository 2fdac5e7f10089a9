"""Approving: commit, then publish."""

import json
from typing import Any
from uuid import UUID

import pytest

from functions.approve.handler import handler
from harness.management_api import DROP, ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import (
    Answer,
    FanoutQueue,
    HttpCall,
    connect,
    stored_connections,
    unpublished,
)
from vitrina import auth, aws, connections, history, moderation, products
from vitrina.channels import ClientType
from vitrina.errors import Unavailable
from vitrina.products import Submission

call = HttpCall(handler)


@pytest.fixture(autouse=True)
def _connected(management_api: ManagementApiStub) -> None:
    connect("u1", ClientType.USER, account_id=1)
    connect("u2", ClientType.USER, account_id=2)
    connect("s1", ClientType.SHOP)
    connect("a1", ClientType.ADMIN)


def submit(name: str = "Красное платье") -> int:
    shop = auth.verify(token_of(ClientType.SHOP))
    with unpublished():
        return moderation.submit(Submission(product_name=name), shop).product_id


def approve(product_id: object, body: Any = None, token: str | None = None) -> Answer:
    path = f"/api/v1/admin/products/{product_id}/approve"
    return call("POST", path, body, token=token or token_of(ClientType.ADMIN))


def bulk(body: Any) -> Answer:
    return call(
        "POST", "/api/v1/admin/products/bulk-approve", body, token=token_of(ClientType.ADMIN)
    )


def status_of(product_id: int) -> str:
    return products.get(product_id, auth.verify(token_of(ClientType.ADMIN))).moderation_status


def test_an_approval_reaches_every_user_shop_and_admin_with_its_eight_fields(
    management_api: ManagementApiStub,
) -> None:
    answer = approve(submit(), {"moderation_notes": "Отличный товар"})
    assert answer.status == 200
    assert answer.body["product"]["moderation_status"] == "approved"
    assert answer.body["broadcast"] | {"event_ids": []} == {
        "event_ids": [],
        "delivered": 4,
        "gone": 0,
        "queued": 0,
    }
    assert set(management_api.received) == {"u1", "u2", "s1", "a1"}
    for bodies in management_api.received.values():
        [body] = bodies
        event = json.loads(body)
        assert event["event"] == "product.approved"
        assert event["id"] == answer.body["broadcast"]["event_ids"][0]
        assert list(event["data"].items()) == [
            ("product_id", 1),
            ("product_name", "Красное платье"),
            ("shop_id", 10),
            ("shop_name", "Fashion Store"),
            ("moderation_status", "approved"),
            ("moderation_notes", "Отличный товар"),
            ("admin_id", 1),
            ("approval_fee", 5.0),
        ]


@pytest.mark.parametrize("body", [None, {}, {"moderation_notes": None}])
def test_notes_are_optional(management_api: ManagementApiStub, body: Any) -> None:
    assert approve(submit(), body).status == 200
    event = json.loads(management_api.received["u1"][0])
    assert event["data"]["moderation_notes"] == ""


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("", 401, "token_missing"),
        ("garbage", 401, "token_invalid"),
        (ClientType.USER, 403, "client_type_forbidden"),
        (ClientType.SHOP, 403, "client_type_forbidden"),
    ],
)
def test_only_an_admin_may(
    management_api: ManagementApiStub, token: str, status: int, code: str
) -> None:
    product_id = submit()
    bearer = token_of(ClientType(token)) if isinstance(token, ClientType) else token
    answer = call("POST", f"/api/v1/admin/products/{product_id}/approve", token=bearer)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert status_of(product_id) == "pending"
    assert not management_api.requests


@pytest.mark.parametrize(
    ("product_id", "body", "status", "code"),
    [
        (404, None, 404, "product_not_found"),
        ("x", None, 422, "request_invalid"),
        ("0", None, 422, "request_invalid"),
        ("-1", None, 422, "request_invalid"),
        ("1.5", None, 422, "request_invalid"),
        ("9" * 40, None, 422, "request_invalid"),
        ("+1", None, 422, "request_invalid"),
        ("01", None, 422, "request_invalid"),
        ("1.0", None, 422, "request_invalid"),
        ("1\n", None, 404, "route_not_found"),
        (1, "{", 400, "body_not_json"),
        (1, "[" * 10_000, 400, "body_not_json"),
        (1, '{"moderation_notes":NaN}', 400, "body_not_json"),
        (1, '{"moderation_notes":"\\ud800"}', 400, "body_not_json"),
        (1, "[]", 422, "request_invalid"),
        (1, {"moderation_notes": 5}, 422, "request_invalid"),
        (1, {"moderation_notes": "x" * 1001}, 422, "request_invalid"),
        (1, {"moderation_notes": "\u3164"}, 422, "request_invalid"),
        (1, {"moderation_notes": "\u202egood"}, 422, "request_invalid"),
        (1, {"notes": "misspelt"}, 422, "request_invalid"),
        (1, f'{{"moderation_notes":"{"x" * 70_000}"}}', 413, "body_too_large"),
        (1, f'{{"moderation_notes":"{"Ж" * 35_000}"}}', 413, "body_too_large"),
        (1, "x" * 10_000_000, 413, "body_too_large"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_request_is_refused_precisely_and_writes_nothing(
    management_api: ManagementApiStub, product_id: object, body: Any, status: int, code: str
) -> None:
    submit()
    answer = approve(product_id, body)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) >= {"type", "title", "status", "code", "detail"}
    assert status_of(1) == "pending"
    assert not management_api.requests


def test_another_content_type_is_refused() -> None:
    path = f"/api/v1/admin/products/{submit()}/approve"
    answer = call(
        "POST",
        path,
        "moderation_notes=x",
        token=token_of(ClientType.ADMIN),
        headers={"content-type": "text/plain"},
    )
    assert (answer.status, answer.body["code"]) == (415, "content_type_unsupported")


def test_a_second_approval_changes_nothing_and_publishes_nothing(
    management_api: ManagementApiStub,
) -> None:
    product_id = submit()
    assert approve(product_id, {"moderation_notes": "first"}).status == 200
    answer = approve(product_id, {"moderation_notes": "second"})
    assert (answer.status, answer.body["code"]) == (409, "already_moderated")
    assert len(management_api.received["u1"]) == 1
    admin = auth.verify(token_of(ClientType.ADMIN))
    assert products.get(product_id, admin).moderation_notes == "first"


def test_an_approval_whose_answer_is_lost_is_recognised_when_boto3_repeats_it() -> None:
    """DynamoDB does, by a token that every repetition of one call carries; here: it is sent."""
    sent: list[str] = []

    def remember(params: dict[str, Any], **_: Any) -> None:
        sent.append(json.loads(params["body"])["ClientRequestToken"])

    event = "before-call.dynamodb.TransactWriteItems"
    product_id = submit()
    aws.dynamodb().meta.events.register(event, remember)
    try:
        assert approve(product_id).status == 200
    finally:
        aws.dynamodb().meta.events.unregister(event, remember)
    assert len(sent) == 1
    assert UUID(sent[0]).version == 4


def test_gone_connections_are_forgotten_by_the_id_that_failed(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_HANDSHAKE_SECONDS", 0)
    management_api.answers = {"u1": [410], "a1": [500]}
    management_api.behave = lambda connection_id: DROP if connection_id == "s1" else 200
    broadcast = approve(submit()).body["broadcast"]
    assert (broadcast["delivered"], broadcast["gone"], broadcast["queued"]) == (2, 1, 1)
    assert stored_connections() == {"u2", "s1", "a1"}
    assert set(management_api.received) == {"u2", "a1"}


def test_a_broadcast_that_fails_never_fails_the_approval(
    management_api: ManagementApiStub,
) -> None:
    management_api.answers = {name: [403] for name in ("u1", "u2", "s1", "a1")}
    answer = approve(submit())
    assert answer.status == 200
    assert answer.body["broadcast"]["delivered"] == 0
    assert len(answer.body["broadcast"]["event_ids"]) == 1
    assert stored_connections() == {"u1", "u2", "s1", "a1"}
    assert status_of(1) == "approved"


def test_an_approval_that_cannot_be_committed_is_neither_stored_nor_published(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> Any:
        raise Unavailable("busy", "not now")

    product_id = submit()
    monkeypatch.setattr(history, "commit", busy)
    answer = approve(product_id)
    assert (answer.status, answer.body["code"]) == (503, "busy")
    assert bulk({"product_ids": [product_id]}).body["results"] == [
        {"product_id": product_id, "result": "busy"}
    ]
    assert status_of(product_id) == "pending"
    assert not management_api.requests


def test_bulk_says_for_each_product_what_became_of_it(management_api: ManagementApiStub) -> None:
    first, second, third = submit("Раз"), submit("Два"), submit("Три")
    approve(second)
    management_api.received.clear()
    answer = bulk({"product_ids": [third, 404, second, first, third], "moderation_notes": "Да"})
    assert answer.status == 200
    assert answer.body["results"] == [
        {"product_id": third, "result": "approved"},
        {"product_id": 404, "result": "not_found"},
        {"product_id": second, "result": "already_moderated"},
        {"product_id": first, "result": "approved"},
    ]
    assert len(answer.body["broadcast"]["event_ids"]) == 2
    for bodies in management_api.received.values():
        assert [json.loads(body)["data"]["product_name"] for body in bodies] == ["Три", "Раз"]


def edit(product_id: int, name: str = "Другое") -> None:
    shop = auth.verify(token_of(ClientType.SHOP))
    with unpublished():
        moderation.resubmit(product_id, Submission(product_name=name), shop).product(product_id)


def test_bulk_decides_on_the_versions_that_were_seen(management_api: ManagementApiStub) -> None:
    new, edited, edited_again = submit("Раз"), submit("Два"), submit("Три")
    edit(edited)
    edit(edited_again)
    edit(edited_again)
    seen = {new: 1, edited: 2, edited_again: 2, 404: 1}
    body = {"products": [{"product_id": each, "version": seen[each]} for each in seen]}
    answer = bulk(body)
    assert answer.status == 200
    assert answer.body["results"] == [
        {"product_id": new, "result": "approved"},
        {"product_id": edited, "result": "approved"},
        {"product_id": edited_again, "result": "product_changed"},
        {"product_id": 404, "result": "not_found"},
    ]
    assert status_of(edited_again) == "pending"
    assert len(management_api.received["u1"]) == 2


def test_bulk_without_versions_approves_what_was_never_edited() -> None:
    new, edited = submit("Раз"), submit("Два")
    edit(edited)
    assert bulk({"product_ids": [edited, new]}).body["results"] == [
        {"product_id": edited, "result": "version_missing"},
        {"product_id": new, "result": "approved"},
    ]
    assert status_of(edited) == "pending"


def test_bulk_refuses_a_version_in_a_header_instead_of_ignoring_it(
    management_api: ManagementApiStub,
) -> None:
    path, body = "/api/v1/admin/products/bulk-approve", {"product_ids": [submit()]}
    headers = {"if-match": '"1"'}
    answer = call("POST", path, body, token=token_of(ClientType.ADMIN), headers=headers)
    assert (answer.status, answer.body["code"]) == (422, "request_invalid")
    assert "If-Match" in answer.body["detail"]
    assert "products" in answer.body["detail"]
    assert status_of(1) == "pending"
    assert not management_api.requests
    # Who may not approve learns nothing of the rest.
    assert call("POST", path, body, headers=headers).body["code"] == "token_missing"
    foreign = call("POST", path, body, headers=headers, token=token_of(ClientType.SHOP))
    assert foreign.body["code"] == "client_type_forbidden"


def test_a_busy_channel_is_busy_after_one_commit(
    management_api: ManagementApiStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit has tried for long: reading the products again would not help."""
    commits = []

    def busy(*_: Any) -> Any:
        commits.append(1)
        raise Unavailable("busy", "not now")

    product_id = submit()
    monkeypatch.setattr(history, "commit", busy)
    assert approve(product_id).body["code"] == "busy"
    assert len(commits) == 1


def test_a_hundred_products_are_approved_in_five_transactions_with_one_event_each_in_order(
    management_api: ManagementApiStub, fanout_queue: FanoutQueue
) -> None:
    """A product, its three rows, and the three heads once: 24 products make 99 items."""
    product_ids = [submit(f"Товар {n}") for n in range(100)]
    sizes: list[int] = []

    def remember(params: dict[str, Any], **_: Any) -> None:
        sizes.append(len(json.loads(params["body"])["TransactItems"]))

    event = "before-call.dynamodb.TransactWriteItems"
    aws.dynamodb().meta.events.register(event, remember)
    try:
        answer = bulk({"product_ids": product_ids})
    finally:
        aws.dynamodb().meta.events.unregister(event, remember)
    assert {result["result"] for result in answer.body["results"]} == {"approved"}
    assert sizes == [99, 99, 99, 99, 19]
    assert fanout_queue.work() == []
    for bodies in management_api.received.values():
        assert [json.loads(body)["data"]["product_id"] for body in bodies] == product_ids


@pytest.mark.parametrize(
    "body",
    [
        *(None, {}, {"product_ids": []}, {"product_ids": list(range(1, 102))}),
        *({"product_ids": ["x"]}, {"product_ids": None}, {"product_ids": ["1"]}, {"products": []}),
        {"products": [{"product_id": 1, "version": 1}] * 101},
        {"products": [{"product_id": 1}]},
        {"products": [{"product_id": 1, "version": 0}]},
        {"products": [{"product_id": 1, "version": "1"}]},
        {"products": [{"product_id": 1, "version": 1}], "product_ids": [1]},
        {"products": [{"product_id": 1, "version": 1}], "product_ids": []},
        {"products": [{"product_id": 1, "version": 1}, {"product_id": 1, "version": 2}]},
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bulk_request_has_one_to_a_hundred_ids(body: Any) -> None:
    assert (bulk(body).status, bulk(body).body["code"]) == (422, "request_invalid")
