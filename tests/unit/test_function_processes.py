"""The processes of functions in the local cloud, which are forks, have what a started one has."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

FUNCTION = """
import json, os, sys
print(json.dumps([__name__, os.getcwd(), dict(os.environ), os.getpgid(0)]), flush=True)
for line in sys.stdin:
    print("out", line, end="", flush=True)
    print("err", line, end="", file=sys.stderr, flush=True)
open(f"ended-{os.getpid()}", "w").close()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "function.py").write_text(FUNCTION)
    return tmp_path


def emulator(program: str, folder: Path) -> Any:
    """Run a program as the emulator, which starts functions; return what it has found."""
    prelude = """
        import json, os, sys
        from local.ministack import start
        def function(**environment):
            command = [sys.executable, f"{sys.argv[1]}/function.py"]
            return start(command, cwd=sys.argv[1], env=environment)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(prelude) + textwrap.dedent(program), folder],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_a_function_has_its_own_environment_folder_and_pipes(folder: Path) -> None:
    program = """
        one, other = function(NAME="one"), function(NAME="other")
        found = []
        for each in (one, other):
            found.append(json.loads(each.stdout.readline()))
            each.stdin.write(f"{each.pid}\\n")
        said = [each.stdout.readline() + each.stderr.readline() for each in (one, other)]
        print(json.dumps([found, said, [one.pid, other.pid], os.getpgid(0)]))
    """
    found, said, pids, group = emulator(program, folder)
    # Killing the group ends the functions too.
    assert found == [["__main__", str(folder), {"NAME": name}, group] for name in ("one", "other")]
    assert said == [f"out {pid}\nerr {pid}\n" for pid in pids]


@pytest.mark.parametrize("how", ["terminate()", "kill()", "stdin.close()"])
def test_a_function_that_is_ended_has_ended_and_the_others_go_on(folder: Path, how: str) -> None:
    program = f"""
        one, other = function(), function()
        for each in (one, other):
            each.stdout.readline()
        before = one.poll()
        one.{how}
        ends = one.wait(30), one.poll(), other.poll()
        other.stdin.write("on\\n")
        print(json.dumps([before, *ends, one.stdout.read(), other.stdout.readline()]))
    """
    assert emulator(program, folder) == [None, 0, 0, None, "", "out on\n"]


def test_functions_end_with_the_emulator(folder: Path) -> None:
    program = f"""
        for each in (function(), function()):
            print(each.stdout.readline(), flush=True)
        os.kill(os.getpid(), {signal.SIGKILL.value})
    """
    with pytest.raises(subprocess.CalledProcessError) as killed:
        emulator(program, folder)
    assert killed.value.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 30
    while len(list(folder.glob("ended-*"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
