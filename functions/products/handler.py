"""Products over HTTP: submit one, list by status, get one."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import http_api, products, publishing
from vitrina.auth import Id
from vitrina.products import Page, Product, Status, Submission

logger = Logger()
app = http_api.resolver()


@app.post("/api/v1/products")
def submit(
    shop: http_api.Shop, submission: Annotated[Submission, Body()]
) -> tuple[Product, HTTPStatus]:
    product, rows = products.submit(submission, shop)
    publishing.publish(rows)
    return product, HTTPStatus.CREATED


@app.get("/api/v1/products")
def list_by_status(
    viewer: http_api.Visitor,
    status: Annotated[Status, Query()] = Status.APPROVED,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Page:
    return products.list_by_status(status, viewer, limit, cursor)


@app.get("/api/v1/products/<product_id>")
def get(product_id: Annotated[Id, Path()], viewer: http_api.Visitor) -> Product:
    return products.get(product_id, viewer)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http_api.handle(app, event, context)
