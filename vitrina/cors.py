"""CORS: which pages of other hosts may call the HTTP API.

API Gateway's own CORS is off. It ignores the functions' headers, answers preflights with its own
list only, and documents only origins of http and https.
"""

from collections.abc import Mapping

from vitrina import config, origins

METHODS = ("GET", "POST", "PUT", "DELETE")
REQUEST_HEADERS = (
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "idempotency-key",
)
RESPONSE_HEADERS = ("etag", "retry-after", "idempotency-replayed")
MAX_AGE_SECONDS = 3600


def headers(request: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a response to a request with these headers (names in lower case).

    A page of another origin gets only `Vary`, so its browser blocks the response.
    """
    allowed = config.current().allowed_origins
    if not allowed:
        return {}
    origin = request.get("origin", "")
    if not origins.is_allowed(origin, allowed):
        return {"Vary": "Origin"}
    granted = {"Vary": "Origin", "Access-Control-Allow-Origin": origin}
    if "access-control-request-method" not in request:
        return granted | {"Access-Control-Expose-Headers": ", ".join(RESPONSE_HEADERS)}
    return granted | {
        "Access-Control-Allow-Methods": ", ".join(METHODS),
        "Access-Control-Allow-Headers": ", ".join(REQUEST_HEADERS),
        "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
    }
