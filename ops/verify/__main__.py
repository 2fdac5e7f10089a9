"""Prove a deployment, and leave nothing behind: make verify STAGE=… [EVERYONE=1]

`STAGE=local` starts the local cloud for it. Interrupted, the command removes what it has made too.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from local import edge, emulator
from local.progress import Progress
from ops import stack
from ops.verify import run
from ops.verify.check import Check
from ops.verify.table import CHECKS

STAGES = ("local", "dev", "staging", "prod")
BUILD = Path(__file__).parents[2] / "build"
# So that the local cloud answers the checks of allowed origins too.
LOCAL_ORIGIN = "https://console.example.com"


def main(arguments: Sequence[str] | None = None, checks: Sequence[Check] = CHECKS) -> int:
    """Run the checks; return the status of the program."""
    parser = argparse.ArgumentParser(prog="make verify", description="Prove a deployment.")
    parser.add_argument("--stage", choices=STAGES, default="prod")
    parser.add_argument("--everyone", action="store_true", help="publish to others' clients too")
    options = parser.parse_args(arguments)
    name = emulator.STACK if options.stage == "local" else f"Vitrina-{options.stage}"
    with ExitStack() as running:
        progress = Progress()
        if options.stage == "local":
            running.enter_context(emulator.running(progress, allowed_origins=LOCAL_ORIGIN))
            progress.done()
        running.enter_context(stack.in_use(name))
        outputs = stack.outputs(name)
        # The local cloud, also one that runs already, has no CloudFront.
        if is_local := "AWS_ENDPOINT_URL" in os.environ:
            outputs["EdgeUrl"] = running.enter_context(edge.running(outputs))
        site = run.site(name, outputs, is_local=is_local, everyone=options.everyone)
        return run.verify(site, checks, BUILD / f"verify-{options.stage}.json")


if __name__ == "__main__":
    # Until the run itself takes signals: the local cloud is stopped then.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except RuntimeError as failure:
        sys.exit(f"\n{failure}")
