"""What the console knows without a page: its own tests, in Node."""

import subprocess
import sys
from pathlib import Path

CONSOLE = Path(__file__).parents[2] / "console"
NODE = Path(sys.executable).parent / "node"


def test_the_console_passes_its_own_tests() -> None:
    assert (CONSOLE / "node_modules/vitest").is_dir(), "run `make build/console-tests.done`"
    done = subprocess.run(
        [NODE, "node_modules/vitest/vitest.mjs", "run", "--reporter=dot", "--no-color"],
        cwd=CONSOLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
