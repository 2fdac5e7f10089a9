"""Both descriptions, as linters and generators of other projects read them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from reference import files

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
OPENAPI, ASYNCAPI = (files.SERVED / f"{name}.json" for name in ("openapi", "asyncapi"))
PACKAGE = "generated_client"


def test_redocly_spectral_and_typescript_have_nothing_to_say(tmp_path: Path) -> None:
    assert (HERE / "node_modules").is_dir(), "run `make build/reference.done`"
    shutil.copy(HERE / "usage.ts", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    ran = subprocess.run(
        [BIN / "node", HERE / "check.mjs", OPENAPI, ASYNCAPI, tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == []


def test_a_python_client_is_generated_without_a_warning_and_its_types_are_right(
    tmp_path: Path,
) -> None:
    generator = BIN / "openapi-python-client"
    # Without its formatter, which changes nothing that is checked.
    config = tmp_path / "config.json"
    config.write_text('{"post_hooks": []}')
    done = subprocess.run(
        [
            *(generator, "generate", "--meta", "none", "--fail-on-warning", "--config", config),
            *("--path", OPENAPI, "--output-path", tmp_path / PACKAGE),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "WARNING" in done.stdout) == (0, False), done.stdout
    checked = subprocess.run(
        [BIN / "mypy", "--strict", "--config-file", HERE / "mypy.ini", "-p", PACKAGE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
