"""What HTTP says of every route: HEAD, conditions, byte order marks, texts of problems."""

from typing import Any

import pytest

from functions.approve.handler import handler as approve_handler
from functions.openapi.handler import handler as openapi_handler
from functions.products.handler import handler as products_handler
from functions.reject.handler import handler as reject_handler
from functions.settings.handler import handler as settings_handler
from functions.stats.handler import handler as stats_handler
from harness.tokens import token_of
from tests.aws.conftest import HttpCall
from vitrina.channels import ClientType

pytestmark = pytest.mark.usefixtures("management_api")

approvals = HttpCall(approve_handler)
openapi = HttpCall(openapi_handler)
products = HttpCall(products_handler)
rejections = HttpCall(reject_handler)
settings = HttpCall(settings_handler)
stats = HttpCall(stats_handler)

SETTINGS = "/api/v1/admin/settings"


def submit() -> Any:
    answer = products(
        "POST", "/api/v1/products", {"product_name": "Dress"}, token=token_of(ClientType.SHOP)
    )
    assert answer.status == 201
    return answer


def admin() -> str:
    return token_of(ClientType.ADMIN)


@pytest.mark.parametrize(
    ("call", "path", "token"),
    [
        (stats, "/health", False),
        (openapi, "/openapi.json", False),
        (openapi, "/no/such/route", False),
        (settings, SETTINGS, True),
        (settings, SETTINGS, False),
    ],
)
def test_head_has_the_status_and_the_headers_of_get_without_content(
    call: HttpCall, path: str, token: bool
) -> None:
    sent = admin() if token else None
    got, head = (call(method, path, token=sent) for method in ("GET", "HEAD"))
    assert (head.status, head.headers) == (got.status, got.headers)
    assert got.body
    assert not head.body


def test_head_of_a_route_without_get_is_refused() -> None:
    answer = openapi("HEAD", "/api/v1/auth/login")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert openapi("DELETE", "/health").headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ('"1"', 200),
        ("*", 200),
        (' "7" ,, "1",', 200),
        ('"7", W/"1"', 409),
        ('W/"1"', 409),
        ('"no-version"', 409),
        ('"7"', 409),
        ("1", 422),
        ('"1" "7"', 422),
        ('*, "1"', 422),
        ("", 422),
    ],
)
def test_if_match_is_a_star_or_a_list_of_strong_tags(condition: str, status: int) -> None:
    path = f"/api/v1/products/{submit().body['product_id']}"
    answer = products(
        "PUT",
        path,
        {"product_name": "Red dress"},
        token=token_of(ClientType.SHOP),
        headers={"if-match": condition},
    )
    assert answer.status == status
    if status != 200:
        assert answer.body["code"] in {"product_changed", "request_invalid"}


def test_a_star_decides_on_whichever_version_there_is() -> None:
    path = f"/api/v1/products/{submit().body['product_id']}"
    products("PUT", path, {"product_name": "Red"}, token=token_of(ClientType.SHOP))
    approve = f"{path.replace('v1', 'v1/admin')}/approve"
    assert approvals("POST", approve, token=admin()).status == 428
    answer = approvals("POST", approve, token=admin(), headers={"if-match": "*"})
    assert (answer.status, answer.headers["ETag"]) == (200, '"3"')


def test_a_star_replaces_settings_that_nobody_has_changed() -> None:
    new = settings("GET", SETTINGS, token=admin()).body | {"approval_fee": 9}
    answer = settings("PUT", SETTINGS, new, token=admin(), headers={"if-match": "*"})
    assert (answer.status, answer.headers["ETag"]) == (200, '"1"')


def test_a_new_product_and_a_decision_have_the_tag_that_a_read_has() -> None:
    submitted = submit()
    path = f"/api/v1/products/{submitted.body['product_id']}"
    read = products("GET", path, token=admin())
    assert submitted.headers["ETag"] == read.headers["ETag"] == '"1"'
    reject = f"{path.replace('v1', 'v1/admin')}/reject"
    answer = rejections("POST", reject, {"moderation_notes": "No photo"}, token=admin())
    read = products("GET", path, token=admin())
    assert answer.headers["ETag"] == read.headers["ETag"] == '"2"'


@pytest.mark.parametrize("condition", ['"1"', 'W/"1"', '"7", "1"', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_client_has_already_is_not_sent_again(condition: str, method: str) -> None:
    path = f"/api/v1/products/{submit().body['product_id']}"
    answer = products(method, path, token=admin(), headers={"if-none-match": condition})
    assert (answer.status, answer.body) == (304, None)
    assert answer.headers == {"ETag": '"1"', "Cache-Control": "no-store"}


@pytest.mark.parametrize("condition", ['"2"', "1", ""])
def test_another_version_is_sent(condition: str) -> None:
    path = f"/api/v1/products/{submit().body['product_id']}"
    answer = products("GET", path, token=admin(), headers={"if-none-match": condition})
    assert (answer.status, answer.body["version"]) == (200, 1)


def test_what_the_caller_may_not_see_has_no_304() -> None:
    path = f"/api/v1/products/{submit().body['product_id']}"
    assert products("GET", path, headers={"if-none-match": "*"}).status == 404


def test_a_byte_order_mark_before_a_body_is_ignored() -> None:
    body = '\ufeff{"product_name": "Dress"}'
    assert products("POST", "/api/v1/products", body, token=token_of(ClientType.SHOP)).status == 201
    answer = products("POST", "/api/v1/products", "\ufeff" + body, token=token_of(ClientType.SHOP))
    assert (answer.status, answer.body["code"]) == (400, "body_not_json")


def test_an_empty_cursor_is_the_first_page() -> None:
    submit()
    path = "/api/v1/admin/moderation/queue"
    empty = products("GET", path, token=admin(), cursor="")
    assert empty.body == products("GET", path, token=admin()).body
    assert products("GET", "/api/v1/products", cursor="").status == 200
