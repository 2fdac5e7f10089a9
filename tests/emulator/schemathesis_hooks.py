"""What test_openapi.py changes of the requests that schemathesis makes up."""

from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

# Below are the accounts that other tests use, whose tokens a disconnect would revoke.
FIRST_STRANGER = 1000


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


@schemathesis.hook
def map_body(_context: HookContext, body: Any) -> Any:
    """Keep the rule of the platform's settings that no JSON Schema can say."""
    if isinstance(body, dict):
        longest, shortest = body.get("longest_notes", 1000), body.get("shortest_rejection_notes")
        if isinstance(longest, int | float) and isinstance(shortest, int | float):
            body["shortest_rejection_notes"] = min(longest, shortest)
    return body
