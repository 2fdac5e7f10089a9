"""The page that the `type` of a problem leads to: what each code means, and what to do."""

from collections.abc import Iterable, Iterator
from html import escape

from vitrina.errors import KINDS, Problem

TEXTS = {
    "internal_error": "The service failed, and has logged why. Send the request again later.",
    "body_not_json": "The body is not JSON in UTF-8. Correct the request.",
    "cursor_invalid": "The cursor did not come with a page of this list. Begin at the first page.",
    "message_not_json": "A WebSocket message is not a JSON object in a text frame.",
    "token_missing": "The request has no access token. Send Authorization: Bearer TOKEN.",
    "token_invalid": "The access token is not valid here. Log in again.",
    "token_expired": "The access token has expired. Exchange the refresh token for a newer one.",
    "token_revoked": "The session of the access token has ended. Log in again.",
    "refresh_token_invalid": "This is not a refresh token of a session. Log in again.",
    "refresh_token_reused": "The refresh token was used before, so somebody may have a copy: the "
    "session has ended. Log in again.",
    "session_ended": "The session was ended, by logging out or by an administrator. Log in again.",
    "session_expired": "The session was not used for too long. Log in again.",
    "credentials_invalid": "No account has this email address and password.",
    "client_type_forbidden": "This route is for another client type than the token's.",
    "client_type_mismatch": "The type in the WebSocket's path is not the token's.",
    "origin_forbidden": "The page's origin is not one of the deployment's allowed origins.",
    "product_forbidden": "The product belongs to another shop.",
    "channel_forbidden": "The connection, or the account, is not in this channel.",
    "room_forbidden": "The room is for other clients, or its name is reserved.",
    "identity_mismatch": "The token belongs to another identity than the connection's, or to a "
    "login from before a disconnection.",
    "connection_expired": "The connection has expired. Send auth with a newer token.",
    "edge_required": "The request went around the public URL of the service. Use that URL.",
    "route_not_found": "There is no such route. Compare the path with the reference.",
    "product_not_found": "There is no such product, or the caller may not see it.",
    "account_not_found": "No account has this email address.",
    "issued_elsewhere": "Another issuer keeps the accounts and sessions of this deployment.",
    "push_off": "This deployment has no push notifications, or none for this platform.",
    "method_not_allowed": "The route has other methods: those in the header Allow.",
    "already_moderated": "The product has been approved or rejected already. Read it again.",
    "not_approved": "Only an approved product is withdrawn. Read it again.",
    "product_changed": "The product has another version than the one in If-Match. Read it again.",
    "settings_changed": "The settings have another version than the one in If-Match. Read them "
    "again.",
    "account_exists": "An account has this email address already.",
    "too_many_rooms": "The connection is in as many rooms as it may join. Leave one.",
    "request_running": "The same request, with this Idempotency-Key, is running. Wait as many "
    "seconds as Retry-After says, and send it again.",
    "body_too_large": "The body has more than 64 KB.",
    "message_too_large": "The WebSocket message has more than 8 KB.",
    "content_type_unsupported": "The body has another media type than application/json.",
    "request_invalid": "A parameter, a header or a field of the body breaks a rule; errors lists "
    "each of them.",
    "message_invalid": "The WebSocket message has an unknown type, or a missing, wrong or unknown "
    "field.",
    "notes_too_long": "The notes are longer than the platform's settings allow.",
    "notes_too_short": "The notes are shorter than the platform's settings require.",
    "idempotency_key_reused": "Another request had this Idempotency-Key before. Take another key.",
    "version_missing": "The decision depends on the version. Read the resource, and send its ETag "
    "as If-Match.",
    "too_many_attempts": "Too many logins failed. Wait as many seconds as Retry-After says.",
    "too_many_connections": "The identity opens too many connections at the same moment. Try again "
    "later.",
    "too_many_requests": "Too many requests or messages. Wait as many seconds as Retry-After or "
    "retry_after says.",
    "too_many_submissions": "The shop has submitted too many products. Wait as many seconds as "
    "Retry-After says.",
    "busy": "Concurrent requests were in the way, on every attempt. Send the request again.",
    "recovery_interrupted": "Not all missed events could be sent. Send resume again.",
    "issuer_unreachable": "The keys of the token's issuer cannot be read. Send the request again.",
    "unhealthy": "The tables cannot be read. The operator is notified.",
}

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Problems</title>
<link rel="stylesheet" href="/docs/pages.css">
</head>
<body>
<h1>Problems</h1>
<p>An error response is <code>application/problem+json</code> (RFC 9457). Its <code>type</code>
leads to the text of its <code>code</code> on this page. A code never changes its meaning. See also
the <a href="/docs">reference of the HTTP API</a>.</p>
{sections}
</body>
</html>
"""


def page() -> str:
    """Return the page; raises LookupError for codes that have no text, and texts without a code."""
    if different := {code for kind in KINDS for code in kind.codes} ^ TEXTS.keys():
        raise LookupError(f"reference/problems.py differs from the codes in {sorted(different)}.")
    return _PAGE.format(sections="\n".join(_sections(KINDS)))


def _sections(kinds: Iterable[type[Problem]]) -> Iterator[str]:
    for kind in kinds:
        yield f"<h2>{kind.status} {kind.title}</h2>\n<dl>"
        for code in kind.codes:
            yield f'<dt id="{code}"><code>{code}</code></dt>\n<dd>{escape(TEXTS[code])}</dd>'
        yield "</dl>"
