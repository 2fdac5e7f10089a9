"""Programs on the client package, each in one file, from the package's sources."""

import subprocess
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "clients/javascript"


def bundle(entry: Path, folder: Path, platform: str) -> Path:
    """Write a program and the package it imports into one file: for `node` or a `browser`."""
    program = folder / f"{entry.stem}.bundle.mjs"
    subprocess.run(
        [
            PACKAGE / "node_modules/.bin/esbuild",
            entry,
            "--bundle",
            "--format=esm",
            "--log-level=error",
            f"--platform={platform}",
            f"--alias:@vitrina/client/browser={PACKAGE / 'src/browser.ts'}",
            f"--alias:@vitrina/client={PACKAGE / 'src/index.ts'}",
            f"--outfile={program}",
        ],
        check=True,
    )
    return program
