"""Lists of products: which of them the edge shares."""

import secrets

import requests

from local.client import Client
from ops.verify.expectation import Unexpected, expect
from ops.verify.site import Site
from vitrina.listings import LIST_TTL_SECONDS
from vitrina.products import PublicProduct

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
    site.stop.wait(LIST_TTL_SECONDS + 1)
    came = _cache_of(site.request("GET", APPROVED, headers=page))
    if "Hit" not in came:
        raise Unexpected(came)
    return came


def since_ahead_is_not_shared(site: Site) -> str:
    """Request a list twice since an event that there is not."""
    return _not_shared(*(site.request("GET", f"{APPROVED}&since=00000000:1") for _ in range(2)))


def since_is_not_older(site: Site) -> str:
    """Approve a product and withdraw it, and request the list since each event."""
    site.request("GET", APPROVED)
    with site.connect("user", site.token("user")) as client:
        product_id = site.submit()
        site.approve(product_id)
        approved = _listed_since(site, client, "product.approved", product_id)
        site.withdraw(product_id)
        withdrawn = _listed_since(site, client, "product.withdrawn", product_id)
    return expect(f"{approved}, then {withdrawn}", "listed, then not listed")


def _listed_since(site: Site, client: Client, name: str, product_id: int) -> str:
    """Wait for a product's event; return how the list since this event shows the product."""
    frame = site.until(
        lambda: next(
            (
                each
                for each in client.events(name)
                if each.event["data"]["product_id"] == product_id
            ),
            None,
        ),
        AFTER_SECONDS,
        name,
    )
    [connected] = client.events("connected")
    epoch = connected.event["data"]["positions"]["user"]["epoch"]
    items = site.request("GET", f"{APPROVED}&since={epoch}:{frame.event['seq']}").json()["items"]
    found = next((item for item in items if item["product_id"] == product_id), None)
    if found is None:
        return "not listed"
    others = found.keys() - PublicProduct.model_fields.keys()
    return f"listed with {', '.join(sorted(others))}" if others else "listed"


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
