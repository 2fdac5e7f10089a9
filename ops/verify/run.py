"""A run: its accounts, every check, the removal of what it has made, the report."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import requests

from local.progress import Progress
from ops.verify import cast, report
from ops.verify.check import Check
from ops.verify.expectation import Unexpected
from ops.verify.footprint import Footprint
from ops.verify.site import Site, Stopped
from ops.verify.verdict import Outcome, Verdict, judge
from vitrina import config, history
from vitrina.channels import ClientType

# For requests that are under way at the end; the longest takes 40 s.
LAST_REQUESTS_SECONDS = 45
# The status of a program that a signal has ended, as a shell reports it.
SIGNALED = 128


def site(stack: str, outputs: dict[str, str], *, is_local: bool, everyone: bool) -> Site:
    """Return a deployment for a new run, which has made nothing yet."""
    return Site(
        stack=stack,
        outputs=outputs,
        edge_url=outputs.get("EdgeUrl"),
        is_local=is_local,
        is_for_everyone=everyone,
        footprint=Footprint(cast.choose(), history.positions(ClientType)),
        stop=Event(),
    ).via(None)


def verify(site: Site, checks: Sequence[Check], file: Path) -> int:
    """Judge all checks, remove everything, print the report and write it; return a status."""
    begun = time.monotonic()
    verdicts: list[Verdict] = []
    threads: list[Thread] = []
    with _stopping_at_signals(site.stop) as signals:
        try:
            progress = Progress()
            _prepare(site, progress)
            for number, check in enumerate(checks, start=1):
                progress(f"{number:>2}/{len(checks)} {check.title}"[:41])
                verdicts.append(judge(check, site, threads))
        except Stopped:
            pass
        finally:
            progress("Removing what this run has made")
            left = _clean_up(site, threads)
            progress.done()
            for sentence in left:
                print(f"LEFT BEHIND  {sentence}")
    _report(site, verdicts, left, time.monotonic() - begun, file)
    if signals:
        return SIGNALED + signals[0]
    return int(bool(left) or any(each.outcome is Outcome.FAILED for each in verdicts))


@contextmanager
def _stopping_at_signals(stop: Event) -> Iterator[list[int]]:
    """Make Ctrl-C and SIGTERM stop the run in order; yield the list of signals that came.

    An exception in the middle of the removal would leave something behind.
    """
    came: list[int] = []

    def take(number: int, _frame: object) -> None:
        came.append(number)
        stop.set()

    before = {each: signal.signal(each, take) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _prepare(site: Site, progress: Progress) -> None:
    """Create the accounts, log in, and count the connections of others.

    A login that fails is left to the checks, which need its token.
    """
    progress("Counting connections")
    site.footprint.others = _count_connections(site)
    if config.current().token_jwks_url:
        return
    progress("Creating accounts")
    made = site.footprint.cast
    for name, person in made.people.items():
        site.go_on()
        site.footprint.account_ids[name] = cast.create(person, made.shop_id)
        try:
            site.tokens[name] = site.login(name)
        except (Unexpected, requests.RequestException):
            continue


def _count_connections(site: Site) -> int:
    """Return the number of open connections; 1 if it is not known."""
    try:
        return int(site.request("GET", "/ws/stats").json()["total"])
    except (requests.RequestException, KeyError):
        return 1


def _clean_up(site: Site, threads: list[Thread]) -> list[str]:
    """End what is under way, then remove everything; return what is left."""
    site.stop.set()
    deadline = time.monotonic() + LAST_REQUESTS_SECONDS
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    for client in site.clients:
        client.close()
    return [site.redact(sentence) for sentence in site.footprint.remove()]


def _report(
    site: Site, verdicts: Sequence[Verdict], left: Sequence[str], seconds: float, file: Path
) -> None:
    print(f"\n{report.table(verdicts)}\n")
    for failure in report.failures(verdicts):
        print(f"{failure}\n")
    end = "nothing left behind" if not left else f"{len(left)} LEFT BEHIND, see above"
    print(f"{site.stack}: {report.summary(verdicts, seconds)}; {end}")
    file.parent.mkdir(exist_ok=True)
    file.write_text(report.to_json(site.stack, verdicts, left), encoding="utf-8")
