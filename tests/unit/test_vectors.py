"""The conformance vectors, which clients in other languages run too."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from local.client import parse_frame
from local.inbox import Inbox

VECTORS = Path(__file__).parents[2] / "clients" / "vectors" / "recovery.json"
CASES = json.loads(VECTORS.read_text())

Step = dict[str, Any]


def play(inbox: Inbox, step: Step) -> list[Any]:
    """Do what a step says; return the messages that are sent at once."""
    match step:
        case {"do": "connect", "positions": positions}:
            assert inbox.open() == positions
        case {"do": "receive", "frame": frame}:
            text = frame if isinstance(frame, str) else json.dumps(frame)
            return inbox.take(parse_frame(text))
        case {"do": "join", "room": room}:
            inbox.rooms.add(room)
            return inbox.unanswered()
        case {"do": "leave", "room": room}:
            return [{"type": "leave", "room": room}]
    return []


def play_later(inbox: Inbox, step: Step, sent: list[Any]) -> list[Any]:
    """Return what is sent after the wait; an interrupted recovery is requested without one."""
    is_refused = step["frame"]["data"]["code"] == "too_many_requests"
    return sent + inbox.unanswered() if is_refused else sent


def state_of(inbox: Inbox) -> str:
    """Return the state of a greeted connection: whether an answer to a `resume` is awaited."""
    unanswered = deepcopy(inbox).unanswered()  # which marks them as sent again
    return "catching_up" if any(each["type"] == "resume" for each in unanswered) else "online"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_reference_client_does_what_the_vectors_say(case: Step) -> None:
    inbox = Inbox()
    for step in case["steps"]:
        applied, refetched = len(inbox.events), len(inbox.refetches)
        sent = play(inbox, step)
        if "later" in step:
            assert play_later(inbox, step, sent) == step["later"]
        else:
            assert sent == step.get("send", [])
        events = [f"{event['channel']}:{event['seq']}" for event in inbox.events[applied:]]
        assert events == step.get("events", [])
        assert inbox.refetches[refetched:] == step.get("refetch", [])
        if step.get("state") in {"catching_up", "online"}:
            assert state_of(inbox) == step["state"]
    assert inbox.positions == case["positions"]
