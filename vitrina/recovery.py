"""Recovery of missed events: everything a client missed, or a notice that it is not available."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from vitrina import frames, history, rooms
from vitrina.connections import Connection
from vitrina.events import ChannelRecovery, Position, Recovered, Recovery

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

    A channel that turns out not to be recoverable leaves its part of the limit to the others.
    """
    missed = (
        heads[channel].seq - since.seq
        for channel, since in positions.items()
        if since.epoch == heads[channel].epoch
    )
    return min(limit, sum(behind for behind in missed if 0 <= behind <= limit))


class Missed(NamedTuple):
    """What a client missed, in the channels for which it gave its position."""

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
    """Read what a client with these positions missed.

    `heads` are the latest positions of the same channels, or of more. A channel is recovered
    completely or not at all. It is not when an event has expired, when the epoch is another, when
    more than `limit` events are missing, or when the client's identity has joined the room after
    that position.
    """
    hidden = rooms.joined_later(connection, positions)
    bodies: list[bytes] = []
    channels: dict[str, ChannelRecovery] = {}
    for channel, since in positions.items():
        head = heads[channel]
        left = limit - len(bodies)
        events = None if channel in hidden else history.missed(channel, since, head, left)
        bodies += [event.body for event in events or []]
        channels[channel] = ChannelRecovery(
            recovered=events is not None, epoch=head.epoch, seq=head.seq
        )
    return Missed(bodies, channels)


def frames_for(connection: Connection, bodies: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return events as frames: as few as possible if the connection takes batches."""
    return frames.pack(bodies) if connection.takes_batches else tuple(bodies)
