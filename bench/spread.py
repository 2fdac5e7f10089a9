"""Repetitions of a measurement, as cells of a table."""

from statistics import median


def cells(values: list[float], digits: int = 0) -> list[str]:
    """Return the median, and the least and the greatest value."""
    return [f"{median(values):,.{digits}f}", f"{min(values):,.{digits}f}–{max(values):,.{digits}f}"]
