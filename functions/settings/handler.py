"""The platform's settings: read them, replace them and tell everyone."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.utilities.typing import LambdaContext

from vitrina import http_api, platform, publishing
from vitrina.platform import PlatformSettings

logger = Logger()
app = http_api.resolver()


@app.get("/api/v1/admin/settings", responses=http_api.answers(is_versioned=True))
def read(_admin: http_api.Admin) -> Response[PlatformSettings]:
    """Read the platform's settings."""
    found = platform.in_force()
    return http_api.versioned(found.settings, found.version)


@app.put(
    "/api/v1/admin/settings",
    responses=http_api.answers("settings_changed", "busy", is_versioned=True),
)
def replace(
    admin: http_api.Admin,
    seen: http_api.RequiredVersion,
    new: Annotated[PlatformSettings, Body()],
) -> Response[PlatformSettings]:
    """Replace the platform's settings, and tell everyone what is different."""
    now, rows = platform.update(new, seen, admin)
    publishing.publish(rows)
    return http_api.versioned(now.settings, now.version)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return http_api.handle(app, event, context)
