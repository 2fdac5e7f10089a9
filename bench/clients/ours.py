"""vitrina.sender as it ships, without the throttle that the account would set."""

import os
from unittest.mock import patch

from bench.clients import load
from harness.deployment import CONFIG
from vitrina import aws, sender
from vitrina.partitions import Subscription

UNTHROTTLED = 1e9


def connect(url: str, _at_once: int) -> load.PostAll:
    CONFIG.model_copy(update={"management_url": url}).use()
    patch.object(aws, "ca_bundle", lambda: os.environ["AWS_CA_BUNDLE"]).start()

    def post_all(connections: list[str]) -> None:
        members = (Subscription("user#00", f"42#{connection}") for connection in connections)
        posts = [sender.Post(member, (load.BODY,)) for member in members]
        delivery = sender.post(posts, budget_seconds=60, per_second=UNTHROTTLED)
        if delivery.sent != len(connections):
            raise RuntimeError(f"only {delivery.sent} of {len(connections)} were sent")

    return post_all


if __name__ == "__main__":
    load.run(connect)
