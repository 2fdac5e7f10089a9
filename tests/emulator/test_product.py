"""Everything else that the product promises, on a deployed stack, with real clients."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any

import boto3
import jwt
import pytest
from websockets.exceptions import InvalidStatus

from harness.tokens import token_of
from infra.cdk.http_api import HTTP_ROUTES
from local.client import Api, Client
from local.emulator import PASSWORD
from local.inbox import Inbox
from tests.emulator.conftest import ALLOWED_ORIGIN, sweep, wait_until
from tests.emulator.grants import function_name
from vitrina import aws, buckets, config, connections
from vitrina.channels import ClientType
from vitrina.cors import REQUEST_HEADERS
from vitrina.login_attempts import PAIR

Connected = Callable[..., Client]


@pytest.fixture
def connected(api: Api) -> Iterator[Connected]:
    """Return a way to connect with any token; all are closed at the end of the test."""
    with ExitStack() as clients:

        def connected(
            client_type: str, token: str, inbox: Inbox | None = None, *, batch: bool = False
        ) -> Client:
            url = api.websocket_url(client_type, token, batch)
            return clients.enter_context(Client.connected(url, inbox=inbox))

        yield connected


@pytest.fixture
def as_admin(api: Api, tokens: dict[str, str]) -> Callable[..., Any]:
    """Return a way to call as the admin, which returns the answer."""

    def as_admin(method: str, path: str, **more: Any) -> Any:
        return api.answer(method, f"/api/v1/admin/{path}", tokens["admin"], **more)

    return as_admin


def received(client: Client) -> list[tuple[str, str]]:
    return [(event["event"], event["channel"]) for event in client.inbox.events]


def test_each_event_reaches_exactly_the_channels_of_the_table(
    api: Api,
    tokens: dict[str, str],
    connected: Connected,
    as_admin: Callable[..., Any],
    submit: Callable[[], int],
) -> None:
    user = connected("user", token_of(ClientType.USER, 700))
    shop_10 = connected("shop", tokens["shop"])
    shop_11 = connected("shop", token_of(ClientType.SHOP, 711, shop_id=11))
    admin = connected("admin", tokens["admin"])
    everyone = [user, shop_10, shop_11, admin]
    user.send({"type": "join", "room": "sale"})
    user.wait_for("joined")

    rejected = submit()
    answer = as_admin("POST", f"products/{rejected}/reject", json={"moderation_notes": "Нет фото"})
    assert answer.status_code == 200
    read = as_admin("GET", "settings")
    new = read.json() | {"approval_fee": read.json()["approval_fee"] + 1}
    tag = {"If-Match": read.headers["ETag"]}
    assert as_admin("PUT", "settings", json=new, headers=tag).status_code == 200
    for to in ("shop", "shop:11", "user:700", "room:sale", "room:nobody", "admin:1"):
        body = {"to": to, "title": "Распродажа", "text": "Началась"}
        assert as_admin("POST", "announcements", json=body).status_code == 200
    again = api.answer(
        "PUT", f"/api/v1/products/{rejected}", tokens["shop"], json={"product_name": "С фото"}
    )
    assert again.ok
    # The marker: when it has come, all before it has.
    seen = {"If-Match": again.headers["ETag"]}
    approved = as_admin("POST", f"products/{rejected}/approve", headers=seen).json()["product"]
    assert approved["approval_fee"] == new["approval_fee"]
    for client in everyone:
        client.wait_for("product.approved")
        client.wait_for("settings.updated")

    submitted, rejection = ("product.submitted", "admin"), "product.rejected"
    announced = "announcement.published"
    to_all = ["settings.updated", "product.approved"]
    assert sorted(received(user)) == sorted(
        [*((name, "user") for name in to_all), (announced, "user:700"), (announced, "room:sale")]
    )
    assert sorted(received(shop_10)) == sorted(
        [(rejection, "shop:10"), (announced, "shop"), *((name, "shop") for name in to_all)]
    )
    assert sorted(received(shop_11)) == sorted(
        [(announced, "shop"), (announced, "shop:11"), *((name, "shop") for name in to_all)]
    )
    assert sorted(received(admin)) == sorted(
        [submitted, submitted, (rejection, "admin"), (announced, "admin:1")]
        + [(name, "admin") for name in to_all]
    )
    restored = {"If-Match": as_admin("GET", "settings").headers["ETag"]}
    assert as_admin("PUT", "settings", json=read.json(), headers=restored).ok


def test_a_product_that_is_edited_or_withdrawn_is_gone_from_every_list_as_its_event_arrives(
    api: Api,
    tokens: dict[str, str],
    connected: Connected,
    as_admin: Callable[..., Any],
    submit: Callable[[], int],
) -> None:
    clients = [connected(kind, tokens[kind]) for kind in ("user", "shop", "admin")]
    product_id = submit()
    path = f"/api/v1/products/{product_id}"

    def is_public() -> bool:
        listed = [
            product_id in [item["product_id"] for item in page["items"]]
            for query in ("", "?status=approved", "?shop_id=10")
            for page in [api.call("GET", f"/api/v1/products{query}")]
        ]
        read = api.answer("GET", path, tokens["user"]).status_code
        assert (read == 200, len({*listed})) == (listed[0], 1)
        return listed[0]

    def versions() -> list[list[int]]:
        """Return the versions of `product.withdrawn` that each client has received."""
        return [
            [each.event["data"]["version"] for each in client.events("product.withdrawn")]
            for client in clients
        ]

    as_admin("POST", f"products/{product_id}/approve")
    assert is_public()
    new = {"product_name": "Синее платье"}
    edited = api.answer("PUT", path, tokens["shop"], json=new)
    assert not is_public()
    for client in clients:
        client.wait_for("product.withdrawn")
    seen = {"If-Match": edited.headers["ETag"]}
    assert as_admin("POST", f"products/{product_id}/approve", headers=seen).ok
    assert is_public()
    why = {"moderation_notes": "Подделка"}
    withdraw = f"products/{product_id}/withdraw"
    assert as_admin("POST", withdraw, json=why).json()["code"] == "version_missing"
    withdrawn = as_admin("POST", withdraw, json=why, headers={"If-Match": '"4"'}).json()["product"]
    assert not is_public()
    for client in clients:
        client.wait_for("product.withdrawn", 2)
    assert versions() == [[3, 5]] * 3
    assert api.call("GET", path, tokens["shop"]) == withdrawn
    decided = [each["moderation_status"] for each in withdrawn["decisions"]]
    assert decided == ["approved", "approved", "withdrawn"]
    assert as_admin("POST", withdraw, json=why).json()["code"] == "not_approved"


@pytest.mark.parametrize("bearer", ["user", "shop"])
def test_every_route_of_the_admins_is_closed_to_others(
    api: Api, tokens: dict[str, str], bearer: str
) -> None:
    routes = [route.split() for route in HTTP_ROUTES if "/admin/" in route]
    assert len(routes) == 13
    for method, path in routes:
        concrete = path.replace("{product_id}", "1").replace("{account_id}", "1")
        concrete = concrete.replace("{session_id}", "A" * 22)
        answer = api.answer(method, concrete, tokens[bearer], json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "client_type_forbidden"), path


def test_messages_that_are_refused_change_nothing_and_the_connection_stays(
    connected: Connected, tokens: dict[str, str]
) -> None:
    client = connected("user", token_of(ClientType.USER, 701))
    connection_id = client.frames[0].event["data"]["connection_id"]
    row = connections.find(connection_id)
    assert row
    for n in range(20):
        connections.join(row, f"room-{n}")
        row = connections.require_open(connections.find(connection_id))
    before = row
    zero = {"epoch": "x", "seq": 0}
    refused: list[tuple[Any, str]] = [
        ({"type": "auth", "token": tokens["user"]}, "identity_mismatch"),
        ({"type": "auth", "token": tokens["admin"]}, "identity_mismatch"),
        ({"type": "auth", "token": "garbage"}, "token_invalid"),
        ({"type": "resume", "positions": {"admin": zero}}, "channel_forbidden"),
        ({"type": "resume", "positions": {"user:1": zero}}, "channel_forbidden"),
        ({"type": "join", "room": "one-more"}, "too_many_rooms"),
        ({"type": "join", "room": "x" * 9000}, "message_too_large"),
        ({"type": "$connect"}, "message_invalid"),
        ({"type": "$disconnect"}, "message_invalid"),
        ({"type": "$default"}, "message_invalid"),
        # At a thousand the local cloud's own parser gives up; ten thousand are tried with moto.
        ("[" * 900, "message_not_json"),
        (b"\xff\xfe\x00", "message_not_json"),
    ]
    for n, (message, code) in enumerate(refused, start=1):
        client.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
        error = client.wait_for("error", n)[-1].event
        assert error["data"]["code"] == code, (message, error)
    assert connections.find(connection_id) == before
    client.send({"type": "ping"})
    client.wait_for("pong")


def test_a_token_that_expires_while_its_socket_listens_gets_no_more_and_is_closed(
    api: Api,
    connected: Connected,
    submit: Callable[[], int],
    approve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    witness = connected("user", token_of(ClientType.USER, 703))
    now = time.time()
    lifetime = config.current().token_lifetime_seconds
    monkeypatch.setattr(time, "time", lambda: now - lifetime + 6)
    token = token_of(ClientType.USER, 702)
    monkeypatch.undo()
    listener = connected("user", token)
    wait_until(lambda: time.time() > now + 6, wanted=True)
    approve(submit())
    witness.wait_for("product.approved")
    sweep()
    [closing] = listener.wait_for("closing")
    assert closing.event["data"] == {"reason": "token_expired"}
    wait_until(lambda: listener.is_closed, wanted=True)
    assert listener.events("product.approved") == []
    assert not witness.is_closed


def test_a_refreshed_token_extends_the_open_connection(api: Api, connected: Connected) -> None:
    session = api.begin_session("shop@example.com", PASSWORD)
    client = connected("shop", session["access_token"])
    body = {"refresh_token": session["refresh_token"]}
    newer = api.call("POST", "/api/v1/auth/refresh", json=body)["access_token"]
    client.send({"type": "auth", "token": newer})
    [authenticated] = client.wait_for("authenticated")
    until = authenticated.event["data"]["expires_at"]
    assert until >= client.frames[0].event["data"]["expires_at"]


def test_a_session_that_logs_out_is_out_everywhere_and_the_others_stay(
    api: Api, connected: Connected
) -> None:
    phone, tablet = (api.begin_session("user@example.com", PASSWORD) for _ in range(2))
    clients = [connected("user", each["access_token"]) for each in (phone, tablet)]
    listed = api.call("GET", "/api/v1/me/sessions", phone["access_token"])["sessions"]
    assert [each["id"] for each in listed if each["current"]] == [
        phone["refresh_token"].split(".")[1]
    ]
    answer = api.answer("POST", "/api/v1/auth/logout", phone["access_token"])
    assert (answer.status_code, answer.content) == (204, b"")
    wait_until(lambda: clients[0].is_closed, wanted=True)
    assert not clients[1].is_closed
    body = {"refresh_token": phone["refresh_token"]}
    refused = api.answer("POST", "/api/v1/auth/refresh", json=body)
    assert (refused.status_code, refused.json()["code"]) == (401, "session_ended")
    assert api.answer("GET", "/api/v1/me", phone["access_token"]).status_code == 401
    assert api.answer("GET", "/api/v1/me", tablet["access_token"]).status_code == 200


def test_a_disconnected_account_is_out_everywhere(
    api: Api, connected: Connected, as_admin: Callable[..., Any]
) -> None:
    token = token_of(ClientType.SHOP, 712, shop_id=12)
    clients = [connected("shop", token) for _ in range(2)]
    colleague = connected("shop", token_of(ClientType.SHOP, 713, shop_id=12))
    answer = as_admin("POST", "accounts/712/disconnect").json()
    assert answer == {"account_id": 712, "closed": 2}
    for client in clients:
        [closing] = client.wait_for("closing")
        assert closing.event["data"] == {"reason": "account_disconnected"}
        wait_until(partial(getattr, client, "is_closed"), wanted=True)
    assert not colleague.is_closed
    refused = api.answer("GET", "/api/v1/me", token)
    assert (refused.status_code, refused.json()["code"]) == (401, "token_revoked")
    body = {"product_name": "x"}
    assert api.answer("POST", "/api/v1/products", token, json=body).status_code == 401
    with pytest.raises(InvalidStatus):
        Client(api.websocket_url("shop", token))


def test_of_one_too_many_connections_the_oldest_is_closed(connected: Connected) -> None:
    token = token_of(ClientType.USER, 704)
    most = config.current().connections_per_identity
    first = connected("user", token)
    # Their age is known to the second.
    a_second_later = time.time() + 1
    wait_until(lambda: time.time() > a_second_later, wanted=True)
    others = [connected("user", token) for _ in range(most)]
    [closing] = first.wait_for("closing")
    assert closing.event["data"] == {"reason": "too_many_connections"}
    wait_until(lambda: first.is_closed, wanted=True)
    assert not any(client.is_closed for client in others)


def test_approvals_and_rejections_that_meet_make_one_event_each(
    connected: Connected, as_admin: Callable[..., Any], submit: Callable[[], int]
) -> None:
    shop = connected("shop", token_of(ClientType.SHOP, 714, shop_id=10))
    admin = connected("admin", token_of(ClientType.ADMIN, 705))
    product_ids = [submit() for _ in range(50)]

    def approve(product_id: int) -> Any:
        return as_admin("POST", f"products/{product_id}/approve")

    def reject(product_id: int) -> Any:
        notes = {"moderation_notes": "Нет фотографии"}
        return as_admin("POST", f"products/{product_id}/reject", json=notes)

    def meet(product_id: int) -> list[int]:
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(decide, product_id) for decide in (approve, reject)]
            return sorted(answer.result().status_code for answer in both)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(meet, product_ids)) == [[200, 409]] * 50
    for client, before in ((shop, 0), (admin, 50)):
        events = client.wait_for_events(before + 50)
        decided = [
            event["data"]["product_id"]
            for event in events
            if event["event"] in ("product.approved", "product.rejected")
        ]
        assert sorted(decided) == product_ids


def test_a_hundred_products_at_once_are_a_hundred_events_for_each_in_order(
    api: Api, connected: Connected, as_admin: Callable[..., Any], submit: Callable[[], int]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        product_ids = sorted(pool.map(lambda _: submit(), range(100)))
    clients = [
        connected("user", token_of(ClientType.USER, 706)),
        connected("user", token_of(ClientType.USER, 707)),
        connected("shop", token_of(ClientType.SHOP, 715, shop_id=11)),
        connected("user", token_of(ClientType.USER, 709), batch=True),
    ]
    body = {"product_ids": product_ids}
    answer = as_admin("POST", "products/bulk-approve", json=body).json()
    assert [result["result"] for result in answer["results"]] == ["approved"] * 100
    for client in clients:
        events = client.wait_for_events(100)
        assert [event["data"]["product_id"] for event in events] == product_ids
        seqs = [event["seq"] for event in events]
        assert seqs == list(range(seqs[0], seqs[0] + 100))
    # A hundred events of about 400 bytes are two frames; each event has its frame's text.
    assert [len({frame.text for frame in client.frames[1:]}) for client in clients] == [
        *(100, 100, 100),
        2,
    ]


def test_who_was_away_gets_a_hundred_events_in_few_frames_if_it_takes_batches(
    api: Api, connected: Connected, as_admin: Callable[..., Any], submit: Callable[[], int]
) -> None:
    inboxes = {batch: Inbox() for batch in (True, False)}
    token = token_of(ClientType.USER, 711)
    for batch, inbox in inboxes.items():
        connected("user", token, inbox, batch=batch).close()
    with ThreadPoolExecutor(8) as pool:
        product_ids = sorted(pool.map(lambda _: submit(), range(100)))
    as_admin("POST", "products/bulk-approve", json={"product_ids": product_ids})
    for batch, inbox in inboxes.items():
        client = connected("user", token, inbox, batch=batch)
        events = client.wait_for_events(100)
        assert [event["data"]["product_id"] for event in events] == product_ids
        client.wait_for("recovered")
        # In batches, `connected` and `recovered` are in these two; without, they are single frames,
        # and so many events need a `resume`.
        assert len({frame.text for frame in client.frames}) == (2 if batch else 102)
        recovering = client.frames[0].event["data"]["recovering"]
        assert recovering == (["user", "user:711"] if batch else [])


def test_what_was_said_in_a_room_while_a_client_was_away_is_recovered(
    api: Api, connected: Connected, as_admin: Callable[..., Any]
) -> None:
    def rooms() -> Any:
        return api.call("GET", "/ws/stats")["rooms"]

    def announce(title: str) -> None:
        body = {"to": "room:sale", "title": title, "text": "…"}
        assert as_admin("POST", "announcements", json=body).ok

    wait_until(rooms, 0)
    inbox = Inbox()
    token = token_of(ClientType.USER, 708)
    client = connected("user", token, inbox)
    client.send({"type": "join", "room": "sale"})
    client.wait_for("joined")
    wait_until(rooms, 1)
    announce("first")
    client.wait_for_events(1)
    client.close()
    wait_until(rooms, 0)
    announce("missed")
    back = connected("user", token, inbox)
    back.wait_for("recovered")
    announce("last")
    events = back.wait_for_events(3)
    assert [event["data"]["title"] for event in events] == ["first", "missed", "last"]
    back.send({"type": "leave", "room": "sale"})
    back.wait_for("left")
    wait_until(rooms, 0)


def test_what_is_read_over_http_is_what_a_client_recovers(
    api: Api, connected: Connected, as_admin: Callable[..., Any]
) -> None:
    channels, token = ("user:709", "room:news"), token_of(ClientType.USER, 709)
    client = connected("user", token)
    client.send({"type": "join", "room": "news"})
    client.wait_for("joined")
    client.close()
    since = {name: f"{at['epoch']}:{at['seq']}" for name, at in client.inbox.positions.items()}
    for n in range(6):
        body = {"to": channels[n % 2], "title": f"{n}", "text": "…"}
        assert as_admin("POST", "announcements", json=body).ok

    def read(channel: str) -> Iterator[Any]:
        query = {"channel": channel, "since": since[channel], "limit": "2"}
        while True:
            page = api.call("GET", "/api/v1/events", token, params=query)
            assert page["recovered"]
            yield from page["events"]
            query["since"] = f"{page['position']['epoch']}:{page['position']['seq']}"
            if not page["has_more"]:
                return

    back = connected("user", token, client.inbox)
    recovered = back.wait_for_events(6)
    for channel in channels:
        assert [*read(channel)] == [each for each in recovered if each["channel"] == channel]
    back.send({"type": "leave", "room": "news"})
    back.wait_for("left")
    refused = api.answer("GET", "/api/v1/events", token, params={"channel": "room:news"})
    assert refused.json()["code"] == "channel_forbidden"


def test_pages_of_the_allowed_origin_alone_may_call_and_connect(
    api: Api, url: str, tokens: dict[str, str]
) -> None:
    def preflight(path: str, method: str, origin: str) -> Any:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type,if-match",
        }
        answer = api.answer("OPTIONS", path, headers=asked)
        assert (answer.status_code, answer.content) == (204, b""), path
        return answer.headers

    for path, methods in api.call("GET", "/openapi.json")["paths"].items():
        for method in map(str.upper, methods):
            allowed = preflight(path.replace("{", "").replace("}", ""), method, ALLOWED_ORIGIN)
            assert allowed["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN
            assert method in allowed["Access-Control-Allow-Methods"].split(", ")
            names = allowed["Access-Control-Allow-Headers"].split(", ")
            assert names == [*REQUEST_HEADERS]
    foreign = preflight("/api/v1/admin/settings", "PUT", "https://evil.example.com")
    assert [name for name in foreign if name.lower().startswith("access-control")] == []
    for status, path in {401: "/api/v1/admin/settings", 404: "/nowhere", 200: "/health"}.items():
        answer = api.answer("GET", path, headers={"Origin": ALLOWED_ORIGIN})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED_ORIGIN
        assert answer.headers["Vary"] == "Origin"

    address = api.websocket_url("admin", tokens["admin"])
    with Client.connected(address, origin=ALLOWED_ORIGIN):
        pass
    with pytest.raises(InvalidStatus) as refused:
        Client(address, origin="https://evil.example.com")
    assert refused.value.response.status_code == 403


def test_a_key_is_replaced_and_all_stay_logged_in(
    api: Api,
    tokens: dict[str, str],
    connected: Connected,
    submit: Callable[[], int],
    approve: Callable[..., Any],
) -> None:
    before = connected("user", tokens["user"])
    new = boto3.client("secretsmanager").put_secret_value(
        SecretId=config.current().signing_key_secret, SecretString="n" * 64
    )
    # Processes read it again after five minutes; one that begins does so at once.
    begin_anew("login")
    newer = api.login("user@example.com", "password")
    assert jwt.get_unverified_header(newer)["kid"] == new["VersionId"]
    assert jwt.get_unverified_header(tokens["user"])["kid"] != new["VersionId"]
    for token in (tokens["user"], newer):
        assert api.answer("GET", "/api/v1/me", token).status_code == 200
    clients = [before, connected("user", tokens["user"]), connected("user", newer)]
    approve(submit())
    for client in clients:
        client.wait_for("product.approved")
        assert not client.is_closed


def begin_anew(name: str) -> None:
    """Have the next call of a function made in a new process."""
    boto3.client("lambda").update_function_configuration(
        FunctionName=function_name(name), Timeout=20
    )


def test_logins_that_fail_again_and_again_are_refused(api: Api) -> None:
    """A try comes back each minute, and the local cloud may take more than one for all of them.

    Most are taken here, where the function takes them: it compares passwords, which costs time.
    """

    def pairs() -> set[str]:
        rows = aws.dynamodb().scan(TableName=config.current().platform_table)["Items"]
        return {name for row in rows if (name := row["name"]["S"]).startswith("login#pair#")}

    body = {"email": "unheard-of@example.com", "password": "wrong password"}
    before = pairs()
    assert api.answer("POST", "/api/v1/auth/login", json=body).status_code == 401
    [pair] = pairs() - before
    for _ in range(PAIR.tries - 3):
        buckets.take(pair, PAIR)
    assert api.answer("POST", "/api/v1/auth/login", json=body).status_code == 401
    wait_until(lambda: api.answer("POST", "/api/v1/auth/login", json=body).status_code, 429)
    refused = api.answer("POST", "/api/v1/auth/login", json=body)
    assert refused.json()["code"] == "too_many_attempts"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
