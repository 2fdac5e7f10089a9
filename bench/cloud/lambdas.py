"""Warm functions, each in its own process, with one invocation at a time."""

import json
import math
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

from bench import machine
from bench.cloud.bill import Bill
from bench.cloud.queue import Queue
from bench.cloud.server import DELIVERY_SECONDS
from infra.cdk.functions import FUNCTIONS

MB_PER_GB = 1024
# With this much memory, a function gets a whole processor; with less, a share of one.
PROCESSOR_MB = 1769


class Invocation(NamedTuple):
    answer: Any
    seconds: float
    """Seconds in the handler, as AWS bills them."""
    cpu_seconds: float
    log_bytes: int
    peak_mb: float
    """The peak memory of the process so far."""
    metric_bytes: int = 0
    """Of the lines that are metrics; a former commit's worker does not count them."""


def check(name: str, answer: Any) -> None:
    """Raise RuntimeError if a function's response is an error."""
    found = answer or {}
    status = found.get("statusCode", HTTPStatus.OK)
    if status >= HTTPStatus.BAD_REQUEST or found.get("batchItemFailures"):
        raise RuntimeError(f"{name}: {answer}")


class Lambda:
    """One execution environment of a function."""

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        bill: Bill,
        niceness: int = 0,
        code: Path = machine.ROOT,
    ) -> None:
        """Start a function of the project in the folder `code`."""
        self.name = name
        self._bill = bill
        self._memory_mb = FUNCTIONS[name].memory_mb
        self._process = subprocess.Popen(
            ["nice", "-n", str(niceness), machine.PYTHON, "-m", "bench.cloud.worker", name],
            cwd=code,
            env={**environment, "POWERTOOLS_SERVICE_NAME": name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def invoke(self, event: Any) -> Invocation:
        """Call the handler; raises RuntimeError if the process has ended."""
        assert self._process.stdin  # noqa: S101
        assert self._process.stdout  # noqa: S101
        print(json.dumps(event), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("The function's process has ended; its error is printed above.")
        invocation = Invocation(**json.loads(answer))
        self._charge(invocation)
        return invocation

    def close(self) -> None:
        """End the process by closing its input."""
        self._process.communicate()

    def _charge(self, invocation: Invocation) -> None:
        # Measured with a whole processor; with a third of one, computing takes three times as long.
        slowdown = max(1.0, PROCESSOR_MB / self._memory_mb)
        seconds = invocation.seconds + invocation.cpu_seconds * (slowdown - 1)
        billed_seconds = math.ceil(seconds * 1000) / 1000
        self._bill.add("invocations")
        self._bill.add("gb_seconds", billed_seconds * self._memory_mb / MB_PER_GB)
        self._bill.add(f"{self.name}_cpu_seconds", invocation.cpu_seconds)
        self._bill.add("log_bytes", invocation.log_bytes)
        self._bill.add("metric_bytes", invocation.metric_bytes)


class LambdaPool:
    """Several execution environments of a function; an invocation waits until one is free."""

    def __init__(self, environments: Iterable[Lambda]) -> None:
        self._free: SimpleQueue[Lambda] = SimpleQueue()
        for environment in environments:
            self._free.put(environment)

    def invoke(self, event: Any) -> Invocation:
        environment = self._free.get()
        try:
            return environment.invoke(event)
        finally:
            self._free.put(environment)


class EventSources:
    """SQS event source mappings: invoke each function with one message of its queue at a time."""

    def __init__(self, workers: Sequence[tuple[Queue, Lambda]], bill: Bill) -> None:
        self._queues = [queue for queue, _ in workers]
        self._bill = bill
        self.failures: list[Any] = []
        self.peak_mb = 0.0
        self._threads = [Thread(target=self._feed, args=worker) for worker in workers]
        for thread in self._threads:
            thread.start()

    def check(self, *, are_done: bool = True) -> None:
        """Raise RuntimeError if a task has failed, or if not all are done."""
        if not are_done or self.failures:
            raise RuntimeError(f"The workers are not done: {self.failures[:10]}")

    def close(self) -> None:
        """Stop after the tasks that have begun."""
        for queue in self._queues:
            queue.close()
        for thread in self._threads:
            thread.join()

    def _feed(self, queue: Queue, worker: Lambda) -> None:
        while (body := queue.get()) is not None:
            time.sleep(DELIVERY_SECONDS)
            # One to receive, one to delete.
            self._bill.add("queue_requests", 2)
            try:
                invocation = worker.invoke({"Records": [{"messageId": "message", "body": body}]})
            except (RuntimeError, ValueError) as failure:
                self.failures.append(failure)
            else:
                self.failures += invocation.answer["batchItemFailures"]
                self.peak_mb = max(self.peak_mb, invocation.peak_mb)
            queue.done()
