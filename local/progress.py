"""The steps of a long task on the terminal, with their durations."""

import signal
import sys
import time
from collections.abc import Callable


class Progress:
    """Print each step when it begins, and its duration when the next one begins."""

    def __init__(self) -> None:
        self._begun: float | None = None

    def __call__(self, step: str) -> None:
        self.done()
        print(f"  {step + ' ':.<42} ", end="", flush=True)
        self._begun = time.monotonic()

    def done(self) -> None:
        if self._begun is not None:
            print(f"{time.monotonic() - self._begun:5.1f} s", flush=True)
        self._begun = None


def run(program: Callable[[Progress], None], *, status_of_ctrl_c: int) -> None:
    """Run a program until Ctrl-C or SIGTERM, or until a step raises RuntimeError."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        program(Progress())
    except KeyboardInterrupt:
        print("\n  Stopped.")
        sys.exit(status_of_ctrl_c)
    except RuntimeError as failure:
        sys.exit(f"\n{failure}")
