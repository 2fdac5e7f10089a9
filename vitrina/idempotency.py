"""Idempotency keys: a request that is repeated with its key has one effect and one response.

The row with the response is written in the transaction of the change, so neither exists without the
other. A request holds no lease while it is running.
"""

import json
import re
import time
import zlib
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple, TypeVar
from uuid import uuid4

from aws_lambda_powertools.event_handler import Request, Response, content_types
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Header
from pydantic_core import to_json

from vitrina import aws, config, history, trail
from vitrina.errors import Conflict, Invalid, Problem, Unavailable
from vitrina.history import Change, Receipt, WriteConflict
from vitrina.http_api import Answered, Bearer

ANSWER_TTL_SECONDS = 24 * 60 * 60
# Longer than API Gateway's and the functions' timeout of 29 s: no later attempt replaces it.
MAX_RUNNING_SECONDS = 35
RETRY_AFTER_SECONDS = 1

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
KEY_PATTERN = r"^[!-~]{1,255}$"
_KEY = re.compile(KEY_PATTERN)

R = TypeVar("R")
A = TypeVar("A")


class _Request(NamedTuple):
    """An attempt to process a request with a key."""

    row: str
    """The name of the row in the platform table with the response."""
    content: Any
    """The content, which must be the same in each request with the key."""
    attempt: str

    @property
    def fingerprint(self) -> str:
        return _digest(json.dumps(self.content, sort_keys=True))

    def require_new(self) -> None:
        """Raise Answered, Conflict `request_running` or Invalid if the key is taken."""
        row = aws.get(config.current().platform_table, {"name": self.row})
        now = time.time()
        if row.get("expires_at", 0) < now:
            return
        if row["fingerprint"] != self.fingerprint:
            raise Invalid(
                "idempotency_key_reused", f"{HEADER}: another request had this key before."
            )
        if row.get("running_until", 0) > now:
            raise Conflict("request_running", "The same request is running.", RETRY_AFTER_SECONDS)
        trail.note(replayed=True)
        status, headers, body = json.loads(zlib.decompress(row["answer"]))
        headers |= {REPLAYED_HEADER: "true"}
        raise Answered(Response(status, content_types.APPLICATION_JSON, body, headers=headers))

    def keep(self, answer: Any) -> Change:
        """Return the write of an answer that may still change while this attempt is running."""
        now = int(time.time())
        put = self._put(
            answer,
            "attribute_not_exists(expires_at) OR expires_at < :now",
            {":now": now},
            running_until=now + MAX_RUNNING_SECONDS,
        )
        return Change({"Put": put}, [])

    def finish(self, answer: Any) -> bool:
        """Write the final answer; return whether this attempt has kept one."""
        put = self._put(answer, "attempt = :attempt", {":attempt": self.attempt})
        return aws.is_written(aws.dynamodb().put_item, **put)

    def _put(self, answer: Any, condition: str, values: dict[str, Any], **more: int) -> Any:
        row = {
            "name": self.row,
            "fingerprint": self.fingerprint,
            "attempt": self.attempt,
            "answer": _write(answer),
            "expires_at": int(time.time()) + ANSWER_TTL_SECONDS,
            **more,
        }
        return {
            "TableName": config.current().platform_table,
            "Item": aws.to_item(row),
            "ConditionExpression": condition,
            "ExpressionAttributeValues": aws.to_item(values),
        }


def _write(answer: Any) -> bytes:
    """Return what a route's result is sent as; the largest one is a product with its texts."""
    if not isinstance(answer, Response):
        answer = Response(HTTPStatus.OK, content_types.APPLICATION_JSON, answer)
    body = to_json(answer.body).decode()
    return zlib.compress(to_json([answer.status_code, answer.headers, body]))


class _Once:
    """Processes a request: once for its key, or each time if it has none."""

    def __init__(self, request: _Request | None) -> None:
        self._request = request

    def __call__(self, do: Callable[[Receipt[R]], R], answer: Callable[[R], A]) -> A:
        """Do it, and return the answer to its result.

        `do` commits what its receipt returns in the transaction of its last change. `answer` is
        called with the result as it is before that transaction, and with the final one. If it
        raises a Problem, nothing is kept. Raises Answered with the answer of another attempt,
        Conflict `request_running`, Invalid `idempotency_key_reused`, or Unavailable `busy` when the
        receipt was not asked for.
        """
        request = self._request
        if request is None:
            return answer(do(history.no_receipt))
        request.require_new()
        try:
            found = answer(do(lambda result: [request.keep(answer(result))]))
        except (Problem, WriteConflict):
            # Another attempt may have been first.
            request.require_new()
            raise
        if not request.finish(found):
            request.require_new()
            raise Unavailable("busy", "Something was busy; send the request again.")
        return found


# Powertools describes the parameters of a dependency, and passes only the request to it.
_KeyHeader = Annotated[
    str | None,
    Header(
        alias=HEADER,
        pattern=KEY_PATTERN,
        examples=["0b9e1c1e-6d3b-4b5e-9a52-3f0c9a1e57d0"],
        description="A random text of your own for this request, the same when you send it again.",
    ),
]


def _once(request: Request, bearer: Bearer, _key: _KeyHeader = None) -> _Once:
    """Return how to do a request; raises Invalid `request_invalid`."""
    key = request.headers.get(HEADER.lower())
    if key is None:
        return _Once(None)
    if not _KEY.fullmatch(key):
        raise Invalid(
            "request_invalid", f"{HEADER}: expected 1 to 255 visible characters of ASCII."
        )
    row = f"once#{bearer.client_type}:{bearer.account_id}#{_digest(key)}"
    # Powertools calls this for invalid requests too: the body may be any JSON here.
    tag, path = request.headers.get("if-match"), request.resolved_event.path
    content = (request.method, path, tag, request.json_body)
    return _Once(_Request(row, content, attempt=uuid4().hex))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


Once = Annotated[_Once, Depends(_once)]
"""The parameter of a route that processes each `Idempotency-Key` once."""
