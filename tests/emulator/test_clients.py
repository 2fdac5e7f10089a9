"""Clients of the quick start: curl, the test client, wscat, JavaScript, `ops.account`."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.client import Api
from local.emulator import STACK
from tests.emulator.conftest import wait_until

ROOT = Path(__file__).parents[2]

# The documented JavaScript client, with a token and a host.
JAVASCRIPT = """
const token = process.env.TOKEN;
const showNotification = (text) => console.log('NOTIFICATION', text);
const refreshProductsList = () => console.log('REFRESH');
const ws = new WebSocket(`${process.env.URL}/ws/user?token=${token}`);

ws.onopen = () => {
  console.log('OPEN');
  ws.send(JSON.stringify({ type: 'ping', timestamp: new Date().toISOString() }));
};

ws.onmessage = (event) => {
  const data = JSON.parse(event.data);
  console.log('EVENT', data.event);
  if (data.event === 'product.approved') {
    const product = data.data;
    showNotification(`Новый товар: ${product.product_name}`);
    refreshProductsList();
  }
};

ws.onerror = (error) => console.log('ERROR', error.message);
ws.onclose = () => console.log('CLOSE');
"""


class Program:
    """A running program, and what it has written."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def text(self) -> str:
        return self._output.read_text()

    def wait_for(self, *words: str) -> None:
        """Wait until these have been written, in this order."""
        pattern = re.compile(".*".join(map(re.escape, words)), re.DOTALL)
        deadline = time.monotonic() + 30
        while not pattern.search(self.text):
            assert time.monotonic() < deadline, self.text
            assert self.process.poll() is None, self.text
            time.sleep(0.1)


@contextmanager
def running(tmp_path: Path, *command: str, **environment: str) -> Iterator[Program]:
    """Run a program in the background; end it, and what it started, at the end of the block."""
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            env=os.environ | environment | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            start_new_session=True,
        )
    try:
        yield Program(process, output)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_the_login_curl_gives_the_token(url: str) -> None:
    command = f"""
        curl -s -X POST {url}/api/v1/auth/login \\
          -H "Content-Type: application/json" \\
          -d '{{"email":"user@example.com","password":"password"}}'
    """
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert json.loads(done.stdout).keys() >= {"access_token", "token_type", "expires_in"}


def test_the_stats_curl_gives_the_documented_fields(url: str) -> None:
    done = subprocess.run(["curl", "-s", f"{url}/ws/stats"], capture_output=True, check=True)
    stats = json.loads(done.stdout)
    assert set(stats) == {"total", "by_type", "rooms"}
    assert set(stats["by_type"]) == {"user", "shop", "admin"}


def test_the_test_client_prints_connected_and_then_the_approval(
    tmp_path: Path,
    url: str,
    tokens: dict[str, str],
    submit: Callable[[], int],
    approve: Callable[..., Any],
) -> None:
    address = url.replace("http", "ws", 1) + "/ws/user"
    client = (sys.executable, "test_websocket_client.py", tokens["user"], "--url", address)
    with running(tmp_path, *client) as program:
        program.wait_for("connected")
        approve(submit(), json={"moderation_notes": "Отличный товар"})
        program.wait_for("connected", "product.approved", "Красное платье", "Отличный товар")
    assert tokens["user"] not in program.text


def test_a_client_that_is_killed_is_soon_counted_no_more(
    tmp_path: Path, api: Api, url: str, tokens: dict[str, str]
) -> None:
    def total() -> Any:
        return api.call("GET", "/ws/stats")["total"]

    wait_until(total, 0)
    address = url.replace("http", "ws", 1) + "/ws/user"
    client = (sys.executable, "test_websocket_client.py", tokens["user"], "--url", address)
    with running(tmp_path, *client) as program:
        program.wait_for("connected")
        wait_until(total, 1)
        os.killpg(program.process.pid, signal.SIGKILL)
        wait_until(total, 0)


def test_the_test_client_ends_with_a_sentence_when_its_token_is_refused(url: str) -> None:
    address = url.replace("http", "ws", 1) + "/ws/user"
    done = subprocess.run(
        [sys.executable, "test_websocket_client.py", "garbage", "--url", address],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr.count("Refused with 40")) == (1, 1)


def test_wscat_connects_receives_and_is_answered(
    tmp_path: Path,
    url: str,
    tokens: dict[str, str],
    submit: Callable[[], int],
    approve: Callable[..., Any],
) -> None:
    address = f"{url.replace('http', 'ws', 1)}/ws/user?token={tokens['user']}"
    wscat = (str(ROOT / "node_modules/.bin/wscat"), "--no-color", "-c", address)
    with running(tmp_path, *wscat) as program:
        program.wait_for('"event":"connected"')
        assert program.process.stdin
        program.process.stdin.write(b'{"type":"ping"}\n')
        program.process.stdin.flush()
        program.wait_for('{"event":"pong"}')
        approve(submit())
        program.wait_for('"event":"product.approved"')


def test_the_javascript_of_the_quick_start_works_in_node(
    tmp_path: Path,
    url: str,
    tokens: dict[str, str],
    submit: Callable[[], int],
    approve: Callable[..., Any],
) -> None:
    script = tmp_path / "quick_start.js"
    script.write_text(JAVASCRIPT)
    environment = {"TOKEN": tokens["user"], "URL": url.replace("http", "ws", 1)}
    with running(
        tmp_path, str(Path(sys.executable).parent / "node"), str(script), **environment
    ) as program:
        program.wait_for("OPEN", "EVENT connected")
        program.wait_for("EVENT pong")
        approve(submit())
        program.wait_for("EVENT product.approved", "NOTIFICATION Новый товар: Красное", "REFRESH")
    assert "ERROR" not in program.text


def test_ops_create_an_account_in_a_deployed_stack(api: Api) -> None:
    def create(password: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ops.account", "--stack", STACK, *arguments],
            input=password + "\n",
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    shop = ("Ops@Example.com", "shop", "--shop-id", "11", "--shop-name", "Лавка")
    created = create("a long password", *shop)
    assert "ops@example.com, shop" in created.stdout, created.stderr
    token = api.login("ops@example.com", "a long password")
    product = api.call("POST", "/api/v1/products", token, json={"product_name": "Стул"})
    assert (product["shop_id"], product["shop_name"]) == (11, "Лавка")

    assert create("a long password", *shop).stderr == "ops@example.com has an account already.\n"
    assert "at least 8" in create("short", "b@example.com", "user").stderr
    assert "shop_id" in create("a long password", "c@example.com", "shop").stderr
    assert create("a long password", "d@example.com", "root").returncode == 2
