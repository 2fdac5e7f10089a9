"""`make demo`: run the main use case on a local cloud, and check it."""

import time
from contextlib import ExitStack
from typing import NoReturn

from local import dev, edge, emulator
from local.client import Api, Client
from local.progress import Progress, run

# Who connects, and which events each must receive.
CAST = {
    "user 1": ("user", ["connected", "product.approved"]),
    "user 2": ("user", ["connected", "product.approved"]),
    "shop": ("shop", ["connected", "product.approved"]),
    "admin": ("admin", ["connected", "product.submitted", "product.approved"]),
}
PRODUCT = {"product_name": "Красное платье", "price": 4990, "description": "Лён, ручная работа"}


def main(progress: Progress) -> None:
    with emulator.running(progress) as cloud:
        progress("Starting the edge")
        with edge.running(cloud.outputs) as url:
            progress.done()
            _play(Api(url), progress)


def _play(api: Api, progress: Progress) -> None:
    progress("Logging in: a user, a shop, an admin")
    tokens = {
        client_type: api.login(f"{client_type}@example.com", emulator.PASSWORD)
        for client_type in ("user", "shop", "admin")
    }
    progress("Warming the functions up")
    api.call("GET", "/api/v1/products")
    api.call("GET", "/ws/stats")
    api.answer("POST", "/api/v1/admin/products/404/approve", tokens["admin"])
    with ExitStack() as open_clients:
        progress("Connecting two users, a shop and an admin")
        clients = {
            name: open_clients.enter_context(
                Client.connected(api.websocket_url(client_type, tokens[client_type]))
            )
            for name, (client_type, _) in CAST.items()
        }
        progress.done()
        _print_stats(api, expected=len(clients))

        product = api.call("POST", "/api/v1/products", tokens["shop"], json=PRODUCT)
        print(f"\n  The shop submits product {product['product_id']}, {product['product_name']}.")
        started = time.monotonic()
        approved = api.call(
            "POST",
            f"/api/v1/admin/products/{product['product_id']}/approve",
            tokens["admin"],
            json={"moderation_notes": "Отличный товар"},
        )
        took = time.monotonic() - started
        broadcast = approved["broadcast"]
        print(
            f"  The admin approves it: {broadcast['delivered']} delivered,"
            f" {broadcast['gone']} gone, {broadcast['queued']} queued,"
            f" answered in {took * 1000:.0f} ms.\n"
        )
        for client in clients.values():
            client.wait_for("product.approved")
        _print_frames(clients, started)
        wrong = [name for name, client in clients.items() if _names(client) != CAST[name][1]]
        _print_recovery(api, tokens, clients["user 1"])
    _print_stats(api, expected=0)
    if wrong:
        _fail(f"Received other events than expected: {', '.join(wrong)}")
    print("\n  Every connection received the expected events. Stopping the local cloud.")
    print(f"  `make dev` keeps one running, with the console at {dev.CONSOLE}")


def _print_recovery(api: Api, tokens: dict[str, str], phone: Client) -> None:
    """Disconnect a phone for two approvals, and reconnect it with its inbox."""
    phone.close()
    for _ in range(2):
        product = api.call("POST", "/api/v1/products", tokens["shop"], json=PRODUCT)
        path = f"/api/v1/admin/products/{product['product_id']}/approve"
        api.call("POST", path, tokens["admin"])
    with Client.connected(api.websocket_url("user", tokens["user"]), inbox=phone.inbox) as back:
        back.wait_for("recovered")
        seqs = [event["seq"] for event in back.inbox.events]
    print(f"\n  User 1 was offline for two approvals, and recovered: it has events {seqs}.")
    if seqs != [1, 2, 3]:
        _fail("Expected events [1, 2, 3]")


def _names(client: Client) -> list[str]:
    return [frame.event["event"] for frame in client.frames]


def _print_frames(clients: dict[str, Client], started: float) -> None:
    print("  received by       after approval   frame")
    for name, client in clients.items():
        for frame in client.frames:
            after = (frame.at - started) * 1000
            delay = f"{after:.0f} ms" if after > 0 else "before"
            print(f"  {name:<16} {delay:>15}   {frame.text}")


def _print_stats(api: Api, expected: int) -> None:
    """Print the statistics once they are as expected: a close takes a moment to be counted."""
    deadline = time.monotonic() + 20
    while (stats := api.call("GET", "/ws/stats"))["total"] != expected:
        if time.monotonic() > deadline:
            _fail(f"Expected {expected} connections, got {stats}")
        time.sleep(0.2)
    by_type = ", ".join(f"{kind} {count}" for kind, count in stats["by_type"].items())
    print(f"\n  GET /ws/stats: {stats['total']} connections ({by_type}), {stats['rooms']} rooms")


def _fail(sentence: str) -> NoReturn:
    raise SystemExit(f"\n  {sentence}")


if __name__ == "__main__":
    run(main, status_of_ctrl_c=130)
