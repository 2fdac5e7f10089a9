"""Products: submit, submit again, list by status, read."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import AfterValidator, Field

from vitrina import http_api, listings, moderation, products, responses, shared_lists, trail
from vitrina.http_api import Limit
from vitrina.idempotency import Once
from vitrina.listings import LIST_STALE_TTL_SECONDS, LIST_TTL_SECONDS, Page, PublicPage, Queue
from vitrina.products import Product, PublicProduct, Status, Submission
from vitrina.types import Id, Numeral

app = http_api.resolver()

# Clients without a cursor may send an empty one.
Cursor = Annotated[
    Annotated[str, Field(max_length=500)] | None,
    AfterValidator(lambda cursor: cursor or None),
    Query(),
]
OfShop = Annotated[Id | None, Numeral, Query()]

# Only lists that are the same for everyone are shared; the edge caches nothing else.
SHARED = f"public, max-age={LIST_TTL_SECONDS}, stale-while-revalidate={LIST_STALE_TTL_SECONDS}"


@app.post(
    "/api/v1/products",
    responses=responses.describe(
        "too_many_submissions", "busy", done=HTTPStatus.CREATED, is_versioned=True
    ),
)
def submit_product(
    shop: http_api.Shop, once: Once, submission: Annotated[Submission, Body()]
) -> Response[Product]:
    """Submit a new product, which is pending until an administrator decides."""
    return once(lambda receipt: moderation.submit(submission, shop, receipt), _created)


def _created(product: Product) -> Response[Product]:
    trail.note(product_id=product.product_id)
    return http_api.versioned(product, product.version, HTTPStatus.CREATED)


@app.put(
    "/api/v1/products/<product_id>",
    responses=responses.describe(
        "product_not_found",
        "product_forbidden",
        "product_changed",
        "too_many_submissions",
        "busy",
        is_versioned=True,
    ),
)
def resubmit_product(
    product_id: http_api.PathId,
    shop: http_api.Shop,
    expected: http_api.IfMatch,
    submission: Annotated[Submission, Body()],
) -> Response[Product]:
    """Replace a product of the shop; it becomes pending again from every status."""
    resubmitted = moderation.resubmit(product_id, submission, shop, expected)
    product = resubmitted.product(product_id)
    return http_api.versioned(product, product.version)


@app.get("/api/v1/admin/moderation/queue", responses=responses.describe("cursor_invalid", "busy"))
def list_moderation_queue(
    _admin: http_api.Admin, limit: Limit = 20, cursor: Cursor = None, shop_id: OfShop = None
) -> Queue:
    """List pending products, of one shop or of all, the oldest first, with their number."""
    return listings.of_queue(shop_id, limit, cursor)


@app.get(
    "/api/v1/products",
    responses=responses.describe("client_type_forbidden", "product_forbidden", "cursor_invalid"),
)
def list_products(
    viewer: http_api.OptionalBearer,
    *,
    status: Annotated[Status, Query()] = Status.APPROVED,
    limit: Limit = 20,
    cursor: Cursor = None,
    since: Annotated[str | None, Query()] = None,
    shop_id: OfShop = None,
) -> Response[PublicPage | Page]:
    """List products of a status: approved ones for everyone, others for their shop and admins.

    Approved products are listed as everyone may see them, also for an administrator.
    """
    if status is not Status.APPROVED:
        return http_api.with_headers(listings.of_status(status, viewer, shop_id, limit, cursor), {})
    page, may_be_shared = shared_lists.read(shop_id, limit, cursor, since)
    return http_api.with_headers(page, {"Cache-Control": SHARED} if may_be_shared else {})


@app.get(
    "/api/v1/products/<product_id>",
    responses=responses.describe("product_not_found", is_versioned=True),
)
def get_product(
    product_id: http_api.PathId, viewer: http_api.OptionalBearer
) -> Response[PublicProduct | Product]:
    """Read a product that the caller may see.

    Its shop and administrators see its decisions too.
    """
    product = products.get(product_id, viewer)
    return http_api.versioned(product.shown_to(viewer), product.version)


handler = http_api.handler(app)
