"""Whether there is a browser for tests and benchmarks; `launch.mjs` starts it."""

import subprocess
import sys
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
NODE = Path(sys.executable).with_name("node")


@cache
def why_not() -> str:
    """Return why there is no browser, and where one is looked for; empty if there is one."""
    looked = subprocess.run([NODE, HERE / "launch.mjs"], capture_output=True, text=True, check=True)
    return looked.stdout.strip()
