"""The verdict on a check: run within its time, and compared with what was expected."""

import time
from enum import StrEnum
from threading import Event, Thread
from typing import NamedTuple

from ops.verify.check import Check
from ops.verify.expectation import Unavailable, Unexpected
from ops.verify.site import Site, Stopped

POLL_SECONDS = 0.1


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "FAILED"
    SKIPPED = "skipped"


class Verdict(NamedTuple):
    check: Check
    outcome: Outcome
    came: str
    """What came, or the reason for skipping."""
    seconds: float = 0


def reason_to_skip(check: Check, site: Site) -> str:
    """Return why a check does not run on this deployment; empty if it runs."""
    if site.is_local and check.not_local:
        return f"local: {check.not_local}"
    return next((need.otherwise for need in check.needs if not need.is_met(site)), "")


def judge(check: Check, site: Site, running: list[Thread]) -> Verdict:
    """Run a check in a thread, so that one that hangs does not stop the run.

    A thread that goes on is left in `running`. Raises Stopped when the run is interrupted.
    """
    begun = time.monotonic()
    verdicts: list[Verdict] = []
    thread = Thread(target=lambda: verdicts.append(_try(check, site.via(check.door))), daemon=True)
    thread.start()
    running.append(thread)
    _wait(thread, check.timeout_seconds, site.stop)
    if not verdicts:
        site.go_on()
        late = f"nothing within {check.timeout_seconds:g} s"
        verdicts = [Verdict(check, Outcome.FAILED, late)]
    return verdicts[0]._replace(
        came=" ".join(site.redact(verdicts[0].came).split()), seconds=time.monotonic() - begun
    )


def _wait(thread: Thread, seconds: float, stop: Event) -> None:
    deadline = time.monotonic() + seconds
    while thread.is_alive() and time.monotonic() < deadline and not stop.is_set():
        thread.join(POLL_SECONDS)


def _try(check: Check, site: Site) -> Verdict:
    try:
        if reason := reason_to_skip(check, site):
            return Verdict(check, Outcome.SKIPPED, reason)
        return Verdict(check, Outcome.OK, check.run(site))
    except Unavailable as unavailable:
        return Verdict(check, Outcome.SKIPPED, str(unavailable))
    except Unexpected as unexpected:
        return Verdict(check, Outcome.FAILED, str(unexpected))
    except Stopped:
        return Verdict(check, Outcome.SKIPPED, "stopped")
    except Exception as fault:  # noqa: BLE001 - whatever it is, it came instead
        return Verdict(check, Outcome.FAILED, f"{type(fault).__name__}: {fault}")
