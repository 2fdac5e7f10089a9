"""Products over HTTP."""

import base64
from typing import Any

import pytest

from functions.products.handler import handler
from harness import deployment
from harness.gateway_events import CONTEXT
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Clock, HttpCall, connect
from vitrina import auth, moderation
from vitrina.channels import ClientType
from vitrina.config import Policy
from vitrina.errors import TooManyRequests

pytestmark = pytest.mark.usefixtures("management_api")

call = HttpCall(handler)
PRODUCT = {"product_name": "Красное платье", "price": 49.9}


def shop_token(shop_id: int = 10) -> str:
    return token_of(ClientType.SHOP, shop_id=shop_id, shop_name=f"Shop {shop_id}")


def submit(shop_id: int = 10, **product: Any) -> int:
    answer = call("POST", "/api/v1/products", PRODUCT | product, token=shop_token(shop_id))
    assert answer.status == 201
    product_id: int = answer.body["product_id"]
    return product_id


def approve(product_id: int) -> None:
    moderation.approve([product_id], None, auth.verify(token_of(ClientType.ADMIN)))


def listed(token: str | None = None, **query: Any) -> tuple[list[int], str | None]:
    answer = call("GET", "/api/v1/products", token=token, **query)
    assert answer.status == 200
    return [item["product_id"] for item in answer.body["items"]], answer.body["cursor"]


def test_a_shop_submits_a_product_that_waits_for_moderation(
    management_api: ManagementApiStub,
) -> None:
    connect("admin", ClientType.ADMIN)
    connect("user", ClientType.USER)
    answer = call("POST", "/api/v1/products", PRODUCT, token=shop_token())
    assert answer.status == 201
    assert answer.body | {"status_changed_at": ""} == {
        "product_id": 1,
        "product_name": "Красное платье",
        "description": None,
        "price": 49.9,
        "image_url": None,
        "shop_id": 10,
        "shop_name": "Shop 10",
        "moderation_status": "pending",
        "status_changed_at": "",
        "version": 1,
        "moderation_notes": None,
        "admin_id": None,
        "approval_fee": None,
        "decisions": [],
    }
    assert set(management_api.received) == {"admin"}


@pytest.mark.parametrize(
    "product",
    [
        {},
        {"product_name": ""},
        {"product_name": "   "},
        {"product_name": "x" * 201},
        PRODUCT | {"price": -1},
        PRODUCT | {"price": 1.005},
        PRODUCT | {"price": "1e99"},
        PRODUCT | {"image_url": "javascript:alert(1)"},
        PRODUCT | {"image_url": "https://user@example.com/a.jpg"},
        PRODUCT | {"image_url": "https://127.0.0.1/a.jpg"},
        {"product_name": "\u200b"},
        {"product_name": "\u3164"},
        {"product_name": "a\u202eb"},
        {"product_name": "a\nb"},
        {"product_name": "a\0b"},
        PRODUCT | {"description": "\u2800"},
        PRODUCT | {"description": "a\u2066b"},
        PRODUCT | {"shop_id": 11},
        PRODUCT | {"moderation_status": "approved"},
    ],
    ids=str,
)
def test_a_product_that_breaks_a_rule_is_refused(product: dict[str, Any]) -> None:
    answer = call("POST", "/api/v1/products", product, token=shop_token())
    assert (answer.status, answer.body["code"]) == (422, "request_invalid")
    assert listed(token_of(ClientType.ADMIN), status="pending") == ([], None)


@pytest.mark.parametrize("client_type", [ClientType.USER, ClientType.ADMIN])
def test_only_a_shop_submits(client_type: ClientType) -> None:
    assert call("POST", "/api/v1/products", PRODUCT, token=token_of(client_type)).status == 403


def test_approved_products_are_for_everyone_and_the_newest_come_first() -> None:
    first, second, _pending = submit(), submit(), submit()
    approve(second)
    approve(first)
    assert listed() == ([first, second], None)
    assert listed(status="approved") == ([first, second], None)


def test_pending_products_are_for_admins_oldest_first_and_for_their_own_shop() -> None:
    ours, theirs, ours_too = submit(10), submit(11), submit(10)
    assert listed(token_of(ClientType.ADMIN), status="pending")[0] == [ours, theirs, ours_too]
    assert listed(shop_token(10), status="pending")[0] == [ours, ours_too]
    assert listed(shop_token(11), status="pending")[0] == [theirs]


def test_a_list_is_of_one_shop_if_that_is_asked_for() -> None:
    ours, theirs, pending = submit(10), submit(11), submit(10)
    approve(ours)
    approve(theirs)
    assert listed(shop_id="10") == ([ours], None)
    assert listed(token_of(ClientType.USER), shop_id="11") == ([theirs], None)
    assert listed(shop_id="12") == ([], None)
    admin = token_of(ClientType.ADMIN)
    assert listed(admin, status="pending", shop_id="10")[0] == [pending]
    assert listed(admin, status="pending", shop_id="11")[0] == []
    assert listed(shop_token(10), status="pending", shop_id="10")[0] == [pending]
    refused = call("GET", "/api/v1/products", token=shop_token(11), status="pending", shop_id="10")
    assert (refused.status, refused.body["code"]) == (403, "product_forbidden")


@pytest.mark.parametrize(("client_type", "status"), [(None, 401), (ClientType.USER, 403)])
def test_pending_products_are_only_for_their_shop_and_admins(
    client_type: ClientType | None, status: int
) -> None:
    token = token_of(client_type) if client_type else None
    assert call("GET", "/api/v1/products", token=token, status="pending").status == status


def test_a_list_of_approved_products_may_be_shared_for_two_seconds() -> None:
    approve(submit())
    for answer in (
        call("GET", "/api/v1/products"),
        call("GET", "/api/v1/products", status="approved", limit="1"),
        call("GET", "/api/v1/products", token=shop_token()),
    ):
        assert answer.headers["Cache-Control"] == "public, max-age=10, stale-while-revalidate=10"


def test_every_other_answer_is_no_store() -> None:
    product_id = submit()
    approve(product_id)
    admin = token_of(ClientType.ADMIN)
    for answer in (
        call("GET", "/api/v1/products", token=admin, status="pending"),
        call("GET", "/api/v1/products", token=admin, status="rejected"),
        call("GET", "/api/v1/products", status="pending"),
        call("GET", "/api/v1/products", token="garbage"),
        call("GET", "/api/v1/products", limit="0"),
        call("GET", "/api/v1/products", cursor="garbage"),
        call("GET", f"/api/v1/products/{product_id}"),
        call("GET", "/api/v1/admin/moderation/queue", token=admin),
        call("POST", "/api/v1/products", PRODUCT, token=shop_token()),
        call("POST", "/api/v1/products", {"product_name": "x" * 70_000}, token=shop_token()),
    ):
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_bad_token_is_refused_even_where_none_is_needed() -> None:
    assert call("GET", "/api/v1/products", token="garbage").status == 401


def test_a_cursor_leads_through_all_pages() -> None:
    product_ids = [submit() for _ in range(7)]
    for product_id in product_ids:
        approve(product_id)
    found: list[int] = []
    cursor: dict[str, str] = {}
    for _ in range(4):
        page, following = listed(limit="2", **cursor)
        found += page
        if following is None:
            break
        cursor = {"cursor": following}
    assert found == product_ids[::-1]


def test_a_cursor_of_another_list_or_a_forged_one_is_refused() -> None:
    submit()
    submit()
    _, cursor = listed(token_of(ClientType.ADMIN), status="pending", limit="1")
    assert cursor
    for bad in (cursor, "x", "e30=", "AAAA", "é", cursor[:-8]):
        answer = call("GET", "/api/v1/products", status="approved", cursor=bad)
        assert (answer.status, answer.body["code"]) == (400, "cursor_invalid")


def test_a_cursor_has_one_spelling() -> None:
    submit()
    submit()
    admin = token_of(ClientType.ADMIN)
    _, cursor = listed(admin, status="pending", limit="1")
    assert cursor
    assert listed(admin, status="pending", cursor=cursor)[0] == [2]
    spaced = base64.urlsafe_b64encode(base64.urlsafe_b64decode(cursor) + b" ").decode()
    for other in (f"!{cursor}", f"{cursor[:4]} {cursor[4:]}", f"{cursor}\n", spaced):
        answer = call("GET", "/api/v1/products", token=admin, status="pending", cursor=other)
        assert (answer.status, answer.body["code"]) == (400, "cursor_invalid")


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"status": "sold"}, {"limit": "1_0"}),
        *({"limit": "+3"}, {"limit": "03"}, {"limit": "3.0"}, {"limit": " 3"}, {"limit": "3\n"}),
        *({"limit": "٣"}, {"limit": ""}, {"limit": "1,2"}, {"status": "approved,pending"}),
        *({"shop_id": "0"}, {"shop_id": "x"}, {"shop_id": "+1"}, {"shop_id": ""}),
    ],
    ids=str,
)
def test_a_query_that_breaks_a_rule_is_refused(query: dict[str, Any]) -> None:
    assert call("GET", "/api/v1/products", None, **query).status == 422


def test_one_product_is_seen_by_those_who_may_and_unknown_to_the_others() -> None:
    product_id = submit(10)
    path = f"/api/v1/products/{product_id}"
    may = {token_of(ClientType.ADMIN), shop_token(10)}
    may_not = {None, token_of(ClientType.USER), shop_token(11)}
    assert {call("GET", path, token=token).status for token in may} == {200}
    refused = [call("GET", path, token=token) for token in may_not]
    assert {(answer.status, answer.body["code"]) for answer in refused} == {
        (404, "product_not_found")
    }
    approve(product_id)
    assert {call("GET", path, token=token).status for token in may | may_not} == {200}
    assert call("GET", "/api/v1/products/404").status == 404


@pytest.mark.parametrize("spelling", ["+1", "01", "1.0", " 1", "1 ", "1_0", "١", "１", "%31"])
def test_a_product_has_one_address(spelling: str) -> None:
    submit()
    token = shop_token()
    for method, body in (("GET", None), ("PUT", PRODUCT)):
        answer = call(method, f"/api/v1/products/{spelling}", body, token=token)
        assert (answer.status, answer.body["code"]) == (422, "request_invalid")
    assert call("GET", "/api/v1/products/1", token=token).body["version"] == 1


def test_a_path_has_no_line_end() -> None:
    submit()
    for path in ("/api/v1/products\n", "/api/v1/products/1\n"):
        answer = call("GET", path, token=shop_token())
        assert (answer.status, answer.body["code"]) == (404, "route_not_found")


def test_zero_is_stored_without_a_sign() -> None:
    for price in ("-0", "-0.0"):
        body = f'{{"product_name":"x","price":{price}}}'
        answer = call("POST", "/api/v1/products", body, token=shop_token())
        assert str(answer.body["price"]) == "0.0"


def test_a_description_has_lines() -> None:
    answer = call(
        "POST", "/api/v1/products", PRODUCT | {"description": "a\r\nb"}, token=shop_token()
    )
    assert answer.body["description"] == "a\nb"


# --- How much one shop may submit ---


def test_the_21st_submission_of_a_shop_waits_and_another_shops_does_not(
    monkeypatch: pytest.MonkeyPatch, management_api: ManagementApiStub, at: Clock
) -> None:
    limit = Policy.model_fields["submissions_per_shop_hour"].default
    deployment.configure(
        monkeypatch, management_url=management_api.url, submissions_per_shop_hour=limit
    )
    product_ids = [submit(10) for _ in range(20)]
    answer = call("POST", "/api/v1/products", PRODUCT, token=shop_token(10))
    assert (answer.status, answer.body["code"]) == (429, "too_many_submissions")
    assert answer.headers["Retry-After"] == "30"
    # Submitting again is a submission.
    again = call("PUT", f"/api/v1/products/{product_ids[0]}", PRODUCT, token=shop_token(10))
    assert (again.status, again.body["code"]) == (429, "too_many_submissions")
    assert call("GET", f"/api/v1/products/{product_ids[0]}", token=shop_token(10)).status == 200
    # A submission that was refused has taken no number.
    assert submit(11) == product_ids[-1] + 1
    at(29)
    assert (
        call("POST", "/api/v1/products", PRODUCT, token=shop_token(10)).headers["Retry-After"]
        == "1"
    )
    at(30)
    submit(10)
    assert call("POST", "/api/v1/products", PRODUCT, token=shop_token(10)).status == 429


@pytest.mark.parametrize(("per_hour", "at_once"), [(1, 1), (12, 2), (600, 100)])
def test_a_deployment_chooses_how_much_a_shop_may_submit(
    monkeypatch: pytest.MonkeyPatch, at: Clock, per_hour: int, at_once: int
) -> None:
    deployment.configure(monkeypatch, submissions_per_shop_hour=per_hour)
    shop = auth.verify(shop_token())
    for _ in range(at_once):
        moderation._count_submission(shop)
    with pytest.raises(TooManyRequests):
        moderation._count_submission(shop)


@pytest.mark.parametrize(
    ("body", "content_type", "is_base64", "status"),
    [
        ("\udca7", "application/json", False, 400),
        ("not base64", "application/json", True, 400),
        ("//4=", "application/json", True, 400),
        ("eyJwcm9kdWN0X25hbWUiOiJ4In0=", "application/json", True, 201),
        ('{"product_name":"x"}', "application/json; charset=utf-8", False, 201),
        ('{"product_name":"x"}', "text/plain", False, 415),
        ("x=1", "application/x-www-form-urlencoded", False, 415),
        ("", "multipart/form-data", False, 422),
        ("x", "multipart/form-data", False, 415),
        (None, "multipart/form-data", False, 422),
    ],
)
def test_a_body_of_any_kind_is_read_or_refused(
    body: str | None, content_type: str, is_base64: bool, status: int
) -> None:
    event = {
        "version": "2.0",
        "rawPath": "/api/v1/products",
        "headers": {"content-type": content_type, "authorization": f"Bearer {shop_token()}"},
        "requestContext": {
            "http": {"method": "POST", "path": "/api/v1/products", "sourceIp": "192.0.2.1"},
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }
    assert handler(event, CONTEXT)["statusCode"] == status
