"""Deploy to the local cloud, start clients with it and without, print what each took as JSON.

It runs in the environment that deploys; the benchmarks' own one has no CDK.
"""

import os
import subprocess
import sys
from pathlib import Path

from harness.tokens import token_of
from local import edge, emulator
from vitrina.channels import ClientType

NODE = Path(sys.executable).with_name("node")
SCRIPT = Path(__file__).with_suffix(".mjs")


def main() -> int:
    with emulator.running() as cloud, edge.running(cloud.outputs) as url:
        stack = {"VITRINA_URL": url, "VITRINA_TOKEN": token_of(ClientType.USER)}
        return subprocess.run([NODE, SCRIPT], env=os.environ | stack, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
