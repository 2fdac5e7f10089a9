"""Atheris as an engine: `python -m fuzz.by_atheris HANDLER SECONDS REPORT`.

libFuzzer keeps and mutates inputs that reach new branches of `vitrina`, `functions` and Powertools.
(pydantic validates in Rust; its Python runs once, when models are built.) The corpus is kept in
build/fuzz-corpus for the next run.
"""

import os
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["vitrina", "functions", "aws_lambda_powertools"]):
    from fuzz import report, words
    from fuzz.backend import Backend
    from fuzz.runner import ROOT, Runner
    from fuzz.targets import TARGETS, Target

CORPUS = ROOT / "build/fuzz-corpus"
MAX_TEXT = 40
MAX_DATA = 2000
MAX_INPUT = 4096
FIRST_INPUTS = 64


class _BytesSource:
    """A source that makes choices from libFuzzer's bytes."""

    def __init__(self, data: bytes) -> None:
        self._provider = atheris.FuzzedDataProvider(data)

    def number(self, low: int, high: int) -> int:
        return int(self._provider.ConsumeIntInRange(low, high))

    def text(self) -> str:
        return str(self._provider.ConsumeUnicode(self.number(0, MAX_TEXT)))

    def data(self) -> bytes:
        return bytes(self._provider.ConsumeBytes(self.number(0, MAX_DATA)))


def search(target: Target, runner: Runner, seconds: float, file: Path) -> None:
    """Play cases until the time is over, and end this process: libFuzzer never returns."""
    corpus = CORPUS / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    for n in range(FIRST_INPUTS):
        (corpus / f"first-{n}").write_bytes(os.urandom(8 * n))
    until = time.monotonic() + seconds

    def play(data: bytes) -> None:
        runner.run(target.case(_BytesSource(data)))
        if time.monotonic() >= until:
            report.write(file, runner)
            os._exit(0)

    options = [
        f"-max_len={MAX_INPUT}",
        "-len_control=0",  # an event takes hundreds of choices
        f"-dict={_dictionary()}",
        "-timeout=0",  # the runner has its own limit
        "-rss_limit_mb=4096",
        f"-artifact_prefix={corpus}.",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], play)
    atheris.Fuzz()


def _dictionary() -> Path:
    """Write the hostile words as libFuzzer's dictionary."""
    file = CORPUS / "words.dict"
    short = [
        word.encode(errors="surrogatepass") for word in words.HOSTILE if len(word) in range(1, 40)
    ]
    file.write_text("".join(f'"{_escaped(word)}"\n' for word in short))
    return file


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    name, seconds, report_file = report.arguments()
    with Backend.running() as backend:
        search(TARGETS[name], Runner(TARGETS[name], backend, "atheris"), seconds, report_file)
