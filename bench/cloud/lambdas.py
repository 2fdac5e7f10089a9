"""Warm functions, each a process of its own that does one invocation at a time."""

import json
import math
import subprocess
import time
from collections.abc import Mapping
from threading import Thread
from typing import Any, NamedTuple

from bench import machine
from bench.cloud.bill import Bill
from bench.cloud.queue import Queue
from bench.cloud.server import DELIVERY_SECONDS
from infra.cdk.functions import FUNCTIONS

# What the functions are to run with; the benchmarks' own environment has another boto3.
PYTHON = str(machine.BUILD / "venv/bin/python")
MB_PER_GB = 1024
# A function gets a part of a processor: a whole one with so much memory.
PROCESSOR_MB = 1769


class Invocation(NamedTuple):
    answer: Any
    seconds: float
    """In the handler: what AWS bills."""
    cpu_seconds: float
    log_bytes: int
    peak_mb: float
    """The most memory that the process has held so far."""


class Lambda:
    """One execution environment of a function."""

    def __init__(
        self, name: str, environment: Mapping[str, str], bill: Bill, niceness: int = 0
    ) -> None:
        self.name = name
        self._bill = bill
        self._memory_mb = FUNCTIONS[name].memory_mb
        self._process = subprocess.Popen(
            ["nice", "-n", str(niceness), PYTHON, "-m", "bench.cloud.worker", name],
            cwd=machine.ROOT,
            env={**environment, "POWERTOOLS_SERVICE_NAME": name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def invoke(self, event: Any) -> Invocation:
        """Call the handler; raises RuntimeError when the process has died."""
        assert self._process.stdin  # noqa: S101
        assert self._process.stdout  # noqa: S101
        print(json.dumps(event), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("The function's process has ended; its error stands above.")
        invocation = Invocation(**json.loads(answer))
        self._charge(invocation)
        return invocation

    def close(self) -> None:
        """End the process, which its last line of input does."""
        self._process.communicate()

    def _charge(self, invocation: Invocation) -> None:
        # Here was a whole processor; with a third of one, computing takes three times as long.
        slowdown = max(1.0, PROCESSOR_MB / self._memory_mb)
        seconds = invocation.seconds + invocation.cpu_seconds * (slowdown - 1)
        billed_seconds = math.ceil(seconds * 1000) / 1000
        self._bill.add("invocations")
        self._bill.add("gb_seconds", billed_seconds * self._memory_mb / MB_PER_GB)
        self._bill.add(f"{self.name}_cpu_seconds", invocation.cpu_seconds)
        self._bill.add("log_bytes", invocation.log_bytes)


class EventSource:
    """Gives a queue's messages to functions, one each at a time: an SQS event source mapping."""

    def __init__(self, queue: Queue, workers: list[Lambda], bill: Bill) -> None:
        self._queue = queue
        self._bill = bill
        self.failures: list[Any] = []
        self.peak_mb = 0.0
        self._threads = [Thread(target=self._feed, args=(worker,)) for worker in workers]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._queue.close()
        for thread in self._threads:
            thread.join()

    def _feed(self, worker: Lambda) -> None:
        while (body := self._queue.get()) is not None:
            time.sleep(DELIVERY_SECONDS)
            # Received and, in the end, deleted.
            self._bill.add("queue_requests", 2)
            invocation = worker.invoke({"Records": [{"messageId": "message", "body": body}]})
            self.failures += invocation.answer["batchItemFailures"]
            self.peak_mb = max(self.peak_mb, invocation.peak_mb)
            self._queue.done()
