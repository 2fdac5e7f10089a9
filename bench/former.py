"""The functions before lanes and frames, which post each event alone: from the history."""

import subprocess
from typing import Any

from bench import machine

COMMIT = "8afad80"
FOLDER = machine.BUILD / "former"
# Its defaults.
SHARDS = {"user_shards": (16,), "shop_shards": (4,), "admin_shards": (1,)}


def extract() -> dict[str, Any] | None:
    """Write its files to a folder; return the arguments of `stack.running` for them.

    None if this clone does not have the commit.
    """
    git = ["git", "-C", str(machine.ROOT)]
    archived = subprocess.run([*git, "archive", COMMIT], capture_output=True, check=False)
    if archived.returncode:
        return None
    FOLDER.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-x", "-C", FOLDER], input=archived.stdout, check=True)
    # Its functions look for the stub's certificate there.
    build = FOLDER / "build"
    if not build.exists():
        build.symlink_to(machine.BUILD)
    return {"code": FOLDER, **SHARDS}
