"""Publishing, in a process of its own: how much memory a large audience takes."""

import os
import subprocess
import sys

from tests.conftest import SETTINGS
from tests.management_api_stub import ManagementApiStub

# A table that needs no memory for its rows, and the resident memory after each broadcast.
PUBLISH = """
import resource, sys
from types import SimpleNamespace
from vitrina import aws, connections, publishing
from vitrina.events import ProductSubmission, ProductSubmitted

def query(**arguments):
    start = int(arguments.get("ExclusiveStartKey", {"member": {"S": "1#0"}})["member"]["S"][2:])
    end = min(start + arguments["Limit"], audience)
    page = {"Items": [{"member": {"S": f"1#{n}"}} for n in range(start, end)]}
    return page if end == audience else page | {"LastEvaluatedKey": {"member": {"S": f"1#{end}"}}}

aws.dynamodb = lambda: SimpleNamespace(query=query)
event = ProductSubmitted(
    data=ProductSubmission(product_id=1, product_name="x", shop_id=1, shop_name="x")
)
for audience in map(int, sys.argv[1:]):
    assert publishing.publish([event]).delivered == audience
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_ten_times_the_audience_takes_no_more_memory() -> None:
    with ManagementApiStub.running() as stub:
        settings = SETTINGS.model_copy(update={"management_url": stub.url})
        done = subprocess.run(
            [sys.executable, "-c", PUBLISH, "1500", "15000"],
            env=os.environ | settings.to_environment() | {"POWERTOOLS_LOG_LEVEL": "ERROR"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    small_kb, large_kb = map(int, done.stdout.split())
    assert large_kb - small_kb < 4 * 1024
