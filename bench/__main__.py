"""`make bench`: run the benchmarks, print their results and write them to docs/benchmarks.md."""

import signal
import sys

from bench import (
    bursts,
    cold,
    console,
    hostile,
    million,
    posts,
    recovery,
    report,
    scale,
    sizes,
    soak,
    stub,
    units,
)
from local.progress import Progress

BENCHMARKS = {
    "posts": posts.measure,
    "scale": scale.measure,
    "bursts": bursts.measure,
    "million": million.measure,
    "recovery": recovery.measure,
    "units": units.measure,
    "cold": cold.measure,
    "hostile": hostile.measure,
    "revocations": hostile.revocations,
    "soak": soak.measure,
    "sizes": sizes.measure,
    "console": console.measure,
}


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if missing := stub.missing():
        sys.exit(f"Please install first: apt-get install {' '.join(missing)}")
    for name in sys.argv[1:] or BENCHMARKS:
        if name not in BENCHMARKS:
            sys.exit(f"There is no benchmark {name}, only {', '.join(BENCHMARKS)}.")
        _run(name)


def _run(name: str) -> None:
    progress = Progress()
    section = BENCHMARKS[name](progress)
    progress.done()
    text = section.to_markdown(name)
    print(f"\n{text}\n")
    if section.is_complete:
        report.write(name, text)


if __name__ == "__main__":
    main()
