"""The two APIs, and which route leads to which function."""

import json

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from infra.cdk import log_groups
from infra.cdk.functions import Functions
from infra.cdk.stages import Stage
from vitrina.events import Pong

STAGE = "ws"

WEBSOCKET_ROUTES = {
    "$connect": "connect",
    "$disconnect": "disconnect",
    "$default": "message",
}

LOGIN = "POST /api/v1/auth/login"

HTTP_ROUTES = {
    LOGIN: "login",
    "POST /api/v1/auth/refresh": "login",
    "POST /api/v1/admin/products/{product_id}/approve": "approve",
    "POST /api/v1/admin/products/bulk-approve": "approve",
    "POST /api/v1/admin/products/{product_id}/reject": "reject",
    "GET /api/v1/admin/moderation/queue": "products",
    "GET /api/v1/admin/settings": "settings",
    "PUT /api/v1/admin/settings": "settings",
    "POST /api/v1/admin/announcements": "announce",
    "POST /api/v1/admin/accounts/{account_id}/disconnect": "accounts",
    "POST /api/v1/products": "products",
    "PUT /api/v1/products/{product_id}": "products",
    "GET /api/v1/products": "products",
    "GET /api/v1/products/{product_id}": "products",
    "GET /ws/stats": "stats",
    "GET /health": "stats",
    "GET /openapi.json": "openapi",
    "GET /asyncapi.json": "openapi",
}


# Says that there is no such route, and which methods one has, as every other refusal is said.
OTHER_ROUTES = "openapi"


# What of a request is logged; `function_request_id` is that of the function's own lines.
REQUEST_LOG = {
    "request_id": "$context.requestId",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "function_request_id": "$context.integration.requestId",
    "error": "$context.integrationErrorMessage",
}

FUNCTIONS_AUTHORIZE = cdk.Acknowledgment(
    id="AwsSolutions::AwsSolutions-APIG4",
    reason="The functions verify tokens themselves, and some routes are for everyone.",
)


class WebSocketApi(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, emulator: str | None) -> None:
        super().__init__(scope, construct_id)
        self._in_cloud = emulator is None
        cdk.Validations.of(self).acknowledge(
            FUNCTIONS_AUTHORIZE,
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-APIG1",
                reason="It takes a role that all APIs of the account share; connect logs each"
                " handshake, message each refusal.",
            ),
        )
        self._api = apigateway.WebSocketApi(
            self, "Api", route_selection_expression="$request.body.type"
        )
        stage = apigateway.WebSocketStage(
            self, "Stage", web_socket_api=self._api, stage_name=STAGE, auto_deploy=True
        )
        self.api_id = self._api.api_id
        local = f"{emulator}/_aws/execute-api/{self._api.api_id}/{STAGE}"
        self.url = local.replace("http://", "ws://", 1) if emulator else stage.url
        self.management_url = local if emulator else stage.callback_url
        self.connection_arns = {
            method: cdk.Stack.of(self).format_arn(
                service="execute-api",
                resource=self._api.api_id,
                resource_name=f"{STAGE}/{method}/@connections/*",
            )
            for method in ("POST", "DELETE")
        }
        """What it takes to post to connections, and to end them."""

    def route_to(self, functions: Functions) -> None:
        for route, name in WEBSOCKET_ROUTES.items():
            self._api.add_route(
                route,
                integration=integrations.WebSocketLambdaIntegration(
                    f"{name.capitalize()}Integration", functions[name]
                ),
                # The local cloud sends what `message` returns without being told to, and knows
                # neither route responses nor the mock below.
                return_response=route == "$default" and self._in_cloud,
            )
        if self._in_cloud:
            self._answer_ping()

    def _answer_ping(self) -> None:
        """Let API Gateway itself answer keep-alives: no Lambda runs for them.

        The L2 integration cannot express responses, hence the Cfn constructs.
        """
        api_id = self._api.api_id
        integration = apigateway.CfnIntegration(
            self,
            "PingIntegration",
            api_id=api_id,
            integration_type="MOCK",
            template_selection_expression="200",
            request_templates={"200": '{"statusCode":200}'},
        )
        apigateway.CfnIntegrationResponse(
            self,
            "PingIntegrationResponse",
            api_id=api_id,
            integration_id=integration.ref,
            integration_response_key="$default",
            response_templates={"200": Pong().body().decode()},
        )
        route = apigateway.CfnRoute(
            self,
            "PingRoute",
            api_id=api_id,
            route_key="ping",
            route_response_selection_expression="$default",
            target=f"integrations/{integration.ref}",
        )
        apigateway.CfnRouteResponse(
            self,
            "PingRouteResponse",
            api_id=api_id,
            route_id=route.ref,
            route_response_key="$default",
        )


class HttpApi(Construct):
    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, emulator: str | None
    ) -> None:
        """Of the choices these count here: `allowed_origins`, `logins_per_second`."""
        super().__init__(scope, construct_id)
        cdk.Validations.of(self).acknowledge(FUNCTIONS_AUTHORIZE)
        self._stage = stage
        self._api = apigateway.HttpApi(self, "Api", cors_preflight=self._cors())
        self.api_id = self._api.api_id
        if emulator:
            self._spell_cors_for_the_emulator()
        else:
            self._log_requests()
        self.url = (
            f"{emulator}/_aws/execute-api/{self._api.api_id}/$default"
            if emulator
            else self._api.api_endpoint
        )

    def route_to(self, functions: Functions) -> None:
        integrated = {
            name: integrations.HttpLambdaIntegration(
                f"{name.capitalize()}Integration", functions[name]
            )
            for name in sorted({*HTTP_ROUTES.values(), OTHER_ROUTES})
        }
        for route, name in HTTP_ROUTES.items():
            method, path = route.split()
            routes = self._api.add_routes(
                path=path, methods=[apigateway.HttpMethod[method]], integration=integrated[name]
            )
            if route == LOGIN:
                self._throttle(routes)
        apigateway.HttpRoute(
            self,
            "OtherRoutes",
            http_api=self._api,
            route_key=apigateway.HttpRouteKey.DEFAULT,
            integration=integrated[OTHER_ROUTES],
        )

    def _cors(self) -> apigateway.CorsPreflightOptions | None:
        if not self._stage.allowed_origins:
            return None
        return apigateway.CorsPreflightOptions(
            allow_origins=list(self._stage.allowed_origins),
            allow_methods=[
                apigateway.CorsHttpMethod.GET,
                apigateway.CorsHttpMethod.POST,
                apigateway.CorsHttpMethod.PUT,
            ],
            allow_headers=["authorization", "content-type", "if-match"],
            expose_headers=["etag", "retry-after"],
            max_age=cdk.Duration.hours(1),
        )

    def _spell_cors_for_the_emulator(self) -> None:
        """Name the properties as the API spells them: CloudFormation's spelling is not read."""
        api = self._api.node.default_child
        assert isinstance(api, apigateway.CfnApi)  # noqa: S101
        cors = api.cors_configuration
        if isinstance(cors, apigateway.CfnApi.CorsProperty):
            for name, value in {
                "allowOrigins": cors.allow_origins,
                "allowMethods": cors.allow_methods,
                "allowHeaders": cors.allow_headers,
                "exposeHeaders": cors.expose_headers,
                "maxAge": cors.max_age,
            }.items():
                api.add_property_override(f"CorsConfiguration.{name}", value)

    def _log_requests(self) -> None:
        """Write a line for each request, which leads to the function's own lines.

        Of the query nothing: `?token=` is one of the ways to bring a token.
        """
        requests = log_groups.log_group(self, "Requests", self._stage)
        self._default_stage().access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=requests.log_group_arn, format=json.dumps(REQUEST_LOG)
        )

    def _default_stage(self) -> apigateway.CfnStage:
        assert self._api.default_stage is not None  # noqa: S101
        stage = self._api.default_stage.node.default_child
        assert isinstance(stage, apigateway.CfnStage)  # noqa: S101
        return stage

    def _throttle(self, logins: list[apigateway.HttpRoute]) -> None:
        """Limit the logins of everyone together: each takes a processor for a while."""
        stage = self._default_stage()
        rate = self._stage.logins_per_second
        stage.route_settings = {
            LOGIN: {"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": 2 * rate}
        }
        # A setting for a route that does not exist yet is refused.
        stage.node.add_dependency(*logins)
