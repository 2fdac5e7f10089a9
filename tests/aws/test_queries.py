"""Queries of every route: a parameter that the route does not declare is refused."""

from importlib import import_module
from typing import Any

import pytest

from functions.openapi.handler import handler as other_routes
from harness.tokens import token_of
from infra.cdk.http_api import HTTP_ROUTES
from tests.aws.conftest import HttpCall
from vitrina.channels import ClientType

pytestmark = pytest.mark.usefixtures("cloud")


def call(route: str, bearer: ClientType | None, **query: Any) -> Any:
    method, path = route.split()
    handler = import_module(f"functions.{HTTP_ROUTES[route]}.handler").handler
    path = path.replace("{session_id}", "A" * 22).replace("{product_id}", "1")
    path = path.replace("{account_id}", "1")
    token = token_of(bearer) if bearer else None
    body: Any = None if method == "GET" else {}
    headers = {"if-match": '"1"'} if route == "PUT /api/v1/admin/settings" else {}
    return HttpCall(handler)(method, path, body, token=token, headers=headers, **query)


def bearer_of(route: str) -> ClientType:
    is_submission = route.endswith((" /api/v1/products", "/api/v1/products/{product_id}"))
    return ClientType.SHOP if is_submission else ClientType.ADMIN


@pytest.mark.parametrize("route", HTTP_ROUTES)
def test_an_unknown_parameter_is_refused_by_its_name(route: str) -> None:
    answer = call(route, bearer_of(route), limits="5")
    assert (answer.status, answer.body["code"]) == (422, "request_invalid")
    assert {
        "field": "query.limits",
        "code": "extra_forbidden",
        "detail": "There is no such parameter",
    } in answer.body["errors"]
    assert '"5"' not in str(answer.body)


def test_all_faults_of_a_query_are_named_together() -> None:
    answer = call("GET /api/v1/products", None, limit="0", Limit="5", x="")
    fields = [error["field"] for error in answer.body["errors"]]
    assert fields == ["query.limit", "query.Limit", "query.x"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("TRACE", "/health", 405), ("OPTIONS", "/health", 204)],
)
def test_a_request_without_a_route_is_answered_whatever_its_query(
    method: str, path: str, status: int
) -> None:
    answer = HttpCall(other_routes)(method, path, limits="5")
    assert answer.status == status


def test_a_caller_without_access_is_told_that_alone() -> None:
    route = "GET /api/v1/admin/moderation/queue"
    assert call(route, None, x="1").body["code"] == "token_missing"
    assert call(route, ClientType.SHOP, x="1").body["code"] == "client_type_forbidden"
