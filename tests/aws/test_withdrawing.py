"""Products that leave public view: withdrawn by an administrator, or edited by their shop."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic_core import from_json

from functions.approve.handler import handler as approve_handler
from functions.products.handler import handler as products_handler
from functions.reject.handler import handler as reject_handler
from harness.management_api import ManagementApiStub
from harness.tokens import token_of
from tests.aws.conftest import Answer, HttpCall, connect, unpublished
from vitrina import auth, history, moderation, products
from vitrina.channels import ClientType
from vitrina.errors import Problem
from vitrina.history import Span
from vitrina.product_changes import Moderation
from vitrina.products import Product, Status, Submission

call_approve = HttpCall(approve_handler)
call_products = HttpCall(products_handler)
call_reject = HttpCall(reject_handler)

pytestmark = pytest.mark.usefixtures("management_api")

# Few in the suite; two hundred were run once.
ROUNDS = 4


def admin(account_id: int = 1) -> str:
    return token_of(ClientType.ADMIN, account_id)


def shop(shop_id: int = 10) -> str:
    return token_of(ClientType.SHOP, shop_id=shop_id, shop_name=f"Shop {shop_id}")


def submit(name: str = "Красное платье") -> int:
    with unpublished():
        return moderation.submit(Submission(product_name=name), auth.read(shop())).product_id


def approved(name: str = "Красное платье") -> int:
    product_id = submit(name)
    with unpublished():
        moderation.approve([product_id], "Хороший товар", auth.read(admin())).product(product_id)
    return product_id


def withdraw(product_id: object, notes: object = "Подделка", **more: Any) -> Answer:
    path = f"/api/v1/admin/products/{product_id}/withdraw"
    return call_reject("POST", path, {"moderation_notes": notes}, **{"token": admin()} | more)


def edit(product_id: int, name: str = "Синее платье") -> Answer:
    path = f"/api/v1/products/{product_id}"
    return call_products("PUT", path, {"product_name": name}, token=shop())


def read(product_id: int, token: str | None = None) -> Answer:
    return call_products("GET", f"/api/v1/products/{product_id}", token=token)


def listed(status: str = "approved", **query: Any) -> list[int]:
    page = call_products("GET", "/api/v1/products", status=status, **query).body
    return [item["product_id"] for item in page["items"]]


def stored(product_id: int) -> Product:
    return products.find_many([product_id])[product_id]


def published(channel: str) -> list[dict[str, Any]]:
    """Return the events of a channel, which are numbered without gaps."""
    head = history.positions([channel])[channel].seq
    found = history.read(Span(channel, 1, head)) if head else []
    assert [event.seq for event in found] == list(range(1, head + 1))
    return [from_json(event.body) for event in found]


CLIENTS = ("user", "shop", "other shop", "admin")


@contextmanager
def audience(stub: ManagementApiStub) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """Connect a client of each type; yield a way to read what one of them has received."""
    connect("user", ClientType.USER)
    connect("shop", ClientType.SHOP, shop_id=10, shop_name="Shop 10")
    connect("other shop", ClientType.SHOP, shop_id=11, shop_name="Shop 11")
    connect("admin", ClientType.ADMIN)
    yield lambda name: [json.loads(body) for body in stub.received.get(name, [])]


def test_a_withdrawal_reaches_everyone_once_and_says_nothing_of_why(
    management_api: ManagementApiStub,
) -> None:
    product_id = approved()
    with audience(management_api) as received:
        answer = withdraw(product_id)
    assert answer.status == 200
    assert answer.body["product"]["moderation_status"] == "withdrawn"
    assert answer.body["product"]["moderation_notes"] == "Подделка"
    assert answer.body["broadcast"]["delivered"] == 4
    for client in CLIENTS:
        [event] = received(client)
        assert (event["event"], event["data"]) == (
            "product.withdrawn",
            {
                "product_id": product_id,
                "product_name": "Красное платье",
                "shop_id": 10,
                "shop_name": "Shop 10",
                "version": 3,
            },
        )
    assert listed() == []
    assert listed("withdrawn", token=shop()) == listed("withdrawn", token=admin()) == [product_id]
    assert read(product_id).body["code"] == "product_not_found"
    assert read(product_id, shop()).body["moderation_notes"] == "Подделка"


def test_an_edit_takes_an_approved_product_from_public_view_under_the_name_that_was_public(
    management_api: ManagementApiStub,
) -> None:
    product_id = approved()
    with audience(management_api) as received:
        assert edit(product_id, "Ещё никем не проверено").body["version"] == 3
    for client in CLIENTS[:3]:
        [withdrawn] = received(client)
        assert withdrawn["event"] == "product.withdrawn"
        assert withdrawn["data"]["product_name"] == "Красное платье"
    names = [event["event"] for event in received("admin")]
    assert names == ["product.withdrawn", "product.submitted"]
    [withdrawn, submitted] = received("admin")
    assert (withdrawn["data"]["version"], submitted["seq"]) == (3, withdrawn["seq"] + 1)
    assert submitted["data"]["product_name"] == "Ещё никем не проверено"
    assert listed() == []
    assert read(product_id).status == 404


def test_an_edit_of_another_product_is_for_administrators_alone(
    management_api: ManagementApiStub,
) -> None:
    waiting, gone = submit(), approved()
    withdraw(gone)
    with audience(management_api) as received:
        edit(waiting)
        edit(gone)
    assert [received(client) for client in CLIENTS[:3]] == [[], [], []]
    assert [event["event"] for event in received("admin")] == ["product.submitted"] * 2
    # A withdrawn product comes back like any other.
    assert stored(gone).moderation_status is Status.PENDING


@pytest.mark.parametrize("notes", ["", "   ", None, "x" * 1001, 7, "\u200b", "a\u202eb"])
def test_a_withdrawal_says_why(notes: object) -> None:
    product_id = approved()
    assert withdraw(product_id, notes).status == 422
    assert stored(product_id).version == 2


@pytest.mark.parametrize("client_type", [ClientType.USER, ClientType.SHOP])
def test_only_administrators_withdraw(client_type: ClientType) -> None:
    answer = withdraw(approved(), token=token_of(client_type))
    assert (answer.status, answer.body["code"]) == (403, "client_type_forbidden")


def test_only_what_is_approved_is_withdrawn() -> None:
    pending, rejected, withdrawn = submit(), submit(), approved()
    with unpublished():
        moderation.reject([rejected], "Нет фотографии", auth.read(admin())).product(rejected)
    with unpublished():
        moderation.withdraw(withdrawn, "Другая причина", auth.read(admin())).product(withdrawn)
    for product_id in (pending, rejected, withdrawn):
        answer = withdraw(product_id)
        assert (answer.status, answer.body["code"]) == (409, "not_approved")
    assert withdraw(404).body["code"] == "product_not_found"
    for decide in ("approve", "reject"):
        path = f"/api/v1/admin/products/{withdrawn}/{decide}"
        call = call_approve if decide == "approve" else call_reject
        body = {"moderation_notes": "x"}
        assert call("POST", path, body, token=admin()).body["code"] == "already_moderated"


def test_a_product_that_was_edited_is_withdrawn_in_the_version_that_was_seen() -> None:
    product_id = approved()
    assert withdraw(product_id, headers={"if-match": '"1"'}).body["code"] == "product_changed"
    edit(product_id)
    with unpublished():
        moderation.approve([product_id], None, auth.read(admin()), {product_id: {3}})
    refused = withdraw(product_id)
    assert (refused.status, refused.body["code"]) == (428, "version_missing")
    assert listed() == [product_id]
    assert withdraw(product_id, headers={"if-match": '"4"'}).status == 200


# --- Who sees what ---

SECRET = {"moderation_notes", "admin_id", "approval_fee", "decisions"}


@pytest.mark.parametrize(
    ("viewer", "sees_all"),
    [
        (lambda: None, False),
        (lambda: token_of(ClientType.USER), False),
        (lambda: shop(11), False),
        (shop, True),
        (admin, True),
    ],
    ids=["anyone", "user", "other shop", "shop", "admin"],
)
def test_notes_fees_and_decisions_are_for_the_shop_and_administrators(
    viewer: Callable[[], str | None], sees_all: bool
) -> None:
    product_id, token = approved(), viewer()
    answer = read(product_id, token)
    assert answer.headers["ETag"] == '"2"'
    assert answer.body.keys() & SECRET == (SECRET if sees_all else set())
    [item] = call_products("GET", "/api/v1/products", token=token).body["items"]
    assert item.keys() & SECRET == set()
    assert item.items() <= answer.body.items()


def test_a_product_shows_who_has_decided_what_when_and_why() -> None:
    product_id = approved()
    edit(product_id)
    with unpublished():
        other = auth.read(admin(2))
        moderation.reject([product_id], "Нет фотографии", other, {product_id: {3}})
    edit(product_id)
    for token in (shop(), admin()):
        found = read(product_id, token).body["decisions"]
        assert [
            (each["moderation_status"], each["moderation_notes"], each["admin_id"], each["version"])
            for each in found
        ] == [("approved", "Хороший товар", 1, 2), ("rejected", "Нет фотографии", 2, 4)]
        assert found[0]["status_changed_at"] < found[1]["status_changed_at"]
    assert read(product_id, shop()).body["moderation_notes"] is None


def test_a_product_keeps_its_latest_twenty_decisions() -> None:
    product_id = submit()
    moderator, owner = auth.read(admin()), auth.read(shop())
    with unpublished():
        for n in range(21):
            version = {product_id: {2 * n + 1}}
            moderation.reject([product_id], f"Причина {n}", moderator, version).product(product_id)
            moderation.resubmit(product_id, Submission(product_name="x"), owner)
    notes = [each["moderation_notes"] for each in read(product_id, shop()).body["decisions"]]
    assert notes == [f"Причина {n}" for n in range(1, 21)]


# --- Four sides at once ---

Act = Callable[[int], Moderation]


def _seen(product_id: int) -> dict[int, set[int]]:
    return {product_id: {stored(product_id).version}}


def _approve(product_id: int) -> Moderation:
    return moderation.approve([product_id], None, auth.read(admin()), _seen(product_id))


def _reject(product_id: int) -> Moderation:
    return moderation.reject([product_id], "Нет", auth.read(admin()), _seen(product_id))


def _withdraw(product_id: int) -> Moderation:
    version = stored(product_id).version
    return moderation.withdraw(product_id, "Нет", auth.read(admin()), {version})


def _edit(product_id: int) -> Moderation:
    return moderation.resubmit(product_id, Submission(product_name="x"), auth.read(shop()))


# What an act of a side needs, the status after it, and its events for users and for administrators.
SIDES: dict[Act, tuple[set[Status], Status, str]] = {
    _approve: ({Status.PENDING}, Status.APPROVED, "product.approved"),
    _reject: ({Status.PENDING}, Status.REJECTED, "product.rejected"),
    _withdraw: ({Status.APPROVED}, Status.WITHDRAWN, ""),
    _edit: ({*Status}, Status.PENDING, "product.submitted"),
}


def _meet(product_id: int) -> list[tuple[int, Act]]:
    """Let four sides act at once, several times each; return the versions that each has made."""

    def act(side: Act) -> list[tuple[int, Act]]:
        outcomes = [side(product_id).outcomes[product_id] for _ in range(4)]
        for outcome in outcomes:
            if isinstance(outcome, Problem):
                assert outcome.code in {"already_moderated", "not_approved", "product_changed"}
        return [(each.version, side) for each in outcomes if isinstance(each, Product)]

    with unpublished(), ThreadPoolExecutor(len(SIDES)) as pool:
        return sorted(
            (made for some in pool.map(act, SIDES) for made in some), key=lambda made: made[0]
        )


def test_four_sides_at_once_leave_one_order_of_events_that_explains_the_final_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "SUBMISSION_BACKOFF", history.DECISION_BACKOFF)
    for _ in range(ROUNDS):
        product_id = submit()
        made = _meet(product_id)
        final = stored(product_id)
        assert [version for version, _ in made] == list(range(2, final.version + 1))
        status, expected = Status.PENDING, ["product.submitted"]
        for _, side in made:
            needed, following, name = SIDES[side]
            assert status in needed
            expected += ["product.withdrawn"] if status is Status.APPROVED else []
            expected += [name] if name else []
            status = following
        assert status is final.moderation_status
        for channel in ("admin", "user"):
            found = [
                event["event"]
                for event in published(channel)
                if event["data"]["product_id"] == product_id
            ]
            for_all = {"product.approved", "product.withdrawn"}
            assert found == [name for name in expected if channel == "admin" or name in for_all]
        decided = [each.version for each in final.decisions]
        assert decided == [version for version, side in made if side is not _edit]
