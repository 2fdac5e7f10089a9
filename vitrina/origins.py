"""Origins of web pages, compared as the Fetch standard compares them."""

import re
from collections.abc import Iterable, Mapping

EDGE_HOST_HEADER = "x-vitrina-host"
"""The host that a client of the edge requested; API Gateway sees its own name in `Host`."""

# Apps in a web view have other schemes, such as `capacitor`; those have no default port.
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HTTP_OF_WEBSOCKET = {"ws": "http", "wss": "https"}
_MAX_PORT = 65_535
_ORIGIN = re.compile(
    r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{0,5}))?/?", re.IGNORECASE
)


def normalize(text: str) -> str | None:
    """Return an origin as browsers send it; None for an opaque origin (`null`) or other text.

    Scheme and host are in lower case, without a default port or a path. React Native sends the URL
    that it connects to as its origin, so `wss` is read as `https`.
    """
    matched = _ORIGIN.fullmatch(text)
    if not matched or not text.isascii():
        return None
    scheme, host = matched[1].lower(), matched[2].lower()
    scheme = _HTTP_OF_WEBSOCKET.get(scheme, scheme)
    port = int(matched[3]) if matched[3] else _DEFAULT_PORTS.get(scheme)
    if port is not None and port > _MAX_PORT:
        return None
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS.get(scheme) else f":{port}")


def is_own(origin: str, headers: Mapping[str, str]) -> bool:
    """Return whether an origin is that of the requested host, here or at the edge.

    `headers` has names in lower case, and the edge's host only where it is believed.
    """
    scheme = headers.get("x-forwarded-proto", "https")
    hosts = (headers.get(EDGE_HOST_HEADER), headers.get("host"))
    return any(_are_same(origin, f"{scheme}://{host}") for host in hosts if host)


def is_allowed(origin: str, allowed: Iterable[str]) -> bool:
    """Return whether an origin is in a list."""
    return any(_are_same(origin, each) for each in allowed)


def _are_same(one: str, other: str) -> bool:
    """Return whether two origins are the same; an opaque one is not even the same as itself."""
    normalized = normalize(one)
    return normalized is not None and normalized == normalize(other)
