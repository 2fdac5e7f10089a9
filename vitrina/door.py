"""The door: where a request comes from."""

from collections.abc import Mapping
from typing import Any


def client_address(event: Mapping[str, Any]) -> str:
    """Return the IP address that a request or a message comes from, as API Gateway saw it."""
    request = event["requestContext"]
    return str((request.get("http") or request["identity"])["sourceIp"])
