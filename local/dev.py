"""`make dev`: keep the local cloud running until Ctrl-C."""

import signal
import socket
import sys

from local import edge, emulator
from local.progress import Progress, run

PORT = 8000

HELP = """
  http://localhost:{port} is up. These accounts exist only here:

    user@example.com    a user
    shop@example.com    shop 10, "Fashion Store"
    admin@example.com   an administrator          password of all three: {password}

  Connect as a user, in a second terminal:

    export PATH="$PWD/build/venv/bin:$PATH"
    TOKEN=$(curl -s -X POST http://localhost:{port}/api/v1/auth/login \\
      -H "Content-Type: application/json" \\
      -d '{{"email":"user@example.com","password":"{password}"}}' | jq -r '.access_token')
    python3 test_websocket_client.py $TOKEN
    npx wscat -c "ws://localhost:{port}/ws/user?token=$TOKEN"

  Submit a product as the shop and approve it as the admin, in a third:

    login() {{ curl -s -X POST http://localhost:{port}/api/v1/auth/login \\
      -H "Content-Type: application/json" \\
      -d "{{\\"email\\":\\"$1\\",\\"password\\":\\"{password}\\"}}" | jq -r '.access_token'; }}
    ID=$(curl -s -X POST http://localhost:{port}/api/v1/products \\
      -H "Authorization: Bearer $(login shop@example.com)" -H "Content-Type: application/json" \\
      -d '{{"product_name":"Красное платье","price":4990}}' | jq .product_id)
    curl -X POST http://localhost:{port}/api/v1/admin/products/$ID/approve \\
      -H "Authorization: Bearer $(login admin@example.com)" -H "Content-Type: application/json" \\
      -d '{{"moderation_notes":"Отличный товар"}}'

  Who is connected:

    curl http://localhost:{port}/ws/stats

  Ctrl-C stops everything.
"""


def main(progress: Progress) -> None:
    _require_free_port()
    with emulator.running(progress) as cloud:
        progress("Starting the edge")
        with edge.running(cloud.outputs, PORT):
            progress.done()
            print(HELP.format(port=PORT, password=emulator.PASSWORD), flush=True)
            signal.pause()


def _require_free_port() -> None:
    """Exit if the port is taken, before anything is started."""
    try:
        socket.create_server(("localhost", PORT)).close()
    except OSError as taken:
        sys.exit(f"  Port {PORT}: {taken.strerror}. Is `make dev` running already?")


if __name__ == "__main__":
    run(main, status_of_ctrl_c=0)
