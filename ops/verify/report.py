"""The report of a run: an aligned table, the failures in full, and the same as JSON."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ops.verify.verdict import Outcome, Verdict

HEADERS = ("verdict", "check", "expected", "what came", "s")
MAX_WIDTHS = (7, 42, 32, 44, 5)


def table(verdicts: Iterable[Verdict]) -> str:
    """Return a line for each verdict, cut to the widths of the columns."""
    rows = [HEADERS, *map(_cells, verdicts)]
    columns = [
        [_cut(cell, most) for cell in cells]
        for cells, most in zip(zip(*rows, strict=True), MAX_WIDTHS, strict=True)
    ]
    widths = [max(map(len, column)) for column in columns]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if header == "s" else cell.ljust(width)
            for header, cell, width in zip(HEADERS, row, widths, strict=True)
        ).rstrip()
        for row in zip(*columns, strict=True)
    )


def failures(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Yield each failed check in full."""
    for verdict in verdicts:
        if verdict.outcome is Outcome.FAILED:
            yield (
                f"FAILED  {verdict.check.title} ({verdict.check.name})\n"
                f"  expected:  {verdict.check.expected}\n"
                f"  what came: {verdict.came}"
            )


def summary(verdicts: Sequence[Verdict], seconds: float) -> str:
    """Return `61 ok, 1 FAILED, 14 skipped in 40 s`."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    parts = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
    return f"{parts}, in {seconds:.0f} s"


def to_json(stack: str, verdicts: Iterable[Verdict], left: Sequence[str]) -> str:
    rows: list[dict[str, Any]] = [
        {
            "check": verdict.check.name,
            "what": verdict.check.what,
            "door": verdict.check.door,
            "verdict": verdict.outcome,
            "expected": verdict.check.expected,
            "came": verdict.came,
            "seconds": round(verdict.seconds, 3),
        }
        for verdict in verdicts
    ]
    document = {"stack": stack, "checks": rows, "left_behind": left}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _cells(verdict: Verdict) -> tuple[str, ...]:
    seconds = "" if verdict.outcome is Outcome.SKIPPED else f"{verdict.seconds:.1f}"
    return (verdict.outcome, verdict.check.title, verdict.check.expected, verdict.came, seconds)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
