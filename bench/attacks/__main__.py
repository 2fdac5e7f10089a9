"""Deploy to the local cloud, run one attack, and print what was measured as a last line of JSON.

It runs in the environment that deploys; the benchmarks' own one has no CDK.
"""

import json
import sys

from bench.attacks import counting, flood, revocations, submissions
from local import edge, emulator

ATTACKS = {
    "flood": flood.measure,
    "counting": counting.measure,
    "submissions": submissions.measure,
    "revocations": revocations.measure,
}
# As a deployment has it; otherwise shops of the local cloud submit as fast as they can.
SUBMISSIONS_PER_SHOP_HOUR = 120


def main(name: str) -> None:
    with (
        emulator.running(submissions_per_shop_hour=SUBMISSIONS_PER_SHOP_HOUR) as cloud,
        edge.running(cloud.outputs) as url,
    ):
        found = ATTACKS[name](cloud, url)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
