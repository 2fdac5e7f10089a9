"""JSON Schemas as people read them, from those that pydantic makes."""

import json
from typing import Any


def tidy(schema: Any) -> Any:
    """Drop the titles that repeat a field's name, write whole numbers as such, admit no more."""
    if isinstance(schema, dict):
        # pydantic accepts no other names either, and does not say so.
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
    """Return what a `$ref` within a document names; raises KeyError when it names nothing."""
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name.replace("~1", "/").replace("~0", "~")]
    return found
