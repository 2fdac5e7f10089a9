"""Many posts to the management API from one process, through libcurl."""

import heapq
import random
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from itertools import count
from typing import NamedTuple
from urllib.parse import quote

import pycurl
from aws_lambda_powertools import Logger

from vitrina import aws, settings
from vitrina.connections import Member

logger = Logger()

POSTS_AT_ONCE = 64
POST_SECONDS = 5
CONNECT_SECONDS = 2
ATTEMPTS = 4
FIRST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 1.0
# What stands for a status when there is none: a timeout, a reset, no connection.
NO_ANSWER = 0
SERVER_ERRORS = 500


class Post(NamedTuple):
    """What to send to one connection: the bodies, in this order."""

    member: Member
    bodies: Sequence[bytes]


@dataclass
class Delivery:
    """What became of the connections posted to; one that got some of its bodies is not sent."""

    sent: int = 0
    gone: list[Member] = field(default_factory=list)
    throttled: list[Member] = field(default_factory=list)
    failed: list[Member] = field(default_factory=list)
    complete: bool = True
    """Whether the budget sufficed to read all posts; those unread are in no list."""


class Refused(Exception):
    """The management API answered 403: a wrong endpoint, or a grant that is missing.

    Says nothing about the connections, so none may be forgotten for it.
    """


def post(posts: Iterable[Post], *, budget_seconds: float) -> Delivery:
    """Post to every connection, many at a time, and return what became of each.

    `posts` is read only as fast as it is sent, so it may be a generator over millions. A
    connection's next body goes out when the one before has arrived. 429, 5xx and broken
    connections are tried again with full jitter, without holding up the others; what was begun
    and is not done when the budget ends counts as throttled or failed.

    Raises Refused on the first 403.
    """
    return _sender().run(posts, time.monotonic() + budget_seconds)


@dataclass(slots=True)
class _Task:
    post: Post
    bodies_sent: int = 0
    attempts: int = 0
    throttled: bool = False


@cache
def _sender() -> "_Sender":
    return _Sender()


class _Sender:
    """libcurl's multi interface, kept between invocations with its open connections."""

    def __init__(self) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, POSTS_AT_ONCE)
        self._idle: list[pycurl.Curl] = []
        self._in_flight: dict[pycurl.Curl, _Task] = {}

    def run(self, posts: Iterable[Post], deadline: float) -> Delivery:
        self._delivery = Delivery()
        self._deadline = deadline
        self._ready: deque[_Task] = deque()
        self._later: list[tuple[float, int, _Task]] = []
        self._ticket = count()
        self._source = iter(posts)
        self._sign()
        try:
            while self._start_more():
                self._multi.perform()
                self._collect()
                self._wait()
        finally:
            self._abandon()
        return self._delivery

    def _sign(self) -> None:
        credentials = aws.credentials()
        self._key = f"{credentials.access_key}:{credentials.secret_key}"
        self._signature = f"aws:amz:{aws.region()}:execute-api"
        self._headers = ["Content-Type: application/json", "Expect:"]
        if credentials.token:
            self._headers.append(f"X-Amz-Security-Token: {credentials.token}")

    def _start_more(self) -> bool:
        """Fill the free places; say whether anything is left to do."""
        now = time.monotonic()
        if now >= self._deadline:
            self._end_reading()
        while self._later and self._later[0][0] <= now:
            self._ready.append(heapq.heappop(self._later)[2])
        while len(self._in_flight) < POSTS_AT_ONCE and (task := self._next_task()):
            self._start(task)
        return bool(self._in_flight or self._later)

    def _end_reading(self) -> None:
        """Begin nothing more: the budget is spent."""
        for task in (*self._ready, *(task for _, _, task in self._later)):
            self._give_up(task)
        self._ready.clear()
        self._later.clear()
        if next(self._source, None) is not None:
            self._delivery.complete = False
        self._source = iter(())

    def _next_task(self) -> _Task | None:
        if self._ready:
            return self._ready.popleft()
        following = next(self._source, None)
        return following and _Task(following)

    def _start(self, task: _Task) -> None:
        curl = self._idle.pop() if self._idle else self._new_handle()
        connection = quote(task.post.member.connection_id, safe="")
        curl.setopt(pycurl.URL, f"{settings.current().management_url}/@connections/{connection}")
        curl.setopt(pycurl.POSTFIELDS, task.post.bodies[task.bodies_sent])
        curl.setopt(pycurl.HTTPHEADER, self._headers)
        curl.setopt(pycurl.USERPWD, self._key)
        curl.setopt(pycurl.AWS_SIGV4, self._signature)
        left = min(POST_SECONDS, self._deadline - time.monotonic())
        curl.setopt(pycurl.TIMEOUT_MS, max(1, int(left * 1000)))
        self._in_flight[curl] = task
        self._multi.add_handle(curl)

    def _new_handle(self) -> pycurl.Curl:
        curl = pycurl.Curl()
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.NOPROXY, "*")
        # The wheel's libcurl would look where the machine that built it keeps its authorities.
        curl.setopt(pycurl.CAINFO, aws.ca_bundle())
        curl.setopt(pycurl.CONNECTTIMEOUT, CONNECT_SECONDS)
        # The answer's body says no more than its status does.
        curl.setopt(pycurl.WRITEFUNCTION, len)
        return curl

    def _collect(self) -> None:
        waiting = 1
        while waiting:
            waiting, answered, broken = self._multi.info_read()
            for curl in answered:
                self._take(curl, curl.getinfo(pycurl.RESPONSE_CODE))
            for curl, _code, _message in broken:
                self._take(curl, NO_ANSWER)

    def _take(self, curl: pycurl.Curl, status: int) -> None:
        """Act on an answer to a post."""
        self._multi.remove_handle(curl)
        self._idle.append(curl)
        task = self._in_flight.pop(curl)
        if status == HTTPStatus.OK:
            self._take_sent(task)
        elif status == HTTPStatus.GONE:
            self._delivery.gone.append(task.post.member)
        elif status == HTTPStatus.FORBIDDEN:
            raise Refused(f"403 from {settings.current().management_url}")
        elif status in (HTTPStatus.TOO_MANY_REQUESTS, NO_ANSWER) or status >= SERVER_ERRORS:
            task.throttled = status == HTTPStatus.TOO_MANY_REQUESTS
            self._try_again(task)
        else:
            logger.error("post refused", status=status, connection=task.post.member.connection_id)
            self._delivery.failed.append(task.post.member)

    def _take_sent(self, task: _Task) -> None:
        task.bodies_sent += 1
        task.attempts = 0
        if task.bodies_sent == len(task.post.bodies):
            self._delivery.sent += 1
        else:
            self._ready.append(task)

    def _try_again(self, task: _Task) -> None:
        task.attempts += 1
        ceiling = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**task.attempts)
        due = time.monotonic() + random.uniform(0, ceiling)  # noqa: S311 - jitter, not a secret
        if task.attempts < ATTEMPTS and due < self._deadline:
            heapq.heappush(self._later, (due, next(self._ticket), task))
        else:
            self._give_up(task)

    def _give_up(self, task: _Task) -> None:
        left = self._delivery.throttled if task.throttled else self._delivery.failed
        left.append(task.post.member)

    def _wait(self) -> None:
        """Wait until a socket is ready, a retry is due, or libcurl has a timer of its own."""
        if self._ready:
            return
        pause = LONGEST_PAUSE_SECONDS
        if self._later:
            pause = min(pause, max(0.0, self._later[0][0] - time.monotonic()))
        if self._in_flight:
            timer_ms = self._multi.timeout()
            self._multi.select(min(pause, timer_ms / 1000) if timer_ms >= 0 else pause)
        elif self._later:
            time.sleep(pause)

    def _abandon(self) -> None:
        """Leave nothing behind for the next run, however this one ended."""
        for curl in self._in_flight:
            self._multi.remove_handle(curl)
            curl.close()
        self._in_flight.clear()
