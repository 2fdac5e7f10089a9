"""A management API that is faster than the clients it measures: nginx, pinned to a core."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp.test_utils import unused_port

from bench import machine

MODULE = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
FOLDER = machine.BUILD / "stub"
CERTIFICATE = FOLDER / "certificate.pem"
KEY = FOLDER / "key.pem"
# How the ids of connections begin that do not answer.
HANGING = "HANG"
START_SECONDS = 10
DAY_SECONDS = 24 * 60 * 60

_CONFIGURATION = """
load_module %(module)s;
daemon off;
master_process off;
pcre_jit on;
pid %(port)s.pid;
error_log %(port)s.log;
events { worker_connections 8192; }
http {
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    # Bodies are not written to files.
    client_body_buffer_size 64k;
    client_body_in_single_buffer on;
    map $request_body $first_seq { default 0; '~"seq":(?<first>\\d+)' $first; }
    map $request_body $last_seq { default 0; '~^.*"seq":(?<last>\\d+)' $last; }
    log_format answers "$msec $status $request_uri $first_seq $last_seq";
    access_log %(log)s;
    limit_req_zone $server_port zone=account:32k rate=%(rate)sr/s;
    limit_req_status 429;
    server {
        listen 127.0.0.1:%(port)s ssl backlog=4096;
        ssl_certificate %(certificate)s;
        ssl_certificate_key %(key)s;
        ssl_protocols TLSv1.3;
        keepalive_requests 1000000000;
        keepalive_timeout 1h;
        location / {
            %(limit)s
            echo_read_request_body;
            %(sleep)s
            echo_exec @ok;
        }
        location @ok { return 200; }
        location /bench/@connections/%(hanging)s { echo_sleep 60; echo_exec @ok; }
    }
}
"""


@dataclass(frozen=True)
class Stub:
    """A running stub: its base URL, and the process whose CPU time is read."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time of its process until now, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(
    *,
    latency_ms: int = 0,
    posts_per_second: int | None = None,
    burst: int = 0,
    log: Path | None = None,
) -> Iterator[Stub]:
    """Answer 200 to every post over TLS 1.3, until the end of the block.

    Beyond `posts_per_second` and `burst`, a token bucket as API Gateway's, the answer is 429.
    `log` gets a line per answer: seconds since 1970, status, path, the numbers of the first and
    the last event in the body. Posts to ids that begin with `HANGING` are not answered.
    """
    certify()
    port = unused_port()
    configuration = _CONFIGURATION % {
        "module": MODULE,
        "log": f"{log} answers buffer=64k" if log else "off",
        "rate": posts_per_second or 1,
        "limit": f"limit_req zone=account burst={burst} nodelay;" if posts_per_second else "",
        "sleep": f"echo_sleep {latency_ms / 1000};" if latency_ms else "",
        "hanging": HANGING,
        "port": port,
        "certificate": CERTIFICATE,
        "key": KEY,
    }
    nginx = _start(port, configuration)
    try:
        _wait_until_it_listens(port, nginx)
        yield Stub(f"https://127.0.0.1:{port}/bench", nginx.pid)
    finally:
        _stop(port, nginx)


def missing() -> list[str]:
    """Return the missing Debian packages that the stub and its clients need."""
    present = {
        "nginx-light": shutil.which("nginx"),
        "libnginx-mod-http-echo": MODULE.exists(),
        "openssl": shutil.which("openssl"),
        "wrk": shutil.which("wrk"),
    }
    return [package for package, found in present.items() if not found]


def certify() -> None:
    """Make sure that a self-signed certificate of this machine exists, at most a day old.

    Stubs that run at the same time share it.
    """
    if CERTIFICATE.exists() and time.time() - CERTIFICATE.stat().st_mtime < DAY_SECONDS:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    command = [*make.split(), "-subj", "/CN=localhost", "-addext", names]
    subprocess.run([*command, "-keyout", KEY, "-out", CERTIFICATE], check=True, capture_output=True)


def _start(port: int, configuration: str) -> "subprocess.Popen[bytes]":
    (FOLDER / f"{port}.conf").write_text(configuration)
    command = ["nginx", "-p", str(FOLDER), "-e", f"{port}.log", "-c", f"{port}.conf"]
    return subprocess.Popen(machine.pinned(machine.STUB_CORE, command), stderr=subprocess.DEVNULL)


def _stop(port: int, nginx: "subprocess.Popen[bytes]") -> None:
    nginx.terminate()
    nginx.wait()
    for file in FOLDER.glob(f"{port}.*"):
        file.unlink()


def _wait_until_it_listens(port: int, nginx: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while nginx.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"nginx does not listen: {(FOLDER / f'{port}.log').read_text()[-500:]}")
