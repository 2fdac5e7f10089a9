"""The door: whether a request came through the edge, and from which address.

The edge adds a header with a secret to every request. The secret has two values, of which the edge
sends one, so that the other can be replaced. What else the edge says of a request, its host and the
client's address, is believed only with that header: the APIs' own URLs take any header from anyone.
"""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from pydantic_core import from_json

from vitrina import aws, config
from vitrina.copies import Copy
from vitrina.errors import Forbidden
from vitrina.origins import EDGE_HOST_HEADER

SECRET_HEADER = "x-vitrina-edge"  # noqa: S105 - its name
VIEWER_HEADER = "x-vitrina-viewer"
"""The address of a client of the edge; API Gateway sees the edge's."""


def forget() -> None:
    """Read the secret again at its next use."""
    _accepted.forget()


def require_edge(event: Mapping[str, Any]) -> None:
    """Raise Forbidden `edge_required` for a request around the edge, where stages are guarded.

    Nothing is read for a request without the header.
    """
    if config.current().guarded and not _is_from_edge(_headers(event)):
        raise Forbidden("edge_required", "Use the public URL of this service.")


def trusted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers without what only the edge may say, unless they come from the edge.

    `headers` has names in lower case.
    """
    said = {EDGE_HOST_HEADER, VIEWER_HEADER} & headers.keys()
    if not said or _is_from_edge(headers):
        return dict(headers)
    return {name: value for name, value in headers.items() if name not in said}


def client_address(event: Mapping[str, Any]) -> str:
    """Return the IP address of the client of an event of either API; "" if it is not known."""
    if viewer := trusted_headers(_headers(event)).get(VIEWER_HEADER):
        return viewer
    context = event.get("requestContext", {})
    peer = context.get("http") or context.get("identity") or {}
    return str(peer.get("sourceIp", ""))


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of an event; those of a WebSocket come as they were written."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _is_from_edge(headers: Mapping[str, str]) -> bool:
    sent = headers.get(SECRET_HEADER, "").encode()
    if not sent or not config.current().edge_secret:
        return False
    # All are compared, in a time that does not depend on the value sent.
    return sum(compare_digest(sent, value) for value in _accepted.all().values()) > 0


def _read() -> dict[str, bytes]:
    """Return the values of the secret, whose text is `{"first": "…", "second": "…"}`.

    The second one is empty until it is first needed.
    """
    found = aws.secretsmanager().get_secret_value(SecretId=config.current().edge_secret)
    values: dict[str, str] = from_json(found["SecretString"])
    return {name: value.encode() for name, value in values.items() if value}


_accepted = Copy(_read)
