"""Recovery of missed events: everything a client missed, or a notice that it is not available."""

from collections.abc import Mapping

from aws_lambda_powertools import Logger

from vitrina import history, metrics, rooms
from vitrina.connections import Connection
from vitrina.events import ChannelRecovery, Position, Recovered, Recovery

logger = Logger()

# Per `resume`, over all its channels.
MAX_RECOVERED_EVENTS = 500


def recover(
    positions: Mapping[str, Position], connection: Connection
) -> tuple[tuple[bytes, ...], Recovered]:
    """Return the frames that a client with these positions missed, in order, and the answer.

    A channel is recovered completely or not at all. It is not when an event has expired, when the
    epoch is another, when more than 500 events are missing, or when the client's identity has
    joined the room after that position.
    """
    heads = history.positions(positions)
    hidden = rooms.joined_later(connection, positions)
    frames: list[bytes] = []
    channels: dict[str, ChannelRecovery] = {}
    for channel, since in positions.items():
        head = heads[channel]
        limit = MAX_RECOVERED_EVENTS - len(frames)
        events = None if channel in hidden else history.missed(channel, since, head, limit)
        frames += [event.body for event in events or []]
        channels[channel] = ChannelRecovery(
            recovered=events is not None, epoch=head.epoch, seq=head.seq
        )
    is_complete = all(channel.recovered for channel in channels.values())
    logger.info("resumed", recovered=is_complete, events=len(frames), channels=[*channels])
    metrics.emit(Recovered=is_complete, NotRecovered=not is_complete)
    recovery = Recovery(recovered=is_complete, channels=channels)
    return tuple(frames), Recovered(data=recovery)
