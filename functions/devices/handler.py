"""A client's own devices and notification preferences."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from vitrina import devices, endpoints, http_api, preferences, responses, trail
from vitrina.devices import Registration
from vitrina.preferences import Preferences

app = http_api.resolver()

DeviceId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


@app.put(
    "/api/v1/me/devices/<device_id>",
    responses=responses.describe(
        "push_off", "busy", "too_many_requests", done=HTTPStatus.NO_CONTENT
    ),
)
def register_device(
    device_id: DeviceId, bearer: http_api.Bearer, registration: Annotated[Registration, Body()]
) -> Response[str]:
    """Register a phone for push notifications, at every start of the app.

    The device belongs to this session, and is removed when the session ends.
    """
    trail.note(device=device_id)
    devices.register(bearer, device_id, registration)
    return http_api.no_content()


@app.delete(
    "/api/v1/me/devices/<device_id>",
    responses=responses.describe("push_off", done=HTTPStatus.NO_CONTENT),
)
def unregister_device(device_id: DeviceId, bearer: http_api.Bearer) -> Response[str]:
    """Remove a device of the account; the response is the same if it is not registered."""
    trail.note(device=device_id)
    devices.unregister(bearer, device_id)
    return http_api.no_content()


@app.get("/api/v1/me/notifications", responses=responses.describe("push_off"))
def get_notifications(bearer: http_api.Bearer) -> Preferences:
    """Read which notifications the account's devices get."""
    endpoints.require_on()
    chosen = preferences.read(bearer.session.account).preferences
    return chosen.whole(bearer.client_type)


@app.put(
    "/api/v1/me/notifications",
    responses=responses.describe("push_off", "busy", "too_many_requests"),
)
def replace_notifications(
    bearer: http_api.Bearer, new: Annotated[Preferences, Body()]
) -> Preferences:
    """Choose the notifications of the account's devices; events that are left out have defaults."""
    endpoints.require_on()
    return devices.prefer(bearer, new)


handler = http_api.handler(app)
