"""Runs events against a handler, and reports exceptions, wrong responses and leaked secrets."""

import json
import logging
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from hashlib import sha256
from io import StringIO
from pathlib import Path
from types import FrameType

from fuzz.backend import Backend, Case, Item
from fuzz.targets import TARGETS, Target
from harness.gateway_events import CONTEXT

ROOT = Path(__file__).parents[1]
FINDINGS = ROOT / "build/fuzz-findings"

# More cases per backend are faster; fewer leave less state of earlier cases. Rows count as cases.
CASES_PER_BACKEND = 200
# Events take milliseconds; no function has a longer timeout in the cloud.
MAX_SECONDS = 30


class Hang(BaseException):
    """A handler took too long; its own `except Exception` must not catch this."""


class Finding(Exception):
    """The fault of one event; its cause is the exception behind it, if any."""

    def __init__(self, why: str, cause: BaseException | None) -> None:
        super().__init__(why)
        self.why = why
        self.__cause__ = cause

    @property
    def signature(self) -> str:
        """Name the origin: findings of the same defect have the same signature."""
        if self.__cause__ is None:
            return self.why
        frames = traceback.extract_tb(self.__cause__.__traceback__)
        own = [frame for frame in frames if _is_ours(frame.filename)] or frames
        place = f"{own[-1].filename}:{own[-1].name}" if own else "nowhere"
        return f"{type(self.__cause__).__name__} in {place.removeprefix(f'{ROOT}/')}"

    @property
    def last_lines(self) -> list[str]:
        if self.__cause__ is None:
            return []
        lines = traceback.format_exception(self.__cause__, limit=-6)
        return [line.replace(f"{ROOT}/", "") for line in lines]


class Runner:
    """Plays cases against one target, and saves findings."""

    def __init__(self, target: Target, backend: Backend, engine: str) -> None:
        self._engine = engine
        self._target = target
        self._handler = target.handler
        self._backend = backend
        self._log = _Log()
        self._before: list[Case] = []
        self.cases = 0
        self._lengths: dict[str, int] = {}
        self.found: dict[str, Path] = {}
        """The files of findings by their signatures."""
        signal.signal(signal.SIGALRM, _hang)

    def run(self, case: Case, *, fresh: bool = False) -> Finding | None:
        """Play a case after earlier cases, or `fresh` in a new backend."""
        self.cases += 1
        if fresh or sum(1 + len(each.rows) for each in self._before) >= CASES_PER_BACKEND:
            self._renew()
        finding = self.play(case)
        self._before.append(case)
        if finding:
            self._keep(case, finding)
        return finding

    def _renew(self) -> None:
        self._backend.renew()
        self._before.clear()

    def play(self, case: Case) -> Finding | None:
        """Play a case in the backend as it is."""
        self._backend.put(case.rows)
        event = self._backend.fill(case.event)
        with self._log.captured() as log, _time_limit():
            try:
                answer = self._handler(event, CONTEXT)
                # As Lambda sends it.
                text = json.dumps(answer, ensure_ascii=False).encode().decode()
                why = self._target.fault(event, json.loads(text))
                cause = log.first_cause
            except (Exception, Hang) as escaped:  # noqa: BLE001 - every one is a finding
                return Finding("an exception escapes", escaped)
        if why:
            return Finding(why, cause)
        if log.errors and not self._target.excuses(event):
            return Finding("logged as an error", cause)
        output = log.text + ("" if "access_token" in text else text)
        if any(secret in output for secret in self._backend.secrets_of(case)):
            return Finding("a secret is leaked", None)
        return None

    def _keep(self, case: Case, finding: Finding) -> None:
        """Save a finding, unless this run has a shorter event with the same signature."""
        saved = {
            "target": self._target.name,
            "why": finding.why,
            "signature": finding.signature,
            "traceback": finding.last_lines,
            "event": case.event,
            "rows": case.rows,
            "before": [],
        }
        length = len(json.dumps(saved))
        if length >= self._lengths.get(finding.signature, length + 1):
            return
        self._lengths[finding.signature] = length
        before = self._before[:-1]
        if before and not self._happens_alone(case, finding):
            saved["before"] = [{"event": each.event, "rows": each.rows} for each in before]
        name = sha256(f"{self._engine} {finding.signature}".encode()).hexdigest()[:8]
        file = FINDINGS / f"{self._target.name}-{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(saved, indent=1))
        self.found[finding.signature] = file

    def _happens_alone(self, case: Case, finding: Finding) -> bool:
        self._renew()
        again = self.play(case)
        self._renew()
        return again is not None and again.signature == finding.signature


def of_file(file: Path, backend: Backend) -> Finding | None:
    """Replay a saved finding, after the cases before it."""
    saved = json.loads(file.read_text())
    runner = Runner(TARGETS[saved["target"]], backend, "replay")
    for each in (*saved["before"], saved):
        finding = runner.play(Case(each["event"], [Item(*row) for row in each["rows"]]))
    return finding


def _is_ours(filename: str) -> bool:
    return filename.startswith((f"{ROOT}/vitrina/", f"{ROOT}/functions/"))


def _hang(_signal: int, _frame: FrameType | None) -> None:
    raise Hang(f"{MAX_SECONDS} s")


@contextmanager
def _time_limit() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class _Log(logging.Handler):
    """The output of a function during one event: log lines, and metrics on standard output."""

    def __init__(self) -> None:
        super().__init__()
        # Powertools names its logger so.
        logger = logging.getLogger("service_undefined")
        self._stream = StringIO()
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(self._stream)
        logger.addHandler(self)
        self.errors: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self.errors.append(record)

    @contextmanager
    def captured(self) -> Iterator["_Log"]:
        self.errors.clear()
        self._stream.seek(0)
        self._stream.truncate()
        with redirect_stdout(self._stream):
            yield self

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def first_cause(self) -> BaseException | None:
        return next((r.exc_info[1] for r in self.errors if r.exc_info), None)
