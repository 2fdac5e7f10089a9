"""Frames: how many events fit into one, for clients that take batches."""

from collections.abc import Iterable, Iterator

# API Gateway's limit for a frame; a longer one closes the connection (1009).
MAX_FRAME_BYTES = 32 * 1024

_BEGIN = b'{"event":"batch","events":['
_COMMA = b","
_END = b"]}"


def pack(bodies: Iterable[bytes]) -> tuple[bytes, ...]:
    """Pack events, in their order, into as few frames as `MAX_FRAME_BYTES` allows.

    `bodies` are JSON in UTF-8, none longer than a frame. A frame of several events is
    `{"event":"batch","events":[…]}`, with each body as it is; a frame of one event is its body
    alone, as a body of nearly 32 KB would not fit into the envelope.
    """
    return tuple(map(_frame, _fitting(bodies)))


def count_in_first(bodies: Iterable[bytes]) -> int:
    """Return how many of the events are in the first frame that `pack` makes of them."""
    return len(next(_fitting(bodies), ()))


def _fitting(bodies: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the events of each frame."""
    waiting: list[bytes] = []
    size = 0
    for body in bodies:
        if waiting and size + len(_COMMA) + len(body) > MAX_FRAME_BYTES:
            yield waiting
            waiting = []
        size = size + len(_COMMA) if waiting else len(_BEGIN) + len(_END)
        size += len(body)
        waiting.append(body)
    if waiting:
        yield waiting


def _frame(bodies: list[bytes]) -> bytes:
    return bodies[0] if len(bodies) == 1 else _BEGIN + _COMMA.join(bodies) + _END
