"""What the client adds to an app, and what those of other services do."""

import json
import subprocess
from pathlib import Path
from typing import Any

from bench import machine
from bench.report import Row, Section, Table
from local.progress import Progress

PACKAGE = machine.ROOT / "clients/javascript"


def measure(progress: Progress) -> Section:
    progress("Building the client package")
    _node(PACKAGE / "scripts/build.mjs")
    progress("Bundling clients")
    found = json.loads(_node(machine.ROOT / "bench/sizes.mjs"))
    table = Table("Bytes that an app for browsers grows by", [_row(**each) for each in found])
    return Section([table], versions={"esbuild": _version_of("esbuild")})


def _row(*, name: str, what: str, version: str, minified: int, gzipped: int) -> Row:
    return [
        ("package", ", ".join(part for part in (f"{name} {version}", what) if part)),
        ("minified", f"{minified:,}"),
        ("gzipped", f"{gzipped:,}"),
    ]


def _version_of(name: str) -> str:
    found: dict[str, Any] = json.loads((PACKAGE / f"node_modules/{name}/package.json").read_text())
    return str(found["version"])


def _node(script: Path) -> str:
    done = subprocess.run(["node", script], capture_output=True, text=True, check=True)
    return done.stdout
