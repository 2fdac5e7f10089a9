"""Everything that can be refused, with its HTTP status and its stable code.

Problem
├── Malformed             400  body_not_json, cursor_invalid
├── Unauthenticated       401  token_missing, token_invalid, token_expired, token_revoked,
│                              session_expired, credentials_invalid
├── Forbidden             403  client_type_forbidden, client_type_mismatch, origin_forbidden,
│                              product_forbidden, identity_mismatch, connection_expired
├── NotFound              404  product_not_found, route_not_found, issued_elsewhere
├── MethodNotAllowed      405  method_not_allowed
├── Conflict              409  already_moderated, product_changed, settings_changed,
│                              account_exists, too_many_rooms
├── TooLarge              413  body_too_large
├── UnsupportedContent    415  content_type_unsupported
├── Invalid               422  request_invalid, notes_too_long, notes_too_short
├── PreconditionRequired  428  version_missing
├── TooManyRequests       429  too_many_attempts
└── Unavailable           503  busy, issuer_unreachable
"""

from typing import ClassVar


class Problem(Exception):
    """A refusal that its caller is told about.

    `status` and `title` follow RFC 9457; `code` names the case and never changes, `detail` is a
    sentence for people.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail

    @property
    def headers(self) -> dict[str, str]:
        """What the HTTP answer says besides."""
        return {}


class Malformed(Problem):
    status = 400
    title = "The request cannot be read"


class Unauthenticated(Problem):
    status = 401
    title = "Who are you?"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(Problem):
    status = 403
    title = "Not allowed"


class NotFound(Problem):
    status = 404
    title = "No such thing"


class MethodNotAllowed(Problem):
    status = 405
    title = "Not in this way"

    def __init__(self, allowed: str) -> None:
        super().__init__("method_not_allowed", f"This route has {allowed} only.")
        self._allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": self._allowed}


class Conflict(Problem):
    status = 409
    title = "The state has changed"


class TooLarge(Problem):
    status = 413
    title = "The request is too large"


class UnsupportedContent(Problem):
    status = 415
    title = "The request is not JSON"


class Invalid(Problem):
    status = 422
    title = "The request breaks a rule"


class PreconditionRequired(Problem):
    status = 428
    title = "Say what you have seen"


class TooManyRequests(Problem):
    status = 429
    title = "Too many requests"

    def __init__(self, code: str, detail: str, retry_after_seconds: int) -> None:
        super().__init__(code, detail)
        self._retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self._retry_after_seconds)}


class Unavailable(Problem):
    status = 503
    title = "Not at this moment"
