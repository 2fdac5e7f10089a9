"""What the client adds to an app, and what those of other services do."""

import json
from typing import Any

from bench import machine, report
from bench.report import Row, Section, Table
from local.progress import Progress

PACKAGE = machine.ROOT / "clients/javascript"


def measure(progress: Progress) -> Section:
    progress("Building the client package")
    _node("clients/javascript/scripts/build.mjs")
    progress("Bundling clients")
    found = json.loads(_node("bench/sizes.mjs"))
    progress("Starting clients")
    starts = machine.result_of("bench.starts")
    packages = {each["name"]: f"{each['name']} {each['version']}" for each in found}
    return Section(
        [
            Table("Bytes that an app for browsers grows by", [_size(**each) for each in found]),
            Table(
                "Milliseconds from loading the code until events arrive",
                [_start(packages[each["name"]], each["where"], each["ms"]) for each in starts],
            ),
        ],
        versions={"esbuild": _version_of("esbuild"), "Node": _node("--version").strip()[1:]},
    )


def _size(*, name: str, what: str, version: str, minified: int, gzipped: int) -> Row:
    return [
        ("package", ", ".join(part for part in (f"{name} {version}", what) if part)),
        ("minified", f"{minified:,}"),
        ("gzipped", f"{gzipped:,}"),
    ]


def _start(package: str, server: str, ms: list[float]) -> Row:
    return [("package", package), ("server", server), *report.spread("median", ms)]


def _version_of(name: str) -> str:
    found: dict[str, Any] = json.loads((PACKAGE / f"node_modules/{name}/package.json").read_text())
    return str(found["version"])


def _node(argument: str) -> str:
    """Return what a program of Node, or Node itself, prints."""
    return machine.run([machine.NODE, argument]).stdout
