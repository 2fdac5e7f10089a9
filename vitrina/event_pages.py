"""Pages of a channel's stored events, for clients without a WebSocket."""

from collections.abc import Mapping
from typing import NamedTuple

from vitrina import buckets, history, recovery, rooms
from vitrina.auth import Identity
from vitrina.buckets import Rate
from vitrina.errors import Forbidden
from vitrina.events import Position
from vitrina.history import Span, StoredEvent

# Of one identity: thirty pages at once, then thirty a minute, as many as messages of a connection.
PAGES = Rate(tries=30, seconds=2)


class EventPage(NamedTuple):
    """Events of one channel in a row, up to a position."""

    events: list[StoredEvent]
    position: Position
    """Where the next page begins: after the last of these events."""
    recovered: bool
    """Whether these are all events between the position that was given and this one."""
    has_more: bool


def read(reader: Identity, channel: str, since: Position | None, limit: int) -> EventPage:
    """Return the next events after a position, or the latest ones if there is no position.

    At most `limit`, and all or none of them: none if `resume` would not recover them. Raises
    Forbidden `channel_forbidden` or TooManyRequests `too_many_requests`.
    """
    own = reader.own_channel
    buckets.require(bucket(own), PAGES)
    joined = rooms.joined(own, [channel])
    if channel not in {reader.client_type, own, *joined}:
        sentence = f"Your channels are {reader.client_type}, {own}, and the rooms you have joined."
        raise Forbidden("channel_forbidden", sentence)
    head = history.positions([channel])[channel]
    if since is None:
        return EventPage(_latest(channel, head, joined, limit), head, True, has_more=False)
    end = Position(epoch=head.epoch, seq=min(head.seq, since.seq + limit))
    events = recovery.events_after({channel: since}, {channel: end}, joined, limit)[channel]
    if events is None:
        return EventPage([], head, recovered=False, has_more=False)
    return EventPage(events, end, recovered=True, has_more=end.seq < head.seq)


def bucket(identity: str) -> str:
    """Return the name of the bucket of an identity's pages."""
    return f"events#{identity}"


def _latest(
    channel: str, head: Position, joined: Mapping[str, Position], limit: int
) -> list[StoredEvent]:
    """Return the latest events that are kept; of a room those since it was joined."""
    past = joined.get(channel, Position(epoch=head.epoch, seq=0))
    first = max(past.seq, head.seq - limit) + 1
    if past.epoch != head.epoch or first > head.seq:
        return []
    return history.read(Span(channel, first, head.seq))
