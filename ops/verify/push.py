"""Push: whether devices can be registered, as the deployment says."""

import secrets

from ops.verify.expectation import expect
from ops.verify.site import Site, problem
from vitrina import config

DEVICE = "/api/v1/me/devices/verify"
PLATFORMS = {"APNS": "apns", "APNS_SANDBOX": "apns_sandbox", "GCM": "fcm"}


def registration(site: Site) -> str:
    """Register a device whose token is of no phone, and remove it."""
    apps = config.current().push_apps
    body = {
        "platform": PLATFORMS[apps[0].split("/")[1]] if apps else "fcm",
        "token": secrets.token_hex(32),
        "locale": "en",
        "timezone": "UTC",
        "app_version": "verify",
    }
    token = site.token("user")
    answer = site.request("PUT", DEVICE, token, json=body)
    if not apps:
        return expect(problem(answer), "404 push_off")
    removed = site.request("DELETE", DEVICE, token)
    return expect(f"{answer.status_code}, then {removed.status_code}", "204, then 204")
