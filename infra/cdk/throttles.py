"""Throttles of single routes, for those that cost more or less than the other routes of a stage."""

from collections.abc import Iterable, Mapping

from aws_cdk import aws_apigatewayv2 as apigateway
from constructs import IDependable

from infra.cdk.stages import Throttle


def of_routes(
    stage: apigateway.CfnStage, throttles: Mapping[str, Throttle], routes: Iterable[IDependable]
) -> None:
    """Throttle routes by their keys; `routes` are these routes.

    API Gateway refuses settings for a route that does not exist yet.
    """
    stage.route_settings = {
        key: {"ThrottlingRateLimit": each.rate, "ThrottlingBurstLimit": each.burst}
        for key, each in throttles.items()
    }
    stage.node.add_dependency(*routes)
