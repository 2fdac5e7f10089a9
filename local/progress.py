"""Steps of something long, on the terminal: what is being done, and how long each step took."""

import time


class Progress:
    """Print each step when it begins, and its seconds when the next one does."""

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
