"""Everything that can be refused, with its HTTP status and its stable code.

Problem
├── Malformed           400  body_not_json, cursor_invalid
├── Unauthenticated     401  token_missing, token_invalid, token_expired, credentials_invalid
├── Forbidden           403  client_type_forbidden, client_type_mismatch
├── NotFound            404  product_not_found, route_not_found
├── Conflict            409  already_moderated, account_exists
├── TooLarge            413  body_too_large
├── UnsupportedContent  415  content_type_unsupported
├── Invalid             422  request_invalid
└── Unavailable         503  busy
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


class Malformed(Problem):
    status = 400
    title = "The request cannot be read"


class Unauthenticated(Problem):
    status = 401
    title = "Who are you?"


class Forbidden(Problem):
    status = 403
    title = "Not allowed"


class NotFound(Problem):
    status = 404
    title = "No such thing"


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


class Unavailable(Problem):
    status = 503
    title = "Not at this moment"
