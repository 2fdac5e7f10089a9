"""`make dev`: where it listens, and what it prints about that."""

import argparse
import subprocess
from pathlib import Path

import pytest

from local import dev

ROOT = Path(__file__).parents[2]


def command(*variables: str, **environment: str) -> str:
    """Return the command that `make dev` would run."""
    make = ["make", "--dry-run", "-o", "build/ready", "dev", *variables]
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        make, cwd=ROOT, env=path | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_only_a_host_that_is_typed_is_listened_on() -> None:
    assert command() == command(HOST="workstation") == "build/venv/bin/python -m local.dev"
    assert command("HOST=0.0.0.0").endswith("local.dev --host '0.0.0.0'")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2"])
def test_on_this_machine_alone_nobody_is_warned(host: str) -> None:
    assert dev._address(host) == host
    said = dev.message(host)
    assert f"http://{host}:8000 is up" in said
    assert f"ws://{host}:8000/ws/user" in said
    assert f"http://{host}:8000/console/\n" in said
    assert "WARNING" not in said


def test_where_phones_reach_it_everybody_does_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dev, "_own_address", lambda: "192.0.2.7")
    said = dev.message(dev._address("0.0.0.0"))  # noqa: S104 - nothing listens
    assert "http://localhost:8000 is up" in said
    assert "http://192.0.2.7:8000 and ws://192.0.2.7:8000/ws/user" in said
    assert "WARNING: everybody on this network can use it" in said
    alone = dev.message("192.0.2.7")
    assert "http://192.0.2.7:8000 is up" in alone
    assert "WARNING" in alone


@pytest.mark.parametrize("host", ["", "::", "example.com", "0.0.0.0:80", "1.2.3", "127.1"])
def test_another_host_is_refused(host: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected localhost"):
        dev._address(host)
