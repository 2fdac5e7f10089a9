"""Deploy to the local cloud, run one program of a browser, and print its result as a line of JSON.

It runs in the environment that deploys; the benchmarks' own one has no CDK.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness import browser
from local import edge, emulator
from vitrina import aws, config, products
from vitrina.channels import ClientType
from vitrina.products import Product, Status

HERE = Path(__file__).parent
PENDING = {"queue": 5_000, "pictures": 0}
SHOPS = {"polyus@example.com": "Полюс", "elka@example.com": "Лавка «Ёлка»"}
"""Beside those of the local cloud."""
ROWS_PER_WRITE = 25


def main(name: str, *arguments: str) -> None:
    if reason := browser.why_not():
        sys.exit(reason)
    with emulator.running() as cloud, edge.running(cloud.outputs) as url:
        _store(_pending(PENDING[name]))
        _create_shops()
        done = subprocess.run(
            [browser.NODE, HERE / f"{name}.mjs", *arguments],
            env=os.environ | {"URL": url, "PASSWORD": emulator.PASSWORD},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    sys.stdout.write(done.stdout)


def _create_shops() -> None:
    for shop_id, (email, name) in enumerate(SHOPS.items(), 11):
        emulator.create_account(email, ClientType.SHOP, shop_id=shop_id, shop_name=name)


def _pending(count: int) -> Iterator[Product]:
    begin = datetime.now(UTC) - timedelta(days=1)
    for number in range(count):
        yield Product(
            product_id=1_000_000 + number,
            product_name=f"Платье льняное {number}",
            description="Лён, ручная работа",
            price=4990,
            shop_id=10,
            shop_name="Fashion Store",
            moderation_status=Status.PENDING,
            status_changed_at=begin + timedelta(seconds=number),
            version=1,
        )


def _store(pending: Iterator[Product]) -> None:
    table = config.current().products_table
    rows = [products.put(product)["Put"]["Item"] for product in pending]
    for start in range(0, len(rows), ROWS_PER_WRITE):
        some = rows[start : start + ROWS_PER_WRITE]
        aws.dynamodb().batch_write_item(
            RequestItems={table: [{"PutRequest": {"Item": row}} for row in some]}
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
