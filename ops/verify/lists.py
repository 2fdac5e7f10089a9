"""Lists of products: which of them the edge shares."""

import secrets

import requests

from ops.verify.expectation import Unexpected, expect
from ops.verify.site import Site
from vitrina.products import LIST_FRESH_SECONDS

APPROVED = "/api/v1/products?status=approved"
# Each pair of requests must fall into the ten seconds of one cached list.
ATTEMPTS = 3
AFTER_SECONDS = 20


def are_shared(site: Site) -> str:
    """Request a list with two different tokens, neither of which is valid."""
    for _ in range(ATTEMPTS):
        page = _new_page()
        first = _cache_of(site.request("GET", APPROVED, "x", headers=page))
        second = _cache_of(site.request("GET", APPROVED, "y", headers=page))
        came = f"{first}, then {second}"
        if "Miss" in first and "Hit" in second:
            return came
    raise Unexpected(came)


def stale_list_is_served(site: Site) -> str:
    """Request a list after it is stale: the old one comes at once."""
    page = _new_page()
    site.request("GET", APPROVED, headers=page)
    site.stop.wait(LIST_FRESH_SECONDS + 1)
    came = _cache_of(site.request("GET", APPROVED, headers=page))
    if "Hit" not in came:
        raise Unexpected(came)
    return came


def since_ahead_is_not_shared(site: Site) -> str:
    """Request a list twice since an event that there is not."""
    return _not_shared(*(site.request("GET", f"{APPROVED}&since=00000000:1") for _ in range(2)))


def since_is_not_older(site: Site) -> str:
    """Approve a product, and request the list since its event."""
    site.request("GET", APPROVED)
    with site.connect("user", site.token("user")) as client:
        product_id = site.submit()
        site.approve(product_id)
        frame = site.until(
            lambda: next(
                (
                    each
                    for each in client.events("product.approved")
                    if each.event["data"]["product_id"] == product_id
                ),
                None,
            ),
            AFTER_SECONDS,
            "product.approved",
        )
        [connected] = client.events("connected")
    epoch = connected.event["data"]["positions"]["user"]["epoch"]
    path = f"{APPROVED}&since={epoch}:{frame.event['seq']}"
    listed = [item["product_id"] for item in site.request("GET", path).json()["items"]]
    return expect("listed" if product_id in listed else "not listed", "listed")


def others_are_not_shared(site: Site) -> str:
    """Request the pending products twice as an administrator."""
    path, token = "/api/v1/products?status=pending&limit=1", site.token("admin")
    return _not_shared(*(site.request("GET", path, token) for _ in range(2)))


def _not_shared(*answers: requests.Response) -> str:
    hit = any("Hit" in answer.headers.get("X-Cache", "") for answer in answers)
    caching = answers[-1].headers.get("Cache-Control")
    return expect(f"{caching}, {'Hit' if hit else 'no Hit'}", "no-store, no Hit")


def _new_page() -> dict[str, str]:
    """Return the header of a page that nobody has, whose lists the edge keeps apart."""
    return {"Origin": f"https://{secrets.token_hex(4)}.invalid"}


def _cache_of(answer: requests.Response) -> str:
    if not answer.ok:
        raise Unexpected(str(answer.status_code))
    return answer.headers.get("X-Cache", "no x-cache")
