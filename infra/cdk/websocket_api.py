"""The WebSocket API, with its table of routes."""

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from infra.cdk import grants, throttles
from infra.cdk.lambdas import Lambdas
from infra.cdk.stages import Stage
from vitrina.events import Pong

STAGE = "ws"

WEBSOCKET_ROUTES = {
    "$connect": "connect",
    "$disconnect": "disconnect",
    "$default": "message",
}


class WebSocketApi(Construct):
    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, emulator: str | None
    ) -> None:
        """Apply the stage's `websocket_requests_per_second` and `pings_per_second`.

        `emulator` is the host and port of a local cloud, which has the API instead of AWS.
        """
        super().__init__(scope, construct_id)
        self._in_cloud = emulator is None
        self._pings = stage.throttle("pings_per_second")
        reasons = {
            "APIG4": "The functions verify tokens themselves.",
            "APIG1": "Access logs need a role that all APIs of the account share; connect logs"
            " every handshake, message every refusal.",
        }
        grants.acknowledge(self, reasons)
        self.api = apigateway.WebSocketApi(
            self, "Api", route_selection_expression="$request.body.type"
        )
        rate, burst = stage.throttle("websocket_requests_per_second")
        self._stage = apigateway.WebSocketStage(
            self,
            "Stage",
            web_socket_api=self.api,
            stage_name=STAGE,
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=rate, burst_limit=burst),
        )
        local = f"{emulator}/_aws/execute-api/{self.api.api_id}/{STAGE}"
        self.url = f"ws://{local}" if emulator else self._stage.url
        self.management_url = f"http://{local}" if emulator else self._stage.callback_url
        self.connection_arns = {
            method: cdk.Stack.of(self).format_arn(
                service="execute-api",
                resource=self.api.api_id,
                resource_name=f"{STAGE}/{method}/@connections/*",
            )
            for method in ("POST", "DELETE", "GET")
        }
        """ARNs that allow posting to connections, closing them and asking about them."""

    def route_to(self, functions: Lambdas) -> None:
        for route, name in WEBSOCKET_ROUTES.items():
            self.api.add_route(
                route,
                integration=integrations.WebSocketLambdaIntegration(
                    f"{name.capitalize()}Integration", functions[name]
                ),
                # The local cloud always sends what `message` returns, and supports neither route
                # responses nor the mock below.
                return_response=route == "$default" and self._in_cloud,
            )
        if self._in_cloud:
            self._answer_ping()

    def _answer_ping(self) -> None:
        """Make API Gateway itself answer keep-alives, without a Lambda.

        The L2 integration cannot express responses, hence the Cfn constructs.
        """
        api_id = self.api.api_id
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
            # Without it no template is selected, and the response is empty.
            template_selection_expression="200",
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
        stage = self._stage.node.default_child
        assert isinstance(stage, apigateway.CfnStage)  # noqa: S101
        throttles.of_routes(stage, {"ping": self._pings}, [route])
