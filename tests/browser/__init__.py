"""Whether there is a browser for tests; `launch.mjs` starts it."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE = Path(sys.executable).with_name("node")


def require() -> None:
    """Skip the test if there is no browser, with a line that says where one is looked for."""
    if reason := _why_not():
        pytest.skip(reason)


@cache
def _why_not() -> str:
    looked = subprocess.run([NODE, HERE / "launch.mjs"], capture_output=True, text=True, check=True)
    return looked.stdout.strip()
