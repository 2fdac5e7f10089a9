"""One connection that sends `resume` as fast as it can, while others receive events."""

import json
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from threading import Thread
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bench.attacks import idle_api
from harness.tokens import token_of
from local import edge
from local.client import Api, Client
from local.emulator import Cloud
from vitrina import history
from vitrina.channels import ClientType
from vitrina.events import Announcement, AnnouncementPublished
from vitrina.history import Change
from vitrina.messages import Resume

FRAMES, BEHIND = 100, 500
RATES = (20, 100, 1000)
"""Frames in a second."""
WATCHERS = 20
EVENTS, PAUSE_SECONDS = 16, 0.3
REPETITIONS = 2
NOTHING = json.dumps({"type": "nothing"})

Delays = dict[str, list[float]]
Flood = tuple[str, str, int, int]
"""The URL, the frame, frames in a second, their number."""


def measure(cloud: Cloud, url: str) -> dict[str, Any]:
    """Return the delays of the others' events in milliseconds, by rate and by what is sent.

    `alone`: nothing is sent. `resume`: 100 frames of one connection, which is 500 events behind.
    `idle`: the same frames to another API of this cloud, whose function does nothing. `once`: one
    of the frames, and the others to that API, so that only what refusing them costs is missing.
    """
    api, accounts, answers = Api(url), count(1000), Counter[str]()
    delays: dict[int, Delays] = {rate: defaultdict(list) for rate in RATES}
    with ExitStack() as open_until_the_end:
        watchers = [
            open_until_the_end.enter_context(Client.connected(_url(api, number)))
            for number in range(1, WATCHERS + 1)
        ]
        idle_outputs = cloud.outputs | idle_api.create(cloud)
        idle = Api(open_until_the_end.enter_context(edge.running(idle_outputs)))
        announcements = _Announcements(url, watchers)
        _send(_url(idle, 1), NOTHING, max(RATES), FRAMES)
        announcements.delays()  # processes have started
        for _ in range(REPETITIONS):
            for rate, found in delays.items():
                first, second = next(accounts), next(accounts)
                flood = (_url(api, first), _resume(first), rate, FRAMES)
                recovery = (_url(api, second), _resume(second), rate, 1)
                nothing = (_url(idle, 1), NOTHING, rate, FRAMES)
                found["alone"] += announcements.delays()
                found["idle"] += announcements.delays(nothing)
                found["once"] += announcements.delays(recovery, nothing)
                found["resume"] += announcements.delays(flood, answers=answers)
    return {"delays": delays, "answers": answers}


def _url(api: Api, account_id: int) -> str:
    return api.websocket_url("user", token_of(ClientType.USER, account_id))


def _resume(account_id: int) -> str:
    """Commit events for an account that nobody posts; return the frame that asks for them."""
    channel = f"user:{account_id}"
    before = history.positions([channel])[channel]
    data = Announcement(to=channel, title="Тест", text="Тест", admin_id=1)
    changes = (Change(None, [AnnouncementPublished(data=data)]) for _ in range(BEHIND))
    for batch in history.batches(changes):
        history.mark_sent([history.commit(batch)])
    return Resume(type="resume", positions={channel: before}).model_dump_json()


def _send(url: str, text: str, rate: int, frames: int) -> Counter[str]:
    """Send a frame repeatedly, at a rate; return what came back, by code or name."""
    answers = Counter[str]()
    with connect(url, compression=None, ping_interval=None) as socket:

        def read() -> None:
            for frame in socket:
                answers[_name(str(frame))] += 1

        reader = Thread(target=read)
        reader.start()
        began = time.monotonic()
        try:
            for number in range(frames):
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
                socket.send(text)
        except ConnectionClosed:
            pass
        reader.join(timeout=EVENTS * PAUSE_SECONDS)
    reader.join()
    return answers


def _name(text: str) -> str:
    try:
        frame = json.loads(text)
    except ValueError:
        return "no event"
    return str(frame.get("data", {}).get("code", frame.get("event", "no event")))


class _Announcements:
    """Announcements to all users at a steady pace, and when each watcher had each."""

    def __init__(self, url: str, watchers: list[Client]) -> None:
        self._url = url
        self._watchers = watchers
        self._published = 0
        self._token = token_of(ClientType.ADMIN, 1)

    def delays(self, *floods: Flood, answers: Counter[str] | None = None) -> list[float]:
        """Publish some while frames are sent; return the milliseconds to each arrival.

        `answers` is added what came back.
        """
        sent: dict[str, float] = {}
        with ThreadPoolExecutor(EVENTS + len(floods)) as pool:
            flooding = [pool.submit(_send, *flood) for flood in floods]
            for _ in range(EVENTS):
                self._published += 1
                title = f"Тест {self._published}"
                sent[title] = time.monotonic()
                pool.submit(self._publish, title)
                time.sleep(PAUSE_SECONDS)
        if answers is not None:
            answers.update(sum((each.result() for each in flooding), Counter[str]()))
        return [
            1000 * (frame.at - sent[title])
            for watcher in self._watchers
            for frame in watcher.wait_for("announcement.published", self._published)
            if (title := frame.event["data"]["title"]) in sent
        ]

    def _publish(self, title: str) -> None:
        api = Api(self._url)
        body = {"to": "user", "title": title, "text": "Тест"}
        api.call("POST", "/api/v1/admin/announcements", self._token, json=body)
        api.close()
