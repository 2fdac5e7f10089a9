"""JSON Schemas that are easier to read than those of pydantic."""

import json
from typing import Any


def tidy(schema: Any) -> Any:
    """Drop titles, which repeat field names; write whole numbers as integers; close open maps."""
    if isinstance(schema, dict):
        # pydantic rejects other names, but its schema does not say so.
        closed = {"additionalProperties": False} if "patternProperties" in schema else {}
        return closed | {
            name: tidy(value)
            for name, value in schema.items()
            if not (name == "title" and isinstance(value, str))
        }
    if isinstance(schema, list):
        return [tidy(value) for value in schema]
    if isinstance(schema, float) and schema.is_integer():
        return int(schema)
    return schema


def find_references(document: Any) -> set[str]:
    """Return every `$ref` of a document."""
    found: set[str] = set()

    def note(members: dict[str, Any]) -> dict[str, Any]:
        if isinstance(reference := members.get("$ref"), str):
            found.add(reference)
        return members

    json.loads(json.dumps(document), object_hook=note)
    return found


def resolve(document: dict[str, Any], reference: str) -> Any:
    """Return the target of a `$ref` within a document; raises KeyError if there is none."""
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name.replace("~1", "/").replace("~0", "~")]
    return found
