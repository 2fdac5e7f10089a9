"""Recovery of missed events: everything a client missed, or a notice that it is not available."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from vitrina import frames, history, rooms
from vitrina.connections import Connection
from vitrina.events import ChannelRecovery, Position, Recovered, Recovery
from vitrina.history import StoredEvent

# Per `resume`, over all its channels. Events of 450 bytes are one page of a query and 30 frames;
# the longest ones, of 10 KB, are 20 MB and 700 frames.
MAX_RECOVERED_EVENTS = 500
MAX_RECOVERED_EVENTS_IN_BATCHES = 2_000


def limit_for(connection: Connection) -> int:
    """Return how many events a `resume` of a connection may recover."""
    return MAX_RECOVERED_EVENTS_IN_BATCHES if connection.takes_batches else MAX_RECOVERED_EVENTS


def count_missed(
    positions: Mapping[str, Position], heads: Mapping[str, Position], limit: int
) -> int:
    """Return the most events that a recovery of at most `limit` events would read.

    If a channel cannot be recovered, the others may use its part of the limit.
    """
    missed = (
        heads[channel].seq - since.seq
        for channel, since in positions.items()
        if since.epoch == heads[channel].epoch
    )
    return min(limit, sum(behind for behind in missed if 0 <= behind <= limit))


class Missed(NamedTuple):
    """The events that a client missed, in the channels whose position it sent."""

    events: list[bytes]
    channels: dict[str, ChannelRecovery]

    @property
    def is_complete(self) -> bool:
        return all(channel.recovered for channel in self.channels.values())

    @property
    def bodies(self) -> list[bytes]:
        """The events, and then `recovered`."""
        recovery = Recovery(recovered=self.is_complete, channels=self.channels)
        return [*self.events, Recovered(data=recovery).body()]


def recover(
    connection: Connection,
    positions: Mapping[str, Position],
    heads: Mapping[str, Position],
    limit: int,
) -> Missed:
    """Read the events that a client with these positions missed.

    `heads` are the latest positions of the same channels, or of more.
    """
    joined = rooms.joined(connection.own_channel, positions)
    found = events_after(positions, heads, joined, limit)
    channels = {
        channel: ChannelRecovery(recovered=events is not None, **dict(heads[channel]))
        for channel, events in found.items()
    }
    return Missed([event.body for events in found.values() for event in events or []], channels)


def frames_for(connection: Connection, bodies: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return events as frames: as few as possible if the connection takes batches."""
    return frames.pack(bodies) if connection.takes_batches else tuple(bodies)


def events_after(
    positions: Mapping[str, Position],
    heads: Mapping[str, Position],
    joined: Mapping[str, Position],
    limit: int,
) -> dict[str, list[StoredEvent] | None]:
    """Return the events after each position, up to the head of its channel, in order.

    A channel has all of them, or None: when an event has expired, when the epoch is another, when
    more than `limit` events are missing in all channels, or when the room was joined after that
    position. `joined` is where the client's identity has joined rooms.
    """
    hidden = rooms.joined_later(joined, positions)
    found: dict[str, list[StoredEvent] | None] = {}
    for channel, since in positions.items():
        head = heads[channel]
        events = None if channel in hidden else history.missed(channel, since, head, limit)
        limit -= len(events or ())
        found[channel] = events
    return found
