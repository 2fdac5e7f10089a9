"""Atheris as an engine: `python -m fuzz.by_atheris HANDLER SECONDS REPORT`.

libFuzzer keeps what takes new branches in `vitrina`, `functions` and Powertools, and mutates that.
(pydantic validates in Rust; its Python runs once, when models are built.) The corpus stays in
build/fuzz-corpus for the next time.
"""

import os
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["vitrina", "functions", "aws_lambda_powertools"]):
    from fuzz import report, words
    from fuzz.runner import ROOT, Runner
    from fuzz.targets import TARGETS, Target
    from fuzz.world import World

CORPUS = ROOT / "build/fuzz-corpus"
MAX_TEXT = 40
MAX_DATA = 2000
MAX_INPUT = 4096
SEEDS = 64


class _Fed:
    """A source whose choices libFuzzer's bytes make."""

    def __init__(self, data: bytes) -> None:
        self._provider = atheris.FuzzedDataProvider(data)

    def number(self, low: int, high: int) -> int:
        fed: int = self._provider.ConsumeIntInRange(low, high)
        return fed

    def text(self) -> str:
        fed: str = self._provider.ConsumeUnicode(self.number(0, MAX_TEXT))
        return fed

    def data(self) -> bytes:
        fed: bytes = self._provider.ConsumeBytes(self.number(0, MAX_DATA))
        return fed


def search(target: Target, runner: Runner, seconds: float, file: Path) -> None:
    """Play cases until the time is up, and end this process: libFuzzer never returns."""
    corpus = CORPUS / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    for n in range(SEEDS):
        (corpus / f"seed-{n}").write_bytes(os.urandom(8 * n))
    until = time.monotonic() + seconds

    def play(data: bytes) -> None:
        runner.run(target.case(_Fed(data)))
        if time.monotonic() >= until:
            report.write(file, runner)
            os._exit(0)

    options = [
        f"-max_len={MAX_INPUT}",
        "-len_control=0",  # an event takes some hundred choices
        f"-dict={_dictionary()}",
        "-timeout=0",  # the runner has a limit of its own
        "-rss_limit_mb=4096",
        f"-artifact_prefix={corpus}.",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], play)
    atheris.Fuzz()


def _dictionary() -> Path:
    """Write the hostile words for libFuzzer to put into texts."""
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
    with World.running() as world:
        search(TARGETS[name], Runner(TARGETS[name], world, "atheris"), seconds, report_file)
