"""The platform's settings: read and replace them."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from vitrina import http_api, platform_settings, responses
from vitrina.platform_settings import PlatformSettings

app = http_api.resolver()


@app.get("/api/v1/admin/settings", responses=responses.describe(is_versioned=True))
def get_settings(_admin: http_api.Admin) -> Response[PlatformSettings]:
    """Read the platform's settings."""
    found = platform_settings.read()
    return http_api.versioned(found.settings, found.version)


@app.get("/api/v1/settings", responses=responses.describe(is_versioned=True))
def get_current_settings(_reader: http_api.Bearer) -> Response[PlatformSettings]:
    """Read the platform's settings, of which `settings.updated` brings the changes."""
    found = platform_settings.read()
    return http_api.versioned(found.settings, found.version)


@app.put(
    "/api/v1/admin/settings",
    responses=responses.describe("settings_changed", "busy", is_versioned=True),
)
def replace_settings(
    admin: http_api.Admin,
    expected: http_api.RequiredIfMatch,
    new: Annotated[PlatformSettings, Body()],
) -> Response[PlatformSettings]:
    """Replace the platform's settings, and notify everyone of the changes."""
    now = platform_settings.update(new, expected, admin)
    return http_api.versioned(now.settings, now.version)


handler = http_api.handler(app)
