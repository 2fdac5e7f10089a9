"""Lists of products: which of them the edge shares."""

import secrets

import requests

from ops.verify.expectation import Unexpected, expect
from ops.verify.site import Site
from vitrina.products import LIST_FRESH_SECONDS

APPROVED = "/api/v1/products?status=approved"
# Each pair of requests must fall into the two seconds of one cached list.
ATTEMPTS = 3
AFTER_SECONDS = 20


def are_shared(site: Site) -> str:
    """Request a list with two different tokens, neither of which is valid."""
    for _ in range(ATTEMPTS):
        path = f"{APPROVED}&since={secrets.token_hex(4)}"
        first = _cache_of(site.request("GET", path, "x"))
        second = _cache_of(site.request("GET", path, "y"))
        came = f"{first}, then {second}"
        if "Miss" in first and "Hit" in second:
            return came
    raise Unexpected(came)


def stale_list_is_served(site: Site) -> str:
    """Request a list after it is stale: the old one comes at once."""
    path = f"{APPROVED}&since={secrets.token_hex(4)}"
    site.request("GET", path)
    site.stop.wait(LIST_FRESH_SECONDS + 1)
    came = _cache_of(site.request("GET", path))
    if "Hit" not in came:
        raise Unexpected(came)
    return came


def since_is_separate(site: Site) -> str:
    """Request a list, and at once another one with another `since`."""
    mark = secrets.token_hex(4)
    came = [_cache_of(site.request("GET", f"{APPROVED}&since={mark}:{n}")) for n in range(2)]
    if not all("Miss" in each for each in came):
        raise Unexpected(", then ".join(came))
    return ", then ".join(came)


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
    path = f"{APPROVED}&since={site.footprint.cast.room}:{frame.event['seq']}"
    listed = [item["product_id"] for item in site.request("GET", path).json()["items"]]
    return expect("listed" if product_id in listed else "not listed", "listed")


def others_are_not_shared(site: Site) -> str:
    """Request the pending products twice as an administrator."""
    path, token = "/api/v1/products?status=pending&limit=1", site.token("admin")
    answers = [site.request("GET", path, token) for _ in range(2)]
    hit = any("Hit" in answer.headers.get("X-Cache", "") for answer in answers)
    caching = answers[1].headers.get("Cache-Control")
    return expect(f"{caching}, {'Hit' if hit else 'no Hit'}", "no-store, no Hit")


def _cache_of(answer: requests.Response) -> str:
    if not answer.ok:
        raise Unexpected(str(answer.status_code))
    return answer.headers.get("X-Cache", "no x-cache")
