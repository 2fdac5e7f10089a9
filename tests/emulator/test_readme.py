"""The README's quick start, run as it is written; only the port is another one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.emulator.test_clients import running

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()

pytestmark = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="the quick start uses curl and jq"
)


def block(name: str, url: str) -> str:
    """Return the shell commands below `<!-- run: NAME -->`."""
    found = re.search(rf"<!-- run: {name} -->\n```bash\n(.*?)```", README, re.DOTALL)
    assert found, name
    host = url.partition("//")[2]
    return found[1].replace("localhost:8000", host)


def test_the_quick_start_shows_an_approval_to_both_clients(tmp_path: Path, url: str) -> None:
    watch = block("watch", url)
    websocket = url.replace("http", "ws", 1) + "/ws/user"
    watch = watch.replace("$TOKEN\n", f"$TOKEN --url {websocket}\n")
    login = watch.partition("python3")[0]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        running(tmp_path / "a", "bash", "-c", watch) as client,
        running(tmp_path / "b", "bash", "-c", login + block("wscat", url)) as wscat,
    ):
        client.wait_for("connected")
        wscat.wait_for('"event":"connected"')
        done = subprocess.run(
            ["bash", "-eu", "-c", block("approve", url)], capture_output=True, text=True, check=True
        )
        assert '"moderation_status":"approved"' in done.stdout
        assert '"total":2' in done.stdout
        client.wait_for("product.approved", "Красное платье", "Отличный товар")
        wscat.wait_for('"event":"product.approved"')
