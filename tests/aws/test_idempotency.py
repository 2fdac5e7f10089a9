"""Requests that are sent again with their key: one effect, one answer, whatever dies."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.announce.handler import handler as announce
from functions.approve.handler import handler as approve
from functions.products.handler import handler as products_handler
from functions.reject.handler import handler as reject
from functions.sweep.handler import handler as sweep
from harness.gateway_events import CONTEXT
from harness.tokens import token_of
from tests.aws import moto_tables
from tests.aws.conftest import Answer, Clock, HttpCall, connect, unpublished
from tests.aws.processes import Process, counted_calls, step
from vitrina import auth, aws, history, idempotency, moderation, publishing, sender
from vitrina.channels import ClientType
from vitrina.errors import Conflict, Unavailable
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import Change
from vitrina.http_api import Answered
from vitrina.products import Submission
from vitrina.publishing import Broadcast
from vitrina.sender import Delivery, Post

KEY = "0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0"
REPLAYED = "Idempotency-Replayed"


class Route(NamedTuple):
    """A request that takes a key; its products are new for each test."""

    handler: Any
    path: str
    body: Any
    client_type: ClientType = ClientType.ADMIN
    products: int = 0
    is_approved: bool = False

    @property
    def earlier_events(self) -> list[str]:
        """Those of its products, from before the request."""
        return ["product.submitted", "product.approved"][: bool(self.products) + self.is_approved]

    def send(
        self, key: str | None = KEY, *, account_id: int = 1, body: Any = None, **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"idempotency-key": key} if key is not None else {}
        token = token_of(self.client_type, account_id)
        call = HttpCall(self.handler)
        return call("POST", self.path, body or self.body, token=token, headers=named)


ROUTES = {
    "submit": Route(
        products_handler, "/api/v1/products", {"product_name": "Платье"}, ClientType.SHOP
    ),
    "approve": Route(
        approve, "/api/v1/admin/products/1/approve", {"moderation_notes": "Да"}, products=1
    ),
    "reject": Route(
        reject, "/api/v1/admin/products/1/reject", {"moderation_notes": "Нет"}, products=1
    ),
    "bulk reject": Route(
        reject,
        "/api/v1/admin/products/bulk-reject",
        {"moderation_notes": "Нет", "product_ids": [1, 2, 404]},
        products=2,
    ),
    "withdraw": Route(
        reject,
        "/api/v1/admin/products/1/withdraw",
        {"moderation_notes": "Подделка"},
        products=1,
        is_approved=True,
    ),
    "bulk": Route(
        approve,
        "/api/v1/admin/products/bulk-approve",
        {"moderation_notes": "Да", "product_ids": [1, 2, 3, 404]},
        products=3,
    ),
    "announce": Route(
        announce,
        "/api/v1/admin/announcements",
        {"to": "admin", "title": "Распродажа", "text": "Началась"},
    ),
}


class World:
    """The management API and the clock, in place of the real ones."""

    def __init__(self, at: Clock) -> None:
        self._at = at
        self._now = 0.0
        self._go_back: Callable[[], None] | None = None
        self.got: list[str] = []
        """The ids of the events that the administrator's phone has received."""

    def post(self, posts: Sequence[Post], **_: Any) -> Delivery:
        step()
        for post in posts:
            self.got += [json.loads(body)["id"] for body in post.bodies]
        return Delivery(sent=len(posts))

    def wait(self, seconds: float) -> None:
        self._now += seconds
        self._at(self._now)

    def sweep(self) -> None:
        self.wait(60)
        sweep({}, CONTEXT)

    def begin_anew(self, route: Route) -> None:
        """Go back to the products before the first request, and set the clock back."""
        self.wait(-self._now)
        self.got.clear()
        if self._go_back:
            self._go_back()
            return
        submit(route.products)
        if route.is_approved:
            admin = auth.verify(token_of(ClientType.ADMIN, 7))
            with unpublished():
                moderation.approve([*range(1, route.products + 1)], None, admin)
        self._go_back = moto_tables.remember()


@pytest.fixture
def world(cloud: None, at: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(at)
    monkeypatch.setattr(sender, "post", world.post)
    # One call after another, so that a process can stand still at each of them.
    monkeypatch.setattr(aws, "in_parallel", lambda call, each: [call(value) for value in each])
    monkeypatch.setattr(aws, "jitter", lambda _: 0.0)
    # Two products of a bulk approval are a transaction.
    monkeypatch.setattr(history, "MAX_TRANSACTION_ITEMS", 11)
    connect("phone", ClientType.ADMIN)
    with counted_calls():
        yield world


@pytest.fixture(params=ROUTES)
def route(request: pytest.FixtureRequest, world: World) -> Route:
    found = ROUTES[request.param]
    world.begin_anew(found)
    return found


def submit(products: int) -> None:
    shop = auth.verify(token_of(ClientType.SHOP))
    with unpublished():
        for _ in range(products):
            moderation.submit(Submission(product_name="Платье"), shop)


def edit(product_id: int) -> None:
    shop = auth.verify(token_of(ClientType.SHOP))
    with unpublished():
        moderation.resubmit(product_id, Submission(product_name="Юбка"), shop)


def effects() -> tuple[list[tuple[str, str]], list[Any]]:
    """Return the events of the administrators with their ids, and the products."""
    head = history.positions(["admin"])["admin"].seq
    events = history.read(history.Span("admin", 1, head)) if head else []
    bodies = [json.loads(event.body) for event in events]
    rows = aws.dynamodb().scan(TableName="products")["Items"]
    return [(each["event"], each["id"]) for each in bodies], sorted(rows, key=str)


def kept() -> list[Any]:
    rows = aws.dynamodb().scan(TableName="platform")["Items"]
    return [row for row in rows if row["name"]["S"].startswith("once#")]


def is_replay(answer: Answer) -> bool:
    return answer.headers.get(REPLAYED) == "true"


def original(answer: Answer) -> Answer:
    """Return an answer without what says that it was given before."""
    headers = {name: value for name, value in answer.headers.items() if name != REPLAYED}
    return Answer(answer.status, headers, answer.body)


def refusal(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.body.get("code")


# --- One after another ---


def test_a_request_that_is_sent_again_has_the_same_answer_and_no_other_effect(
    world: World, route: Route
) -> None:
    first = route.send()
    assert (first.status // 100, is_replay(first)) == (2, False)
    before = effects()
    again = route.send()
    assert is_replay(again)
    assert original(again) == first
    assert effects() == before
    assert len(world.got) == len({*world.got})


def test_without_a_key_nothing_is_kept(route: Route) -> None:
    assert route.send(None).status // 100 == 2
    assert kept() == []


def test_the_same_json_in_another_form_is_the_same_request(route: Route) -> None:
    first = route.send()
    body = json.dumps(dict(reversed(route.body.items())), indent=1)
    assert original(route.send(body=body)) == first


def test_another_request_with_the_key_is_refused(route: Route) -> None:
    first = route.send()
    before = effects()
    answers = [
        other.send()
        for other in ROUTES.values()
        if other is not route and other.client_type is route.client_type
    ]
    field = next(name for name, value in route.body.items() if isinstance(value, str))
    answers.append(route.send(body=route.body | {field: "shop" if field == "to" else "Другое"}))
    if route.products == 1:
        answers.append(route.send(if_match='"1"'))
    assert {refusal(answer) for answer in answers} == {(422, "idempotency_key_reused")}
    assert effects() == before
    assert original(route.send()) == first


def test_another_account_has_keys_of_its_own(route: Route) -> None:
    first = route.send()
    other = route.send(account_id=2)
    assert not is_replay(other)
    assert other.body != first.body


def test_a_key_is_kept_for_a_day(world: World) -> None:
    route = ROUTES["announce"]
    first = route.send()
    world.wait(idempotency.ANSWER_TTL_SECONDS - 1)
    assert original(route.send()) == first
    world.wait(2)
    later = route.send()
    assert not is_replay(later)
    assert later.body["event_ids"] != first.body["event_ids"]
    assert original(route.send()) == later


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "a\n", "x" * 256])
def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    assert refusal(ROUTES["announce"].send(key)) == (422, "request_invalid")
    assert effects() == ([], [])


@pytest.mark.parametrize("key", ["!", "~" * 255, '"quoted"', "a,b", "\\'${}#%00"])
def test_every_visible_character_of_ascii_may_be_in_a_key(world: World, key: str) -> None:
    first = ROUTES["announce"].send(key)
    assert first.status == 200
    assert original(ROUTES["announce"].send(key)) == first


def test_nobody_else_learns_of_a_key(route: Route) -> None:
    route.send()
    call, headers = HttpCall(route.handler), {"idempotency-key": KEY}
    for token, status in (None, 401), ("garbage", 401), (token_of(ClientType.USER), 403):
        answer = call("POST", route.path, route.body, token=token, headers=headers)
        assert (answer.status, is_replay(answer)) == (status, False)


@pytest.mark.parametrize(
    "body", ["{", '{"to": ' + "9" * 9000 + "}", "[" * 150 + "]" * 150, "1e999"]
)
def test_an_invalid_body_is_refused_as_without_a_key(world: World, body: str) -> None:
    with_key, without = (ROUTES["announce"].send(key, body=body) for key in (KEY, None))
    assert with_key == without
    assert with_key.status in {400, 422}


def test_a_refusal_leaves_the_key_free(world: World) -> None:
    route = ROUTES["reject"]
    assert refusal(route.send()) == (404, "product_not_found")
    submit(1)
    assert route.send().status == 200


def test_while_a_product_is_busy_a_request_with_a_key_is_to_be_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = ROUTES["bulk"]
    submit(3)
    commit, commits = history.commit, count(1)

    def busy(*args: Any) -> Any:
        if next(commits) == 1:
            raise Unavailable("busy", "not now")
        return commit(*args)

    monkeypatch.setattr(history, "commit", busy)
    assert refusal(route.send()) == (503, "busy")
    answer = route.send()
    results = [each["result"] for each in answer.body["results"]]
    assert results == ["approved"] * 3 + ["not_found"]
    assert original(route.send()) == answer
    assert_done_once(world, route)


def test_the_largest_answer_is_kept(world: World) -> None:
    """Far below the 400 KB that DynamoDB takes, whatever is in it."""
    route = ROUTES["submit"]
    texts = ("".join(chr(0x1F300 + n * step % 700) for n in range(5000)) for step in (1, 7, 331))
    for number, text in enumerate(texts):
        largest = {
            "product_name": text[:200],
            "description": text,
            "image_url": "https://example.com/" + "x" * 1900,
            "price": 9999999999.99,
        }
        first = route.send(str(number), body=largest)
        assert original(route.send(str(number), body=largest)) == first
        assert first.body["description"] == text
    assert max(len(row["answer"]["B"]) for row in kept()) < 64 * 1024


def test_a_receipt_fits_into_every_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto refuses more than a hundred items, as DynamoDB does."""
    monkeypatch.undo()
    monkeypatch.setattr(sender, "post", world.post)
    submit(24)
    answer = ROUTES["bulk"].send(body={"product_ids": [*range(1, 25)]})
    assert {each["result"] for each in answer.body["results"]} == {"approved"}
    assert len(kept()) == 1


# --- What it costs ---


def test_a_key_costs_one_read_one_more_item_and_one_write(
    world: World, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    transact = aws.transact_once

    def remember(writes: Sequence[Any]) -> None:
        sizes.append(len(writes))
        transact(writes)

    monkeypatch.setattr(aws, "transact_once", remember)
    operations = []
    for key in (None, KEY):
        world.begin_anew(ROUTES["approve"])
        token_of(ClientType.ADMIN)
        sizes.clear()
        calls.clear()
        assert ROUTES["approve"].send(key).status == 200
        operations.append(sorted(calls))
    without, with_key = operations
    assert sorted([*without, "GetItem", "PutItem"]) == with_key


# --- Deaths, and several at once ---


def answer_at_last(world: World, route: Route) -> Answer:
    """Send a request again until it is answered."""
    while is_running(answer := route.send()):
        world.wait(9)
    return original(answer)


def is_running(answer: Answer) -> bool:
    if refusal(answer) != (409, "request_running"):
        return False
    assert answer.headers["Retry-After"] == "1"
    return True


def assert_done_once(world: World, route: Route) -> None:
    events, rows = effects()
    made = [each for each in events if each[0] not in route.earlier_events]
    assert len(made) == max(1, route.products)
    assert {event_id for _, event_id in made} <= {*world.got}
    if route.products:
        version = str(1 + len(route.earlier_events))
        assert [row["version"]["N"] for row in rows] == [version] * route.products


def test_while_the_first_is_running_others_are_told_to_come_back(
    world: World, route: Route
) -> None:
    first = Process(route.send)
    while not kept():
        assert not first.run(1)
    assert is_running(route.send())
    first.run()
    assert original(route.send()) == first.answer


def test_a_function_may_die_before_any_of_its_calls(world: World, route: Route) -> None:
    """Its client sends the request again, and the sweep publishes what is left."""
    for calls in count():
        world.begin_anew(route)
        process = Process(route.send)
        if not (has_ended := process.run(calls)):
            process.kill()
        answer = answer_at_last(world, route)
        world.sweep()
        assert answer.status // 100 == 2
        assert_done_once(world, route)
        assert answer_at_last(world, route) == answer
        if has_ended:
            assert process.answer == answer
            break
    assert calls >= 10


STEPS = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from([1, 2, 3, 8, 30, "die", "edit"])), max_size=25
)


@settings(max_examples=settings().max_examples // 8)
@given(steps=STEPS)
def test_however_requests_with_one_key_meet_there_is_one_effect_and_one_answer(
    world: World, route: Route, steps: list[tuple[int, int | str]]
) -> None:
    """Clients send until they have an answer; processes stand still, go on and die.

    The shop may edit the product meanwhile.
    """
    world.begin_anew(route)
    clients: dict[int, Process] = {}
    answers: list[Answer] = []
    is_edited = False
    for client, what in steps:
        process = clients.setdefault(client, Process(route.send))
        if what == "edit":
            if route.products and not is_edited:
                edit(1)
                is_edited = True
        elif what == "die":
            process.kill()
        else:
            process.run(int(what))
        if process.has_ended:
            answers += [process.answer] if process.answer else []
            del clients[client]
    for process in clients.values():
        process.run()
        answers.append(process.answer)
    answers += [answer_at_last(world, route) for _ in range(2)]
    world.sweep()
    done = [original(answer) for answer in answers if answer.status // 100 == 2]
    assert all(answer == done[0] for answer in done)
    if not is_edited:
        assert_done_once(world, route)
    if done:
        # Nobody was refused after it was done.
        assert answers[-1] == answers[-2] == done[0]


def test_of_eight_threads_with_one_key_one_announces(
    cloud: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "jitter", lambda _: 0.0)
    at_once = Barrier(8)

    def announce_once(number: int) -> Broadcast | None:
        once = idempotency._Once(idempotency._Request("once#admin:1#x", "x", str(number)))
        said = Announcement(to="admin", title="x", text="x", admin_id=1)
        changes = [Change(None, [AnnouncementPublished(data=said)])]
        if number < 8:
            at_once.wait()
        try:
            return once(
                lambda receipt: publishing.commit(changes, history.DECISION_BACKOFF, receipt),
                lambda broadcast: broadcast,
            )
        except Answered as answered:
            return Broadcast.model_validate_json(answered.answer.body or "")
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(announce_once, range(8))]
    last = announce_once(8)
    assert {answer.event_ids[0] for answer in [*answers, last] if answer} == {effects()[0][0][1]}
    assert len(effects()[0]) == 1
    assert last in answers
