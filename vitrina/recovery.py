"""Recovery of missed events: everything a client missed, or a notice that it is not available."""

from collections.abc import Mapping

from aws_lambda_powertools import Logger

from vitrina import frames, history, metrics, rooms, sample
from vitrina.connections import Connection
from vitrina.events import ChannelRecovery, Position, Recovered, Recovery

logger = Logger()

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


def recover(
    connection: Connection,
    positions: Mapping[str, Position],
    heads: Mapping[str, Position],
    limit: int,
) -> tuple[bytes, ...]:
    """Return the frames for a client with these positions: what it missed, then `recovered`.

    If the connection takes batches, they are as few as possible, and `recovered` ends the last one.

    `heads` are the latest positions of the same channels. A channel is recovered completely or
    not at all. It is not when an event has expired, when the epoch is another, when more than
    `limit` events are missing, or when the client's identity has joined the room after that
    position.
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
    is_complete = all(channel.recovered for channel in channels.values())
    if sample.has(connection.connection_id) or not is_complete:
        logger.info("resumed", recovered=is_complete, events=len(bodies), channels=[*channels])
    metrics.emit(Recovered=is_complete, NotRecovered=not is_complete)
    recovery = Recovery(recovered=is_complete, channels=channels)
    bodies.append(Recovered(data=recovery).body())
    return frames.pack(bodies) if connection.takes_batches else tuple(bodies)
