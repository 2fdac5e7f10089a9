"""Products over HTTP: submit one, submit it again, list by status, get one."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import http_api, moderation, products, publishing
from vitrina.auth import Id
from vitrina.products import (
    LIST_FRESH_SECONDS,
    LIST_STALE_SECONDS,
    Page,
    Product,
    Status,
    Submission,
)

logger = Logger()
app = http_api.resolver()

Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=500)]

# What everyone may see may be shared by everyone; the edge keeps nothing else.
SHARED = f"public, max-age={LIST_FRESH_SECONDS}, stale-while-revalidate={LIST_STALE_SECONDS}"


@app.post("/api/v1/products", responses=http_api.answers("busy", done=HTTPStatus.CREATED))
def submit(
    shop: http_api.Shop, submission: Annotated[Submission, Body()]
) -> tuple[Product, HTTPStatus]:
    """Submit a new product, which is pending until an administrator decides."""
    product, rows = moderation.submit(submission, shop)
    publishing.publish(rows)
    return product, HTTPStatus.CREATED


@app.put(
    "/api/v1/products/<product_id>",
    responses=http_api.answers(
        "product_not_found", "product_forbidden", "product_changed", "busy", is_versioned=True
    ),
)
def resubmit(
    product_id: Annotated[Id, Path()],
    shop: http_api.Shop,
    seen: http_api.Seen,
    submission: Annotated[Submission, Body()],
) -> Response[Product]:
    """Replace what the shop says of its product, which is pending again, whatever it was."""
    resubmitted = moderation.resubmit(product_id, submission, shop, seen)
    product = resubmitted.product(product_id)
    publishing.publish(resubmitted.rows)
    return http_api.versioned(product, product.version)


@app.get("/api/v1/admin/moderation/queue", responses=http_api.answers("cursor_invalid"))
def moderation_queue(admin: http_api.Admin, limit: Limit = 20, cursor: Cursor = None) -> Page:
    """List what waits for a decision, the oldest first."""
    return products.list_by_status(Status.PENDING, admin, limit, cursor)


@app.get("/api/v1/products", responses=http_api.answers("client_type_forbidden", "cursor_invalid"))
def list_by_status(
    viewer: http_api.Visitor,
    status: Annotated[Status, Query()] = Status.APPROVED,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Response[Page]:
    """List products of a status: approved ones for everyone, others for their shop and admins."""
    page = products.list_by_status(status, viewer, limit, cursor)
    shared = {"Cache-Control": SHARED} if status is Status.APPROVED else {}
    return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, page, headers=shared)


@app.get(
    "/api/v1/products/<product_id>",
    responses=http_api.answers("product_not_found", is_versioned=True),
)
def get(product_id: Annotated[Id, Path()], viewer: http_api.Visitor) -> Response[Product]:
    """Read a product that the caller may see."""
    product = products.get(product_id, viewer)
    return http_api.versioned(product, product.version)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http_api.handle(app, event, context)
