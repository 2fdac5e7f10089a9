"""The process of one function: reads events from standard input, answers on standard output."""

import importlib
import json
import sys
import time
from io import TextIOBase
from pathlib import Path
from typing import Any

from bench import stub
from harness import gateway_events
from vitrina import aws


class _Log(TextIOBase):
    """Discards the function's output, and counts its bytes; those of metrics apart, too."""

    bytes_written = 0
    metric_bytes = 0

    def write(self, text: str) -> int:
        size = len(text.encode())
        self.bytes_written += size
        if text.startswith('{"_aws"'):
            self.metric_bytes += size
        return len(text)


def serve(name: str) -> None:
    """Import a function's handler and call it with every line of standard input."""
    answers, sys.stdout = sys.stdout, _Log()
    # The stub's certificate is self-signed; nothing else about TLS changes.
    aws.ca_bundle = lambda: str(stub.CERTIFICATE)
    handler = importlib.import_module(f"functions.{name}.handler").handler
    context = gateway_events.context(name, memory_mb=1769)
    for line in sys.stdin:
        answer = _invoke(handler, json.loads(line), context)
        print(json.dumps(answer), file=answers, flush=True)


def _invoke(handler: Any, event: Any, context: Any) -> dict[str, Any]:
    assert isinstance(sys.stdout, _Log)  # noqa: S101
    logged, metrics = sys.stdout.bytes_written, sys.stdout.metric_bytes
    started, busy = time.perf_counter(), time.process_time()
    answer = handler(event, context)
    return {
        "answer": answer,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - busy,
        "log_bytes": sys.stdout.bytes_written - logged,
        "metric_bytes": sys.stdout.metric_bytes - metrics,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    """Return the peak memory of this process; `ru_maxrss` would include its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    serve(sys.argv[1])
