"""JSON Schemas that are easier to read than those of pydantic."""

import tomllib
from pathlib import Path
from typing import Any


def tidy(schema: Any) -> Any:
    """Drop titles, which repeat field names; write whole numbers as integers; close open maps."""
    if isinstance(schema, dict):
        # pydantic rejects other names, but its schema does not declare that.
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
    if isinstance(document, dict):
        own = {document["$ref"]} if isinstance(document.get("$ref"), str) else set()
        return own.union(*map(find_references, document.values()))
    if isinstance(document, list):
        return set().union(*map(find_references, document))
    return set()


def resolve(document: dict[str, Any], reference: str) -> Any:
    """Return the target of a `$ref` within a document; raises KeyError if there is none."""
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name.replace("~1", "/").replace("~0", "~")]
    return found


def project_version() -> str:
    return str(_project()["version"])


def contact_and_licence() -> dict[str, Any]:
    """Return these members of `info`, which OpenAPI and AsyncAPI have in common."""
    project = _project()
    name = project["license"]
    return {
        "contact": {"name": "Vitrina", "url": project["urls"]["Issues"]},
        "license": {"name": name, "url": f"https://spdx.org/licenses/{name}.html"},
    }


def _project() -> dict[str, Any]:
    pyproject = Path(__file__).parents[1] / "pyproject.toml"
    found: dict[str, Any] = tomllib.loads(pyproject.read_text())["project"]
    return found
