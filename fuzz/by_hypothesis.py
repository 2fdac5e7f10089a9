"""Hypothesis as an engine: `python -m fuzz.by_hypothesis HANDLER SECONDS REPORT`."""

import random
import time
from contextlib import suppress

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from fuzz import report
from fuzz.backend import Backend, Case
from fuzz.runner import Finding, Runner
from fuzz.targets import TARGETS, Target

CASES_PER_ROUND = 1000
SHRINKING_SECONDS = 10

_TEXTS = st.text(st.characters(), max_size=40)
_DATA = st.binary(max_size=200)


class TimeIsUp(KeyboardInterrupt):
    """Ends a round: Hypothesis does not catch it."""


class Broken(KeyboardInterrupt):
    """The runner has failed, not a handler."""


class _DrawnSource:
    """A source that draws choices from Hypothesis."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def text(self) -> str:
        return self._draw(_TEXTS)

    def data(self) -> bytes:
        return self._draw(_DATA)


@st.composite
def _cases(draw: st.DrawFn, target: Target) -> Case:
    return target.case(_DrawnSource(draw))


def search(target: Target, runner: Runner, seconds: float) -> None:
    """Play rounds of cases; a round ends with a finding, after ten seconds of shrinking."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(Finding, Flaky, TimeIsUp):
            _round(target, runner, until)


def _round(target: Target, runner: Runner, until: float) -> None:
    known = set(runner.found)
    ends = until
    shrinks = False

    @seed(random.SystemRandom().getrandbits(64))
    @settings(
        max_examples=CASES_PER_ROUND,
        phases=[Phase.generate, Phase.shrink],
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(_cases(target))
    def play(case: Case) -> None:
        nonlocal ends, shrinks
        if time.monotonic() >= ends:
            raise TimeIsUp
        try:
            finding = runner.run(case, fresh=shrinks)
        except Exception as failure:
            raise Broken from failure
        if finding and finding.signature not in known:
            if not shrinks:
                shrinks, ends = True, time.monotonic() + SHRINKING_SECONDS
            raise finding

    play()


if __name__ == "__main__":
    name, seconds, file = report.arguments()
    with Backend.running() as backend:
        runner = Runner(TARGETS[name], backend, "hypothesis")
        search(TARGETS[name], runner, seconds)
        report.write(file, runner)
