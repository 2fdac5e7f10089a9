"""Every handler: its events, and its valid answers."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from fuzz import http_events, own_events, websocket_events
from fuzz.backend import Case
from fuzz.source import Source
from vitrina import tasks

FUNCTIONS = Path(__file__).parents[1] / "functions"
MAX_KEY_BYTES = 1024
SERVER_ERRORS = 500
NO_CONTENT, NOT_MODIFIED = 204, 304
CLIENT_ERRORS = 400


Handler = Callable[[Any, Any], Any]


class Target(NamedTuple):
    name: str
    handler: Handler
    event: Callable[[str, Source], Case]
    fault: Callable[[Any, Any], str | None]
    """Returns the fault of an answer to an event, or None."""
    excuses: Callable[[Any], bool] = lambda _: False
    """Returns whether an event may be logged as an error."""

    def case(self, source: Source) -> Case:
        return self.event(self.name, source)


def _http_fault(event: Any, answer: Any) -> str | None:
    status = answer.get("statusCode")
    if not isinstance(status, int) or not 100 <= status < SERVER_ERRORS:  # noqa: PLR2004
        return f"status {status}"
    headers = {name.lower(): text for name, text in answer.get("headers", {}).items()}
    is_head = event["requestContext"]["http"]["method"] == "HEAD"
    if is_head or status in {NO_CONTENT, NOT_MODIFIED}:
        return "the body is not empty" if answer.get("body") != "" else _headers_fault(headers)
    try:
        body = json.loads(answer["body"])
    except (ValueError, KeyError, TypeError):
        return "the body is not JSON"
    is_problem = status >= CLIENT_ERRORS
    return _headers_fault(headers) or (
        _problem_fault(status, headers, body) if is_problem else None
    )


def _problem_fault(status: int, headers: dict[str, str], body: Any) -> str | None:
    if headers.get("content-type") != "application/problem+json":
        return f"status {status} without problem+json"
    members = ("type", "title", "code", "detail")
    if body.get("status") != status or not all(isinstance(body.get(m), str) for m in members):
        return "the problem lacks a member"
    return None


def _headers_fault(headers: Any) -> str | None:
    for text in headers.values():
        if not isinstance(text, str) or not text.isprintable():
            return "a header is not one line of text"
    return None


def _handshake_fault(event: Any, answer: Any) -> str | None:
    if event["requestContext"]["eventType"] == "MESSAGE":
        return _frame_fault(event, answer)
    status = answer.get("statusCode")
    if not isinstance(status, int) or not 200 <= status < SERVER_ERRORS:  # noqa: PLR2004
        return f"status {status}"
    if "body" in answer:
        return "a handshake has no body"
    return _headers_fault(answer.get("headers", {}))


def _frame_fault(_event: Any, answer: Any) -> str | None:
    if answer.get("statusCode") != 200:  # noqa: PLR2004
        return f"status {answer.get('statusCode')}"
    if "body" not in answer:
        return None
    try:
        reply = json.loads(answer["body"])
    except (ValueError, TypeError):
        return "the reply is not JSON"
    return None if isinstance(reply.get("event"), str) else "the reply is not an event"


def _batch_fault(event: Any, answer: Any) -> str | None:
    failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    known = {record["messageId"] for record in event["Records"]}
    return None if failed <= known else "what failed was not in the batch"


def _answer_fault(_event: Any, answer: Any) -> str | None:
    return None if answer is None else "an answer where none is expected"


def _has_foreign_tasks(event: Any) -> bool:
    """Tell whether a batch has tasks that the service never writes.

    They end in the dead-letter queue.
    """
    return not all(_is_ours(record["body"]) for record in event["Records"])


def _is_ours(body: str) -> bool:
    try:
        task = tasks.parse(body)
    except ValidationError:
        return False
    match task:
        case tasks.Greet():
            seqs, texts = [1], task.connection_ids
        case tasks.Wake():
            seqs, texts = [1], [*task.lane]
        case tasks.PostPage():
            seqs, texts = task.seqs, [task.channel, task.partition.key]
        case tasks.PostAgain():
            seqs = [task.span.first, task.span.last]
            texts = [task.span.channel, *(text for member in task.members for text in member)]
    return all(0 < seq < 2**53 for seq in seqs) and all(
        0 < len(text.encode()) <= MAX_KEY_BYTES for text in texts
    )


def _is_made_up(_event: Any) -> bool:
    """Tell that tasks name events that are not what they say; they end in the dead-letter queue."""
    return True


def _target(
    name: str,
    event: Callable[[str, Source], Case],
    fault: Callable[[Any, Any], str | None],
    **more: Any,
) -> Target:
    """Import a handler now, as an engine instruments modules when they are imported."""
    return Target(name, import_module(f"functions.{name}.handler").handler, event, fault, **more)


_ALL = (
    *(_target(name, http_events.case, _http_fault) for name in http_events.ROUTES),
    _target("connect", websocket_events.case, _handshake_fault),
    _target("disconnect", websocket_events.case, _frame_fault),
    _target("message", websocket_events.case, _frame_fault),
    _target("greet", own_events.inserted, _answer_fault),
    _target("fanout", own_events.queued, _batch_fault, excuses=_has_foreign_tasks),
    _target("push", own_events.pushes, _batch_fault, excuses=_is_made_up),
    _target("sweep", own_events.scheduled, _answer_fault),
)
TARGETS = {target.name: target for target in _ALL}


def check() -> None:
    """Raise AssertionError unless every function is a target, and every route has its events."""
    folders = {handler.parent.name for handler in FUNCTIONS.glob("*/handler.py")}
    if folders != TARGETS.keys():
        raise AssertionError(f"functions/ and the targets differ: {folders ^ TARGETS.keys()}")
    document = json.loads((FUNCTIONS / "openapi/openapi.json").read_text())
    described = {(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
    routes = {
        (method, path) for routes in http_events.ROUTES.values() for method, path, _ in routes
    }
    if described and described != routes:
        raise AssertionError(f"openapi.json and the routes differ: {described ^ routes}")
