"""Shops that submit as fast as they can, while an administrator approves."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

from harness.tokens import token_of
from local.client import Api
from local.emulator import Cloud
from vitrina.channels import ClientType

SHOPS, APPROVALS, REPETITIONS = 20, 20, 3
OTHER_SHOP = 10_000
"""Its products are approved; more than it may submit at once, so there are several."""
PRODUCT = {"product_name": "Красное платье", "price": 4990}

Send = Callable[[Api, int], str]


def measure(_cloud: Cloud, url: str) -> dict[str, Any]:
    """Return the milliseconds of approvals, and the responses to the shops.

    `alone`: no other client sends requests. `submit`: each of the shops submits without a pause.
    `read`: as many clients read a page that is in memory, without a pause.
    """
    approvals: dict[str, list[float]] = {"alone": [], "submit": [], "read": []}
    answers: dict[str, Counter[str]] = {"submit": Counter(), "read": Counter()}
    tokens = {shop: _token(shop) for shop in range(100, 100 + SHOPS)}

    def submit(api: Api, shop: int) -> str:
        answer = api.answer("POST", "/api/v1/products", tokens[shop], json=PRODUCT)
        waits = " with Retry-After" if "Retry-After" in answer.headers else ""
        return f"{answer.status_code}{waits}"

    def read(api: Api, _shop: int) -> str:
        return str(api.answer("GET", "/openapi.json").status_code)

    approver = _Approver(url)
    approver.milliseconds(2)  # processes have started
    for _ in range(REPETITIONS):
        approvals["alone"] += approver.milliseconds(APPROVALS)
        for name, send in {"submit": submit, "read": read}.items():
            with _loops(url, send) as found:
                approvals[name] += approver.milliseconds(APPROVALS)
            answers[name].update(found)
    return {"approvals": approvals, "answers": answers}


def _token(shop: int) -> str:
    return token_of(ClientType.SHOP, shop_id=shop, shop_name=f"Shop {shop}")


@contextmanager
def _loops(url: str, send: Send) -> Iterator[Counter[str]]:
    """Send without a pause, as every shop, until the end of the block; then count the answers."""
    is_over, answers = Event(), Counter[str]()

    def repeat(shop: int) -> Counter[str]:
        api, own = Api(url), Counter[str]()
        while not is_over.is_set():
            own[send(api, shop)] += 1
        api.close()
        return own

    with ThreadPoolExecutor(SHOPS) as pool:
        running = [pool.submit(repeat, shop) for shop in range(100, 100 + SHOPS)]
        try:
            yield answers
        finally:
            is_over.set()
            for loop in running:
                answers += loop.result()


class _Approver:
    def __init__(self, url: str) -> None:
        self._api = Api(url)
        self._token = token_of(ClientType.ADMIN, 1)
        self._shop = OTHER_SHOP

    def milliseconds(self, count: int) -> list[float]:
        """Approve so many products of another shop, one after the other."""
        self._shop += 1
        products = [self._submit() for _ in range(count)]
        found = []
        for product_id in products:
            began = time.monotonic()
            self._api.call(
                "POST", f"/api/v1/admin/products/{product_id}/approve", self._token, json={}
            )
            found.append(1000 * (time.monotonic() - began))
        return found

    def _submit(self) -> int:
        token = _token(self._shop)
        body = self._api.call("POST", "/api/v1/products", token, json=PRODUCT)
        return int(body["product_id"])
