"""The HTTP API, with its table of routes."""

import json
from collections.abc import Mapping

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from infra.cdk import grants, log_groups, throttles
from infra.cdk.lambdas import Lambdas
from infra.cdk.stages import Stage

LOGIN = "POST /api/v1/auth/login"

HTTP_ROUTES = {
    LOGIN: "login",
    "POST /api/v1/auth/refresh": "sessions",
    "POST /api/v1/auth/logout": "sessions",
    "GET /api/v1/me": "sessions",
    "GET /api/v1/me/sessions": "sessions",
    "DELETE /api/v1/me/sessions": "sessions",
    "DELETE /api/v1/me/sessions/{session_id}": "sessions",
    "PUT /api/v1/me/devices/{device_id}": "devices",
    "DELETE /api/v1/me/devices/{device_id}": "devices",
    "GET /api/v1/me/notifications": "devices",
    "PUT /api/v1/me/notifications": "devices",
    "POST /api/v1/admin/products/{product_id}/approve": "approve",
    "POST /api/v1/admin/products/bulk-approve": "approve",
    "POST /api/v1/admin/products/{product_id}/reject": "reject",
    "POST /api/v1/admin/products/{product_id}/withdraw": "reject",
    "POST /api/v1/admin/products/bulk-reject": "reject",
    "GET /api/v1/admin/moderation/queue": "products",
    "GET /api/v1/admin/settings": "settings",
    "PUT /api/v1/admin/settings": "settings",
    "GET /api/v1/settings": "settings",
    "POST /api/v1/admin/announcements": "announce",
    "GET /api/v1/admin/accounts": "accounts",
    "GET /api/v1/admin/accounts/{account_id}/sessions": "accounts",
    "DELETE /api/v1/admin/accounts/{account_id}/sessions/{session_id}": "accounts",
    "POST /api/v1/admin/accounts/{account_id}/disconnect": "accounts",
    "POST /api/v1/products": "products",
    "PUT /api/v1/products/{product_id}": "products",
    "GET /api/v1/products": "products",
    "GET /api/v1/products/{product_id}": "products",
    "GET /api/v1/events": "events",
    "GET /ws/stats": "stats",
    "GET /health": "stats",
    "GET /openapi.json": "openapi",
    "GET /asyncapi.json": "openapi",
}

# Pages for people and what pages load, which the descriptions of the API do not have.
PAGES = {
    "GET /problems": "openapi",
    "GET /docs": "openapi",
    "GET /docs/{name}": "openapi",
    "GET /client/vitrina.js": "openapi",
}


def with_head(routes: Mapping[str, str]) -> dict[str, str]:
    """Return routes with HEAD wherever there is GET, which API Gateway takes for another method."""
    return dict(routes) | {
        route.replace("GET ", "HEAD "): name
        for route, name in routes.items()
        if route.startswith("GET ")
    }


ROUTES = with_head(HTTP_ROUTES | PAGES)

# Routes with a rate of their own, by its option: a login needs a processor, and the others are open
# to everyone.
ROUTE_RATES = {
    LOGIN: "logins_per_second",
    "GET /ws/stats": "stats_per_second",
    "GET /health": "stats_per_second",
}

# Answers preflights, and refuses unknown routes and methods as all refusals are (RFC 9457).
OTHER_ROUTES = "openapi"

# The access log's fields; the function's own log lines have the same `function_request_id`.
REQUEST_LOG = {
    "request_id": "$context.requestId",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "function_request_id": "$context.integration.requestId",
    "error": "$context.integrationErrorMessage",
}


class HttpApi(Construct):
    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, emulator: str | None
    ) -> None:
        """Apply the stage's rates and its `log_retention_days`.

        `emulator` is the host and port of a local cloud, which has the API instead of AWS.
        """
        super().__init__(scope, construct_id)
        reason = "The functions verify tokens themselves, and some routes are public."
        grants.acknowledge(self, {"APIG4": reason})
        self._stage = stage
        # Without CORS of its own, which would ignore that of vitrina/cors.py.
        self.api = apigateway.HttpApi(self, "Api")
        rate, burst = stage.throttle("http_requests_per_second")
        self._default_stage().default_route_settings = apigateway.CfnStage.RouteSettingsProperty(
            throttling_rate_limit=rate, throttling_burst_limit=burst
        )
        if emulator:
            self.url = f"http://{emulator}/_aws/execute-api/{self.api.api_id}/$default"
        else:
            self.url = self.api.api_endpoint
            self._log_requests()

    def route_to(self, functions: Lambdas) -> None:
        integrated = {
            name: integrations.HttpLambdaIntegration(
                f"{name.capitalize()}Integration", functions[name]
            )
            for name in sorted({*ROUTES.values(), OTHER_ROUTES})
        }
        rates = {
            route: self._stage.throttle(name) for route, name in with_head(ROUTE_RATES).items()
        }
        throttled: list[apigateway.HttpRoute] = []
        for route, name in ROUTES.items():
            method, path = route.split()
            added = self.api.add_routes(
                path=path, methods=[apigateway.HttpMethod[method]], integration=integrated[name]
            )
            if route in rates:
                throttled += added
        throttles.of_routes(self._default_stage(), rates, throttled)
        apigateway.HttpRoute(
            self,
            "OtherRoutes",
            http_api=self.api,
            route_key=apigateway.HttpRouteKey.DEFAULT,
            integration=integrated[OTHER_ROUTES],
        )

    def _log_requests(self) -> None:
        """Log every request, without its query, as the query may contain a token (`?token=`)."""
        requests = log_groups.log_group(self, "Requests", self._stage)
        self._default_stage().access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=requests.log_group_arn, format=json.dumps(REQUEST_LOG)
        )

    def _default_stage(self) -> apigateway.CfnStage:
        assert self.api.default_stage is not None  # noqa: S101
        stage = self.api.default_stage.node.default_child
        assert isinstance(stage, apigateway.CfnStage)  # noqa: S101
        return stage
