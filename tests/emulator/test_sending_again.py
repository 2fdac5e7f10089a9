"""Requests that are sent again with one key: connections that are cut, and eight at once."""

import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests

from local.client import Api, Client
from tests.emulator.conftest import Connect, wait_until

PATIENCE_SECONDS = 60
# More than one transaction.
BULK = 25

Submit = Callable[[], int]


class Shop(NamedTuple):
    """Ways to bring a product into a state that a request needs."""

    submit: Submit
    approve: Callable[..., Any]


@pytest.fixture
def shop(submit: Submit, approve: Callable[..., Any]) -> Shop:
    return Shop(submit, approve)


class Request(NamedTuple):
    """A POST, and what is in each of the events that it leads to."""

    path: str
    bearer: str
    body: Any
    mark: str
    events: int = 1


def submit_one(_: Shop, mark: str) -> Request:
    return Request("/api/v1/products", "shop", {"product_name": mark}, mark)


def approve(shop: Shop, mark: str) -> Request:
    path = f"/api/v1/admin/products/{shop.submit()}/approve"
    return Request(path, "admin", {"moderation_notes": mark}, mark)


def reject(shop: Shop, mark: str) -> Request:
    path = f"/api/v1/admin/products/{shop.submit()}/reject"
    return Request(path, "admin", {"moderation_notes": mark}, mark)


def withdraw(shop: Shop, mark: str) -> Request:
    product_id = shop.submit()
    name = shop.approve(product_id).json()["product"]["product_name"]
    path = f"/api/v1/admin/products/{product_id}/withdraw"
    # The events of the submission, the approval, and the withdrawal.
    return Request(path, "admin", {"moderation_notes": mark}, name, 3)


def bulk_approve(shop: Shop, mark: str, route: str = "bulk-approve") -> Request:
    with ThreadPoolExecutor(8) as pool:
        product_ids = [*pool.map(lambda _: shop.submit(), range(BULK))]
    body = {"product_ids": product_ids, "moderation_notes": mark}
    return Request(f"/api/v1/admin/products/{route}", "admin", body, mark, BULK)


def bulk_reject(shop: Shop, mark: str) -> Request:
    return bulk_approve(shop, mark, "bulk-reject")


def announce(_: Shop, mark: str) -> Request:
    body = {"to": "admin", "title": "Распродажа", "text": mark}
    return Request("/api/v1/admin/announcements", "admin", body, mark)


WITH_A_KEY = [submit_one, approve, reject, withdraw, bulk_approve, bulk_reject, announce]


class Sender:
    """Sends one request with one key."""

    def __init__(self, api: Api, request: Request, token: str) -> None:
        self._api = api
        self._request = request
        self._token = token
        self._key = {"Idempotency-Key": str(uuid4())}

    def until_answered(self) -> requests.Response:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._api.answer(
                "POST",
                self._request.path,
                self._token,
                json=self._request.body,
                headers=self._key,
            )
            if answer.status_code != 409:
                return answer
            assert answer.json()["code"] == "request_running"
            assert time.monotonic() < deadline
            time.sleep(int(answer.headers["Retry-After"]))

    def cut_after(self, received_bytes: int) -> None:
        """Send it, and close the connection in the middle of the answer."""
        url = urlsplit(self._api.url)
        body = json.dumps(self._request.body).encode()
        headers = {
            "Host": url.netloc,
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **self._key,
        }
        lines = [f"POST {self._request.path} HTTP/1.1", *map(": ".join, headers.items()), "", ""]
        address = (url.hostname or "", url.port or 80)
        with socket.create_connection(address, PATIENCE_SECONDS) as connection:
            connection.sendall("\r\n".join(lines).encode() + body)
            if received_bytes:
                assert connection.recv(received_bytes)


def assert_published_once(client: Client, request: Request, submit: Submit) -> None:
    """Check the events of the administrators' channel before one that comes later."""
    marker = submit()

    def has_marker() -> bool:
        return any(event["data"].get("product_id") == marker for event in client.inbox.events)

    wait_until(has_marker, True)
    found = [event for event in client.inbox.events if request.mark in event["data"].values()]
    assert len(found) == request.events


@pytest.mark.parametrize("what", WITH_A_KEY)
def test_a_request_whose_connection_is_cut_is_done_once(
    api: Api,
    tokens: dict[str, str],
    connect: Connect,
    shop: Shop,
    what: Callable[[Shop, str], Request],
) -> None:
    client = connect("admin")
    request = what(shop, str(uuid4()))
    sender = Sender(api, request, tokens[request.bearer])
    sender.cut_after(0)
    sender.cut_after(1)
    first, second = (sender.until_answered() for _ in range(2))
    assert first.ok
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert_published_once(client, request, shop.submit)


@pytest.mark.parametrize("what", WITH_A_KEY)
def test_eight_requests_with_one_key_are_done_once_and_answered_alike(
    api: Api,
    tokens: dict[str, str],
    connect: Connect,
    shop: Shop,
    what: Callable[[Shop, str], Request],
) -> None:
    client = connect("admin")
    request = what(shop, str(uuid4()))
    sender = Sender(api, request, tokens[request.bearer])
    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda _: sender.until_answered(), range(8))]
    assert answers[0].ok
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (answers[0].status_code, answers[0].content)
    }
    replays = [answer.headers.get("Idempotency-Replayed") for answer in answers]
    assert sorted(map(str, replays)) == ["None", *["true"] * 7]
    assert_published_once(client, request, shop.submit)
