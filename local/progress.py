"""The steps of a long task on the terminal, with their durations."""

import time


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
