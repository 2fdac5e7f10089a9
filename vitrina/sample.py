"""The sample: the connections whose log lines are written."""

from zlib import crc32

from vitrina import config


def has(connection_id: str) -> bool:
    """Return whether to log what a connection does; refusals and faults are logged of each.

    All functions choose the same connections, so that those can be followed from one to the next.
    """
    return crc32(connection_id.encode()) % 100 < config.current().logged_connections_percent
