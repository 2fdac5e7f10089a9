"""What every client sends, and the timing of the Python clients."""

import json
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

BODY = (Path(__file__).parent / "body.json").read_bytes()

PostAll = Callable[[list[str]], None]
"""Posts the body to these connections; raises if a response is not 200."""


def run(connect: Callable[[str, int], PostAll]) -> None:
    """Read `URL POSTS AT_ONCE` from the command line, warm up, post, print the time used.

    CPU is user and system time of all threads of this process.
    """
    url, posts, at_once = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    connections = connection_ids(posts)
    warm_up = connection_ids(max(4 * at_once, posts // 4))
    post_all = connect(url, at_once)
    post_all(warm_up)
    started, used = time.perf_counter(), time.process_time()
    post_all(connections)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - used
    took = {"posts": posts, "seconds": seconds, "cpu_seconds": cpu_seconds}
    print(json.dumps(took | {"warm_up": len(warm_up)}))


def connection_ids(count: int) -> list[str]:
    """Return distinct ids like API Gateway's: `L0SM9cOFvHcCIhw=`."""
    hashes = (sha256(str(number).encode()).digest() for number in range(count))
    return [urlsafe_b64encode(digest[:11]).decode() for digest in hashes]


def check(status: int) -> None:
    """Raise RuntimeError unless the response to a post is 200."""
    if status != 200:  # noqa: PLR2004
        raise RuntimeError(f"a post was answered with {status}")
