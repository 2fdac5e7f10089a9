"""The clock: the present moment, as rows store it."""

import time


def now_ms() -> int:
    """Return the present moment in milliseconds since 1970."""
    return round(time.time() * 1000)
