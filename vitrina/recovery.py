"""What a client missed while it was away: all of it, or the word that it cannot be had."""

from collections.abc import Mapping

from aws_lambda_powertools import Logger

from vitrina import history, metrics
from vitrina.events import ChannelRecovery, Position, Recovered, Recovery

logger = Logger()

# What one `resume` gives back at most, over all its channels.
LARGEST_RECOVERY = 500


def recover(positions: Mapping[str, Position]) -> list[bytes]:
    """Return the frames to send to a client that has read so far: events in order, `recovered`.

    Every channel is recovered as a whole or not at all: not when its history does not reach
    back, its epoch is another, or more than 500 events are missing.
    """
    heads = history.positions(positions)
    frames: list[bytes] = []
    channels: dict[str, ChannelRecovery] = {}
    for channel, since in positions.items():
        head = heads[channel]
        rows = history.missed(channel, since, head, LARGEST_RECOVERY - len(frames))
        frames += [row.body for row in rows or []]
        channels[channel] = ChannelRecovery(
            recovered=rows is not None, epoch=head.epoch, seq=head.seq
        )
    is_complete = all(channel.recovered for channel in channels.values())
    logger.info("resumed", recovered=is_complete, events=len(frames), channels=[*channels])
    metrics.emit(Recovered=is_complete, NotRecovered=not is_complete)
    return [*frames, Recovered(data=Recovery(recovered=is_complete, channels=channels)).body()]
