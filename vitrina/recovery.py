"""Recovery of missed events: everything a client missed, or a notice that it is not available."""

from collections.abc import Mapping

from aws_lambda_powertools import Logger

from vitrina import history, metrics, rooms
from vitrina.connections import Connection
from vitrina.events import ChannelRecovery, Position, Recovered, Recovery

logger = Logger()

# Per `resume`, over all its channels.
MAX_RECOVERED_EVENTS = 500


def count_missed(positions: Mapping[str, Position], heads: Mapping[str, Position]) -> int:
    """Return how many events a recovery would post, at most `MAX_RECOVERED_EVENTS`."""
    missed = 0
    for channel, since in positions.items():
        head = heads[channel]
        if since.epoch == head.epoch and (behind := head.seq - since.seq) >= 0:
            missed += behind if missed + behind <= MAX_RECOVERED_EVENTS else 0
    return missed


def recover(
    connection: Connection,
    positions: Mapping[str, Position],
    heads: Mapping[str, Position],
    limit: int = MAX_RECOVERED_EVENTS,
) -> tuple[tuple[bytes, ...], Recovered]:
    """Return the frames that a client with these positions missed, in order, and the answer.

    `heads` are the latest positions of the same channels. A channel is recovered completely or
    not at all. It is not when an event has expired, when the epoch is another, when more than
    `limit` events are missing, or when the client's identity has joined the room after that
    position.
    """
    hidden = rooms.joined_later(connection, positions)
    frames: list[bytes] = []
    channels: dict[str, ChannelRecovery] = {}
    for channel, since in positions.items():
        head = heads[channel]
        left = limit - len(frames)
        events = None if channel in hidden else history.missed(channel, since, head, left)
        frames += [event.body for event in events or []]
        channels[channel] = ChannelRecovery(
            recovered=events is not None, epoch=head.epoch, seq=head.seq
        )
    is_complete = all(channel.recovered for channel in channels.values())
    logger.info("resumed", recovered=is_complete, events=len(frames), channels=[*channels])
    metrics.emit(Recovered=is_complete, NotRecovered=not is_complete)
    recovery = Recovery(recovered=is_complete, channels=channels)
    return tuple(frames), Recovered(data=recovery)
