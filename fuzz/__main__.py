"""`make fuzz`: search for events that break a handler, or replay one that was found."""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from fuzz import report, runner, targets
from fuzz.backend import Backend

ENGINES = ("hypothesis", "atheris")
LOGS = runner.ROOT / "build/fuzz-logs"
MAX_PRINTED = 4000


class Job(NamedTuple):
    engine: str
    name: str
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("names", nargs="*", metavar="HANDLER", help="default: all")
    parser.add_argument("--seconds", type=float, default=600, help="per engine, in total")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="in build/fuzz-findings")
    asked = parser.parse_args()
    if unknown := set(asked.names) - targets.TARGETS.keys():
        parser.error(f"There is no handler {', '.join(sorted(unknown))}.")
    targets.check()
    if asked.replay:
        sys.exit(_replay(asked.replay))
    names = asked.names or sorted(targets.TARGETS)
    sys.exit(_search(names, asked.seconds / len(names)))


def _search(names: list[str], seconds: float) -> int:
    """Run both engines on every handler, each in its own process, one per core at a time."""
    LOGS.mkdir(parents=True, exist_ok=True)
    jobs = [Job(engine, name, seconds) for name in names for engine in ENGINES]
    print(f"{'handler':<12}{'engine':<12}{'cases':>10}{'seconds':>10}{'findings':>10}", flush=True)
    found: list[str] = []
    cases = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for job, result in zip(jobs, pool.map(_run, jobs), strict=True):
            label = f"{job.name:<12}{job.engine:<12}"
            if result is None:
                print(f"{label}died; its log is {_log(job)}", flush=True)
                found.append(str(_log(job)))
                continue
            cases += result.cases
            found += result.findings
            figures = f"{result.cases:>10,}{result.seconds:>10.0f}{len(result.findings):>10}"
            print(f"{label}{figures}", flush=True)
    for file in found:
        _print(Path(file))
    print(f"{cases:,} cases, {len(found)} findings")
    return bool(found)


def _run(job: Job) -> report.Report | None:
    file = _log(job).with_suffix(".json")
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"fuzz.by_{job.engine}", job.name, str(job.seconds), str(file)]
    with _log(job).open("w") as log:
        subprocess.run(command, cwd=runner.ROOT, stdout=log, stderr=log, check=False)
    return report.read(file)


def _log(job: Job) -> Path:
    return LOGS / f"{job.name}-{job.engine}.log"


def _print(file: Path) -> None:
    if file.suffix != ".json":
        return
    saved = json.loads(file.read_text())
    event = json.dumps(saved["event"])
    print(f"\n{saved['target']}: {saved['why']} ({saved['signature']})")
    print(event if len(event) <= MAX_PRINTED else f"{event[:MAX_PRINTED]} …")
    print("".join(saved["traceback"]).rstrip())
    print(f"Replay: make fuzz REPLAY={file.relative_to(runner.ROOT)}")


def _replay(file: Path) -> int:
    with Backend.running() as backend:
        finding = runner.of_file(file, backend)
    if finding is None:
        print("The finding no longer occurs.")
        return 0
    print(f"{finding.why} ({finding.signature})", *finding.last_lines, sep="\n")
    return 1


if __name__ == "__main__":
    main()
