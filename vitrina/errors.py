"""Problems: every refusal, with its HTTP status and its stable codes.

Problem                    500
├── Malformed              400
├── Unauthorized           401
├── Forbidden              403
├── NotFound               404
├── MethodNotAllowed       405
├── Conflict               409
├── TooLarge               413
├── UnsupportedContent     415
├── Invalid                422
├── PreconditionRequired   428
├── TooManyRequests        429
└── Unavailable            503
"""

from typing import ClassVar

TEXTS_PATH = "/problems"
"""The page with a text for each code, at the code's anchor."""


class Problem(Exception):
    """A refusal as the caller sees it.

    `status` and `title` follow RFC 9457, with HTTP's standard phrases (RFC 9110) as titles. `code`
    is one of the class's `codes` and never changes; `detail` is a sentence for people.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal server error"
    codes: ClassVar[tuple[str, ...]] = ("internal_error",)

    def __init__(self, code: str, detail: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the HTTP answer."""
        return {"Retry-After": str(self.retry_after_seconds)} if self.retry_after_seconds else {}

    @property
    def type(self) -> str:
        """The URL of the code's text, relative to the host (RFC 9457, section 3.1.1)."""
        return f"{TEXTS_PATH}#{self.code}"


class Malformed(Problem):
    status = 400
    title = "Bad request"
    codes = ("body_not_json", "cursor_invalid", "message_not_json")


class Unauthorized(Problem):
    status = 401
    title = "Unauthorized"
    codes = (
        "token_missing",
        "token_invalid",
        "token_expired",
        "token_revoked",
        "refresh_token_invalid",
        "refresh_token_reused",
        "session_ended",
        "session_expired",
        "credentials_invalid",
    )

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(Problem):
    status = 403
    title = "Forbidden"
    codes = (
        "client_type_forbidden",
        "client_type_mismatch",
        "origin_forbidden",
        "product_forbidden",
        "channel_forbidden",
        "room_forbidden",
        "identity_mismatch",
        "connection_expired",
        "edge_required",
    )


class NotFound(Problem):
    status = 404
    title = "Not found"
    codes = (
        "route_not_found",
        "product_not_found",
        "account_not_found",
        "issued_elsewhere",
        "push_off",
    )


class MethodNotAllowed(Problem):
    status = 405
    title = "Method not allowed"
    codes = ("method_not_allowed",)

    def __init__(self, allowed: str) -> None:
        super().__init__("method_not_allowed", f"This route has {allowed} only.")
        self._allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": self._allowed}


class Conflict(Problem):
    status = 409
    title = "Conflict"
    codes = (
        "already_moderated",
        "not_approved",
        "product_changed",
        "settings_changed",
        "account_exists",
        "too_many_rooms",
        "request_running",
    )


class TooLarge(Problem):
    status = 413
    title = "Content too large"
    codes = ("body_too_large", "message_too_large")


class UnsupportedContent(Problem):
    status = 415
    title = "Unsupported media type"
    codes = ("content_type_unsupported",)


class Invalid(Problem):
    status = 422
    title = "Unprocessable content"
    codes = (
        "request_invalid",
        "message_invalid",
        "notes_too_long",
        "notes_too_short",
        "idempotency_key_reused",
    )


class PreconditionRequired(Problem):
    status = 428
    title = "Precondition required"
    codes = ("version_missing",)


class TooManyRequests(Problem):
    status = 429
    title = "Too many requests"
    codes = (
        "too_many_attempts",
        "too_many_connections",
        "too_many_requests",
        "too_many_submissions",
    )


class Unavailable(Problem):
    status = 503
    title = "Service unavailable"
    codes = ("busy", "recovery_interrupted", "issuer_unreachable", "unhealthy")

    def __init__(self, code: str, detail: str, retry_after_seconds: int = 1) -> None:
        super().__init__(code, detail, retry_after_seconds)


KINDS: list[type[Problem]] = [Problem, *Problem.__subclasses__()]
