"""The generated files of the reference."""

import json
from pathlib import Path
from typing import Any

from reference import asyncapi, openapi, pages, problems, tables

ROOT = Path(__file__).parents[1]
SERVED = ROOT / "functions/openapi"
PROTOCOL = ROOT / "docs/protocol.md"


def generated() -> dict[Path, str]:
    """Return the up-to-date text of each file."""
    http, websocket = openapi.document(), asyncapi.document()
    return {
        SERVED / "openapi.json": _json(http),
        SERVED / "asyncapi.json": _json(websocket),
        SERVED / "problems.html": problems.page(),
        PROTOCOL: pages.renew(PROTOCOL.read_text(encoding="utf-8"), tables.parts(http)),
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
