"""Anonymous requests for the numbers of connections, while 100,000 are stored."""

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3

from bench.cloud import stack
from bench.cloud.stack import Stack
from local import edge
from local.client import Api
from local.emulator import Cloud
from vitrina import aws, statistics

CONNECTIONS, AT_ONCE = 100_000, 100
PATHS = ("/ws/stats", "/health")
AGES = {"fresh": 0.1, "due": 0.6, "old": 1.5}
"""Of the stored numbers when the requests come, in intervals: due is after half of one."""
WRITES_PER_COUNT = 2
"""The lease, and the numbers."""


def measure(_cloud: Cloud, url: str) -> dict[str, Any]:
    """Return what 100 requests at once cost, by path and by the age of the stored numbers.

    The function is the deployed one. Its tables are the stand-in's of the other benchmarks: the
    local cloud takes longer for a count of so many than the function may run.
    """
    with stack.running(connections=CONNECTIONS) as here:
        _use(here)
        Api(url).call("GET", PATHS[0])
        # The local cloud starts a process for each of them, some seconds for twenty.
        for number in range(20, AT_ONCE + 1, 20):
            _at_once(url, PATHS[0], number)
        return {
            f"{path}, {name}": _cost(here, url, path, age)
            for path in PATHS
            for name, age in AGES.items()
        }


def _cost(here: Stack, url: str, path: str, age: float) -> dict[str, Any]:
    _set_age(here, age)
    here.cloud.bill.take()
    began = time.monotonic()
    answers = _at_once(url, path)
    seconds = time.monotonic() - began
    bill = here.cloud.bill.take()
    return {
        "answers": answers,
        "seconds": seconds,
        "reads": bill.get("GetItem", 0),
        "queries": bill.get("Query", 0),
        "counts": bill.get("writes", 0) / WRITES_PER_COUNT,
    }


def _set_age(here: Stack, intervals: float) -> None:
    key = aws.to_item({"name": statistics.ROW})
    row = aws.from_item(here.cloud.tables["platform"].get(key).item)
    counted_at = round(time.time() * 1000 - intervals * float(row["interval_ms"]))
    here.put("platform", {**row, "counted_at": counted_at})


def _at_once(url: str, path: str, number: int = AT_ONCE) -> Mapping[str, int]:
    def ask(_number: int) -> str:
        api = Api(url)
        answer = api.answer("GET", path)
        api.close()
        return str(answer.status_code)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(ask, range(number)))


def _use(here: Stack) -> None:
    """Have the deployed function read the stand-in's tables."""
    functions, name = boto3.client("lambda"), edge.function("stats")
    found = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    tables = {each: here.environment[each] for each in found if each.endswith("_TABLE")}
    address = {"AWS_ENDPOINT_URL_DYNAMODB": here.environment["AWS_ENDPOINT_URL"]}
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": found | tables | address}
    )
