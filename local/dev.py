"""`make dev`: keep the local cloud running until Ctrl-C; with HOST=0.0.0.0 also for phones."""

import argparse
import ipaddress
import signal
import socket
import sys

from infra.console import PATH
from local import edge, emulator
from local.progress import Progress, run

PORT = 8000
CONSOLE = f"http://localhost:{PORT}{PATH}"

HELP = """
  {url} is up. These accounts exist only here:

    user@example.com    a user
    shop@example.com    shop 10, "Fashion Store"
    admin@example.com   an administrator          password of all three: {password}

  Log in on the console, the page for moderators, shops and operators:

    {url}/console/

  Connect as a user, in a second terminal:

    export PATH="$PWD/build/venv/bin:$PATH"
    TOKEN=$(curl -s -X POST {url}/api/v1/auth/login \\
      -H "Content-Type: application/json" \\
      -d '{{"email":"user@example.com","password":"{password}"}}' | jq -r '.access_token')
    python3 test_websocket_client.py $TOKEN
    npx wscat -c "{socket_url}/ws/user?token=$TOKEN"

  Submit a product as the shop and approve it as the admin, in a third:

    login() {{ curl -s -X POST {url}/api/v1/auth/login \\
      -H "Content-Type: application/json" \\
      -d "{{\\"email\\":\\"$1\\",\\"password\\":\\"{password}\\"}}" | jq -r '.access_token'; }}
    ID=$(curl -s -X POST {url}/api/v1/products \\
      -H "Authorization: Bearer $(login shop@example.com)" -H "Content-Type: application/json" \\
      -d '{{"product_name":"Красное платье","price":4990}}' | jq .product_id)
    curl -X POST {url}/api/v1/admin/products/$ID/approve \\
      -H "Authorization: Bearer $(login admin@example.com)" -H "Content-Type: application/json" \\
      -d '{{"moderation_notes":"Отличный товар"}}'

  Who is connected:

    curl {url}/ws/stats

  Ctrl-C stops everything.
"""
WARNING = """
  Phones on the same network: {url} and {socket_url}/ws/user

  WARNING: everybody on this network can use it, with the passwords above. It is plain HTTP: never
  use it on a network of strangers, and never with data of real people.
"""


def main(progress: Progress) -> None:
    host = _host()
    _require_free_port(host)
    with emulator.running(progress) as cloud:
        progress("Starting the edge")
        with edge.running(cloud.outputs, PORT, host):
            progress.done()
            print(message(host), flush=True)
            signal.pause()


def _host() -> str:
    parser = argparse.ArgumentParser(prog="make dev", description="Run the local cloud.")
    parser.add_argument("--host", default="localhost", type=_address, help="where to listen")
    found: str = parser.parse_args().host
    return found


def _address(text: str) -> str:
    """Return `localhost` or an IPv4 address as it is; raises ArgumentTypeError for all else."""
    try:
        return text if text == "localhost" else str(ipaddress.IPv4Address(text))
    except ValueError:
        reason = "expected localhost, 0.0.0.0 or an IPv4 address of this machine"
        raise argparse.ArgumentTypeError(reason) from None


def message(host: str) -> str:
    """Return what is printed: commands to try, and a warning if others can reach the host."""
    is_any = host == "0.0.0.0"  # noqa: S104 - chosen by the developer, who is warned
    text = HELP.format(**_urls("localhost" if is_any else host), password=emulator.PASSWORD)
    if host == "localhost" or ipaddress.IPv4Address(host).is_loopback:
        return text
    return text + WARNING.format(**_urls(_own_address() if is_any else host))


def _urls(host: str) -> dict[str, str]:
    return {"url": f"http://{host}:{PORT}", "socket_url": f"ws://{host}:{PORT}"}


def _own_address() -> str:
    """Return this machine's address on the network by which it reaches others; sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # for documentation, so no host has it (RFC 5737)
        except OSError:
            return socket.gethostname()
        found: str = probe.getsockname()[0]
        return found


def _require_free_port(host: str) -> None:
    """Exit if the port is taken, before anything is started."""
    try:
        socket.create_server((host, PORT)).close()
    except OSError as refused:
        sys.exit(f"  {host}:{PORT}: {refused.strerror}. Is `make dev` running already?")


if __name__ == "__main__":
    run(main, status_of_ctrl_c=0)
