"""Which files are generated, and what they say."""

import json
from pathlib import Path
from typing import Any

from reference import asyncapi, openapi, tables

ROOT = Path(__file__).parents[1]
SERVED = ROOT / "functions/openapi"
PROTOCOL = ROOT / "docs/protocol.md"


def generated() -> dict[Path, str]:
    """Return the text of each file as it should be now."""
    http, websocket = openapi.document(), asyncapi.document()
    return {
        SERVED / "openapi.json": _json(http),
        SERVED / "asyncapi.json": _json(websocket),
        PROTOCOL: tables.renew(PROTOCOL.read_text(encoding="utf-8"), http),
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
