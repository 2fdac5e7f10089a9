"""Rejecting, resubmitting, the queue, and decisions that meet."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.approve.handler import handler as approve_handler
from functions.products.handler import handler as products_handler
from functions.reject.handler import handler as reject_handler
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Answer, Clock, HttpCall, connect, unpublished
from vitrina import auth, aws, moderation, products
from vitrina.channels import ClientType
from vitrina.products import Submission

call_approve = HttpCall(approve_handler)
call_products = HttpCall(products_handler)
call_reject = HttpCall(reject_handler)

pytestmark = pytest.mark.usefixtures("management_api")


def shop_token(shop_id: int = 10) -> str:
    return token_of(ClientType.SHOP, shop_id=shop_id, shop_name=f"Shop {shop_id}")


def submit(shop_id: int = 10, name: str = "Красное платье") -> int:
    shop = auth.verify(shop_token(shop_id))
    with unpublished():
        return moderation.submit(Submission(product_name=name), shop).product_id


def reject(product_id: object, notes: object = "Нет фотографии", **more: Any) -> Answer:
    path = f"/api/v1/admin/products/{product_id}/reject"
    more = {"token": token_of(ClientType.ADMIN)} | more
    return call_reject("POST", path, {"moderation_notes": notes}, **more)


def approve(product_id: object, **more: Any) -> Answer:
    path = f"/api/v1/admin/products/{product_id}/approve"
    return call_approve("POST", path, **{"token": token_of(ClientType.ADMIN)} | more)


def resubmit(product_id: object, token: str, **more: Any) -> Answer:
    body = {"product_name": "Синее платье", "price": 10}
    return call_products("PUT", f"/api/v1/products/{product_id}", body, token=token, **more)


def stored(product_id: int) -> products.Product:
    return products.find_many([product_id])[product_id]


def received(stub: ManagementApiStub) -> dict[str, list[str]]:
    return {
        name: [json.loads(body)["event"] for body in bodies]
        for name, bodies in stub.received.items()
    }


def test_a_rejection_reaches_only_its_shop_and_the_admins(
    management_api: ManagementApiStub,
) -> None:
    product_id = submit(10)
    connect("user", ClientType.USER)
    connect("shop 10", ClientType.SHOP, shop_id=10, shop_name="Shop 10")
    connect("shop 11", ClientType.SHOP, shop_id=11, shop_name="Shop 11")
    connect("admin", ClientType.ADMIN)
    answer = reject(product_id)
    assert answer.status == 200
    assert answer.body["product"]["moderation_status"] == "rejected"
    assert answer.body["broadcast"]["delivered"] == 2
    assert received(management_api) == {
        "shop 10": ["product.rejected"],
        "admin": ["product.rejected"],
    }
    event = json.loads(management_api.received["shop 10"][0])
    assert (event["channel"], event["data"]) == (
        "shop:10",
        {
            "product_id": product_id,
            "product_name": "Красное платье",
            "shop_id": 10,
            "shop_name": "Shop 10",
            "moderation_status": "rejected",
            "moderation_notes": "Нет фотографии",
            "admin_id": 1,
        },
    )


@pytest.mark.parametrize(
    "notes", ["", "   ", None, "x" * 1001, 7, "\u200b", "\u3164", "a\u202eb", "a\0b"]
)
def test_a_rejection_says_why(notes: object) -> None:
    product_id = submit()
    assert reject(product_id, notes).status == 422
    assert stored(product_id).version == 1


@pytest.mark.parametrize("client_type", [ClientType.USER, ClientType.SHOP])
def test_only_admins_reject(client_type: ClientType) -> None:
    answer = reject(submit(), token=token_of(client_type))
    assert (answer.status, answer.body["code"]) == (403, "client_type_forbidden")


def test_what_was_decided_stays_decided() -> None:
    rejected, approved = submit(), submit()
    assert reject(rejected).status == approve(approved).status == 200
    other = token_of(ClientType.ADMIN, 2)
    for answer in (
        *(approve(rejected), reject(approved), reject(rejected, "Нет цены")),
        *(approve(approved, token=other), reject(rejected, token=other)),
    ):
        assert (answer.status, answer.body["code"]) == (409, "already_moderated")
    assert reject(404).body["code"] == "product_not_found"


@pytest.mark.parametrize("decide", [approve, reject])
def test_a_decision_that_is_sent_again_is_answered_alike_and_published_once(
    management_api: ManagementApiStub, decide: Callable[..., Answer]
) -> None:
    """Without a key: the answer may have been lost, or somebody has clicked twice."""
    product_id = submit()
    resubmit(product_id, shop_token())
    connect("admin", ClientType.ADMIN)
    first, second = (decide(product_id, headers={"if-match": '"2"'}) for _ in range(2))
    assert (second.status, second.body["product"]) == (200, first.body["product"])
    nothing = {"event_ids": [], "delivered": 0, "gone": 0, "queued": 0}
    assert second.body["broadcast"] == nothing
    assert len(management_api.received["admin"]) == 1
    assert stored(product_id).version == 3
    resubmit(product_id, shop_token())
    late = decide(product_id, headers={"if-match": '"2"'})
    assert (late.status, late.body["code"]) == (409, "product_changed")


def test_of_two_decisions_on_the_same_reading_one_is_made(
    monkeypatch: pytest.MonkeyPatch, management_api: ManagementApiStub
) -> None:
    """Another admin rejects between this one's reading and writing."""
    product_id = submit()
    connect("shop", ClientType.SHOP, shop_id=10, shop_name="Shop 10")
    from_rows = products.from_rows

    def find_then_lose(rows: Any) -> Any:
        monkeypatch.undo()
        found = from_rows(rows)
        assert reject(product_id).status == 200
        return found

    monkeypatch.setattr(products, "from_rows", find_then_lose)
    answer = approve(product_id)
    assert (answer.status, answer.body["code"]) == (409, "already_moderated")
    assert received(management_api) == {"shop": ["product.rejected"]}


def test_a_decision_on_a_version_that_was_replaced_is_refused() -> None:
    product_id = submit()
    seen = call_products("GET", f"/api/v1/products/{product_id}", token=shop_token())
    assert seen.headers["ETag"] == '"1"'
    assert resubmit(product_id, shop_token()).headers["ETag"] == '"2"'
    for decide in (approve, reject):
        answer = decide(product_id, headers={"if-match": '"1"'})
        assert (answer.status, answer.body["code"]) == (409, "product_changed")
    assert approve(product_id, headers={"if-match": '"2"'}).status == 200


@pytest.mark.parametrize("decide", [approve, reject])
def test_a_decision_on_an_edited_product_needs_the_version_that_was_seen(
    management_api: ManagementApiStub, decide: Callable[..., Answer]
) -> None:
    product_id = submit()
    connect("admin", ClientType.ADMIN)
    resubmit(product_id, shop_token())
    management_api.received.clear()
    refused = decide(product_id)
    assert (refused.status, refused.body["code"]) == (428, "version_missing")
    assert stored(product_id).moderation_status == "pending"
    assert not received(management_api)
    assert decide(product_id, headers={"if-match": '"2"'}).status == 200


@pytest.mark.parametrize("decide", [approve, reject])
def test_a_product_that_was_never_edited_needs_no_version(decide: Callable[..., Answer]) -> None:
    assert decide(submit()).status == 200
    assert decide(submit(), headers={"if-match": '"1"'}).status == 200


def test_an_edit_between_reading_and_writing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop replaces its product after the approval has read it."""
    product_id = submit()
    from_rows = products.from_rows

    def find_then_edit(rows: Any) -> Any:
        monkeypatch.undo()
        found = from_rows(rows)
        assert resubmit(product_id, shop_token()).status == 200
        return found

    monkeypatch.setattr(products, "from_rows", find_then_edit)
    answer = approve(product_id)
    assert (answer.status, answer.body["code"]) == (428, "version_missing")
    assert stored(product_id).moderation_status == "pending"


def test_a_decided_product_is_decided_whatever_version_is_sent() -> None:
    product_id = submit()
    resubmit(product_id, shop_token())
    approve(product_id, headers={"if-match": '"2"'})
    for headers in ({}, {"if-match": '"1"'}, {"if-match": '"3"'}):
        assert approve(product_id, headers=headers).body["code"] == "already_moderated"


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        *((tag, "request_invalid") for tag in ("1", "", '"١"')),
        *(
            (tag, "product_changed")
            for tag in ('"x"', 'W/"1"', '"' + "9" * 99 + '"', '"01"', '"+1"', '"1.0"')
        ),
    ],
)
def test_a_version_that_is_none_is_refused(tag: str, code: str) -> None:
    answer = approve(submit(), headers={"if-match": tag})
    assert answer.body["code"] == code


@pytest.mark.parametrize("decide", [None, approve, reject])
def test_a_shop_submits_its_product_again_whatever_became_of_it(
    management_api: ManagementApiStub, decide: Any
) -> None:
    product_id = submit()
    if decide:
        decide(product_id)
    connect("admin", ClientType.ADMIN)
    answer = resubmit(product_id, shop_token())
    assert answer.status == 200
    assert answer.body["moderation_status"] == "pending"
    assert answer.body["product_name"] == "Синее платье"
    assert answer.body["admin_id"] is answer.body["moderation_notes"] is None
    left = ["product.withdrawn"] if decide is approve else []
    assert received(management_api) == {"admin": [*left, "product.submitted"]}
    assert approve(product_id, headers={"if-match": answer.headers["ETag"]}).status == 200


def test_a_product_is_another_shops_or_unknown_to_it() -> None:
    pending, approved = submit(10), submit(10)
    approve(approved)
    answers = [resubmit(product, shop_token(11)) for product in (pending, approved, 404)]
    assert [(answer.status, answer.body["code"]) for answer in answers] == [
        (404, "product_not_found"),
        (403, "product_forbidden"),
        (404, "product_not_found"),
    ]
    assert resubmit(approved, token_of(ClientType.USER)).status == 403
    assert stored(pending).version == 1


def test_the_queue_holds_what_waits_the_oldest_first_page_by_page() -> None:
    waiting = [submit(10 + n % 2) for n in range(5)]
    decided = submit()
    reject(decided)
    found: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = call_products(
            "GET",
            "/api/v1/admin/moderation/queue",
            token=token_of(ClientType.ADMIN),
            limit="2",
            **cursor,
        ).body
        found += [item["product_id"] for item in page["items"]]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert found == waiting


def queue(**query: Any) -> Any:
    path, token = "/api/v1/admin/moderation/queue", token_of(ClientType.ADMIN)
    answer = call_products("GET", path, token=token, **query)
    assert answer.status == 200
    return answer.body


def test_the_queue_says_how_many_wait_of_one_shop_or_of_all(at: Clock) -> None:
    ours = [submit(10) for _ in range(3)]
    submit(11)
    reject(submit(11))
    assert queue(limit="1")["total"] == 4
    of_shop = queue(shop_id="10", limit="2")
    assert [item["product_id"] for item in of_shop["items"]] == ours[:2]
    assert of_shop["total"] == 3
    rest = queue(shop_id="10", limit="2", cursor=of_shop["cursor"])
    assert [item["product_id"] for item in rest["items"]] == ours[2:]
    assert queue(shop_id="12") == {"items": [], "cursor": None, "total": 0}
    reject(ours[0])
    at(2)
    assert (queue()["total"], queue(shop_id="10")["total"]) == (3, 2)


def test_the_queue_is_counted_once_for_all_who_ask(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit()
    query = aws.dynamodb().query
    counted: list[str] = []

    def watched(**request: Any) -> Any:
        counted.extend([request["IndexName"]] if request.get("Select") == "COUNT" else [])
        # What a count of eight megabytes consumes: it is made every 20 s at most.
        return {**query(**request), "ConsumedCapacity": {"CapacityUnits": 1000}}

    monkeypatch.setattr(aws.dynamodb(), "query", watched)
    for second in range(20):
        at(second / 2)
        assert queue()["total"] == 1
    assert counted == ["moderation_status"]


def bulk_reject(body: Any, **more: Any) -> Answer:
    path = "/api/v1/admin/products/bulk-reject"
    return call_reject("POST", path, body, **{"token": token_of(ClientType.ADMIN)} | more)


def test_many_are_rejected_for_one_reason_with_a_result_for_each(
    management_api: ManagementApiStub,
) -> None:
    first, second, edited, approved = (submit(10 + n % 2) for n in range(4))
    with unpublished():
        shop = auth.verify(shop_token(10))
        moderation.resubmit(edited, Submission(product_name="x"), shop)
    approve(approved)
    connect("shop 10", ClientType.SHOP, shop_id=10, shop_name="Shop 10")
    connect("admin", ClientType.ADMIN)
    why = {"moderation_notes": "Нет фотографии"}
    answer = bulk_reject(why | {"product_ids": [second, first, 404, edited, approved]})
    assert answer.status == 200
    assert answer.body["results"] == [
        {"product_id": second, "result": "rejected"},
        {"product_id": first, "result": "rejected"},
        {"product_id": 404, "result": "not_found"},
        {"product_id": edited, "result": "version_missing"},
        {"product_id": approved, "result": "already_moderated"},
    ]
    assert answer.body["broadcast"]["delivered"] == 2
    assert received(management_api) == {
        "shop 10": ["product.rejected"],
        "admin": ["product.rejected"] * 2,
    }
    seen = {"products": [{"product_id": edited, "version": 2}]}
    assert bulk_reject(why | seen).body["results"] == [{"product_id": edited, "result": "rejected"}]
    assert stored(edited).moderation_notes == "Нет фотографии"


@pytest.mark.parametrize(
    "body",
    [
        {"product_ids": [1]},
        {"product_ids": [1], "moderation_notes": ""},
        {"product_ids": [1], "moderation_notes": None},
        {"product_ids": [], "moderation_notes": "x"},
        {"product_ids": [*range(1, 102)], "moderation_notes": "x"},
        {"moderation_notes": "x"},
    ],
    ids=lambda body: str(body)[:30],
)
def test_a_bulk_rejection_has_a_reason_and_one_to_a_hundred_products(body: Any) -> None:
    submit()
    assert (bulk_reject(body).status, stored(1).version) == (422, 1)
    headers = {"if-match": '"1"'}
    assert bulk_reject(body, headers=headers).body["code"] == "request_invalid"
    assert bulk_reject(body, token=shop_token()).body["code"] == "client_type_forbidden"


@pytest.mark.parametrize("client_type", [ClientType.USER, ClientType.SHOP])
def test_the_queue_is_for_admins(client_type: ClientType) -> None:
    token = token_of(client_type)
    assert call_products("GET", "/api/v1/admin/moderation/queue", token=token).status == 403


def test_a_shops_pages_of_what_waits_are_full_though_other_shops_wait_too() -> None:
    ours = [submit(10 + n % 2) for n in range(6)][::2]
    page = call_products(
        "GET", "/api/v1/products", token=shop_token(10), status="pending", limit="2"
    ).body
    assert [item["product_id"] for item in page["items"]] == ours[:2]
    assert page["cursor"]
    foreign = call_products(
        "GET",
        "/api/v1/products",
        token=shop_token(11),
        status="pending",
        cursor=page["cursor"],
    )
    assert foreign.body["code"] == "cursor_invalid"


@pytest.mark.parametrize("body", ["{", '{"moderation_notes": 7}', "[]", '{"unknown": 1}'])
def test_a_forbidden_request_is_refused_before_its_contents_are_checked(body: str) -> None:
    path = "/api/v1/admin/products/x/reject"
    assert call_reject("POST", path, body).body["code"] == "token_missing"
    assert call_reject("POST", path, body, token="garbage").body["code"] == "token_invalid"
    answer = call_reject("POST", path, body, token=token_of(ClientType.USER))
    assert answer.body["code"] == "client_type_forbidden"
    admin = call_reject("POST", path, body, token=token_of(ClientType.ADMIN))
    assert admin.body["code"] in {"body_not_json", "request_invalid"}
