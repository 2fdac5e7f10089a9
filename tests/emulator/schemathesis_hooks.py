"""What test_openapi.py changes of the requests that schemathesis makes up."""

from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

# Below are the accounts that other tests use, whose tokens a disconnect would revoke.
FIRST_STRANGER = 1000
# Letters and symbols that are drawn as nothing.
BLANK = "\u115f\u1160\u2800\u3164\uffa0\ufffc"


@schemathesis.hook
def before_call(_context: HookContext, case: Case[Any], _kwargs: dict[str, Any]) -> None:
    """Let nobody be disconnected who is there, and call nothing valid that is not."""
    account_id = str(case.path_parameters.get("account_id", ""))
    if account_id.isdecimal() and 0 < int(account_id) < FIRST_STRANGER:
        case.path_parameters["account_id"] = int(account_id) + FIRST_STRANGER
    # The coverage phase of 4.32 leaves this header empty in a case whose path alone it varies.
    is_valid = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if is_valid and case.headers.get("If-Match") == "":
        del case.headers["If-Match"]
    if is_valid:
        case.body = _visible(case.body)
        # What has been sent before is no valid key of another request.
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = str(uuid4())


@schemathesis.hook
def map_body(_context: HookContext, body: Any) -> Any:
    """Keep the rules that no JSON Schema can say: of the platform's settings, of bulk approvals."""
    if isinstance(body, dict):
        if isinstance(seen := body.get("products"), list):
            body["products"] = _each_product_once(seen)
        longest, shortest = body.get("longest_notes", 1000), body.get("shortest_rejection_notes")
        if isinstance(longest, int | float) and isinstance(shortest, int | float):
            body["shortest_rejection_notes"] = min(longest, shortest)
    return body


def _each_product_once(seen: list[Any]) -> list[Any]:
    """Drop what names a product again with another version."""
    first: dict[Any, Any] = {}
    kept = []
    for each in seen:
        key = each.get("product_id") if isinstance(each, dict) else None
        if not isinstance(key, int | float) or first.setdefault(key, each) is each:
            kept.append(each)
    return kept


def _visible(body: Any) -> Any:
    """Replace the characters that `vitrina.texts` refuses."""
    match body:
        case dict():
            return {name: _visible(value) for name, value in body.items()}
        case list():
            return [_visible(value) for value in body]
        case str():
            return "".join(
                each if each.isprintable() and each not in BLANK else "x" for each in body
            )
    return body
