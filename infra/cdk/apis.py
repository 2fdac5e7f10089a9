"""The two APIs, and which route leads to which function."""

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from infra.cdk.functions import Functions
from vitrina.events import Pong

STAGE = "ws"

WEBSOCKET_ROUTES = {
    "$connect": "connect",
    "$disconnect": "disconnect",
    "$default": "message",
}

HTTP_ROUTES = {
    "POST /api/v1/auth/login": "login",
    "POST /api/v1/admin/products/{product_id}/approve": "approve",
    "POST /api/v1/admin/products/bulk-approve": "approve",
    "POST /api/v1/products": "products",
    "GET /api/v1/products": "products",
    "GET /api/v1/products/{product_id}": "products",
    "GET /ws/stats": "stats",
    "GET /health": "stats",
}


class WebSocketApi(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, emulator: str | None) -> None:
        super().__init__(scope, construct_id)
        self._in_cloud = emulator is None
        self._api = apigateway.WebSocketApi(
            self, "Api", route_selection_expression="$request.body.type"
        )
        stage = apigateway.WebSocketStage(
            self, "Stage", web_socket_api=self._api, stage_name=STAGE, auto_deploy=True
        )
        local = f"{emulator}/_aws/execute-api/{self._api.api_id}/{STAGE}"
        self.url = local.replace("http://", "ws://", 1) if emulator else stage.url
        self.management_url = local if emulator else stage.callback_url
        self.management_arn = cdk.Stack.of(self).format_arn(
            service="execute-api",
            resource=self._api.api_id,
            resource_name=f"{STAGE}/POST/@connections/*",
        )

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
    def __init__(self, scope: Construct, construct_id: str, *, emulator: str | None) -> None:
        super().__init__(scope, construct_id)
        self._api = apigateway.HttpApi(self, "Api")
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
            for name in sorted(set(HTTP_ROUTES.values()))
        }
        for route, name in HTTP_ROUTES.items():
            method, path = route.split()
            self._api.add_routes(
                path=path, methods=[apigateway.HttpMethod[method]], integration=integrated[name]
            )
