"""The npm package: its own tests, and what is published of it."""

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "clients/javascript"
NODE = Path(sys.executable).parent / "node"


def run(*command: str) -> None:
    assert (PACKAGE / "node_modules").is_dir(), "run `make build/client.done`"
    done = subprocess.run(
        [NODE, *command], cwd=PACKAGE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_passes_its_own_tests() -> None:
    run("node_modules/vitest/vitest.mjs", "run", "--reporter=dot", "--no-color")


def test_the_built_package_is_sound_small_and_has_fresh_types() -> None:
    run("scripts/build.mjs")
    run("scripts/check.mjs")
