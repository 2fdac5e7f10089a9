"""A deployed stack of its own, so that no other test's products are in the queue."""

from tests.emulator.conftest import cloud, url

__all__ = ["cloud", "url"]
