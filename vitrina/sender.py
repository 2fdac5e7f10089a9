"""Many posts to the management API from one process, through libcurl."""

import heapq
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from itertools import count
from typing import NamedTuple
from urllib.parse import quote

import pycurl
from aws_lambda_powertools import Logger

from vitrina import aws, connections, metrics, settings
from vitrina.connections import Member
from vitrina.sigv4 import Signer

logger = Logger()
# The system's: environments that are restored from one snapshot would all wait the same.
_jitter = random.SystemRandom()

# What one process keeps open: at 20 ms an answer, 256 make 12,800 posts a second. Lambda allows
# 1,024 file descriptors.
POSTS_AT_ONCE = 256
# Answers that come meanwhile leave connections free: no more are opened than the latency needs.
STARTS_AT_ONCE = 32
POST_SECONDS = 5
CONNECT_SECONDS = 2
FIRST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 1.0
STEP_SECONDS = 0.02
# What stands for a status when there is none: a timeout, a reset, no connection.
NO_ANSWER = 0
SERVER_ERRORS = 500


class Post(NamedTuple):
    """What to send to one connection: the bodies, in this order, and whether it ends then."""

    member: Member
    bodies: Sequence[bytes]
    channel: str = ""
    """Which channel the bodies are of; only for the caller to know by."""
    closes: bool = False

    @property
    def requests(self) -> int:
        return len(self.bodies) + self.closes


@dataclass
class Delivery:
    """What became of the connections posted to; one that got some of its bodies is not sent."""

    sent: int = 0
    gone: list[Post] = field(default_factory=list)
    throttled: list[Post] = field(default_factory=list)
    """429 to the last attempt: the account's throttle, or that client's buffer is full."""
    failed: list[Post] = field(default_factory=list)
    """5xx or no answer to the last attempt."""
    unsent: list[Post] = field(default_factory=list)
    """Not begun, or not done, when the budget ended."""
    dropped: list[Post] = field(default_factory=list)
    """Refused as such (400, 413): a defect here, and no better the next time."""
    dropped_with: set[int] = field(default_factory=set)
    throttles: int = 0
    """How often the answer was 429, whatever became of it in the end."""

    @property
    def unreached(self) -> list[Post]:
        return [*self.gone, *self.throttled, *self.failed, *self.unsent, *self.dropped]


class Refused(Exception):
    """The management API answered 403: a wrong endpoint, or a grant that is missing.

    Says nothing about the connections, so none may be forgotten for it.
    """


def post(
    posts: Sequence[Post],
    *,
    budget_seconds: float,
    attempts: int = 4,
    per_second: float | None = None,
) -> Delivery:
    """Post to every connection, many at a time, and return what became of each.

    A connection's next body goes out when the one before has arrived. 429, 5xx and broken
    connections are tried again with full jitter, `attempts` times in all, without holding up the
    others. `per_second` is this process's share of the account's throttle; all of the setting
    `posts_per_second` unless told otherwise.

    Raises Refused on the first 403.
    """
    bucket = _bucket(per_second or settings.current().posts_per_second)
    try:
        delivery = _sender().run(posts, time.monotonic() + budget_seconds, attempts, bucket)
    except Refused:
        metrics.emit(Refused=1)
        raise
    metrics.emit(
        Posted=delivery.sent,
        Gone=len(delivery.gone),
        Throttled=delivery.throttles,
        Failed=len(delivery.failed) + len(delivery.dropped),
    )
    if delivery.dropped:
        logger.error(
            "posts refused",
            statuses=sorted(delivery.dropped_with),
            posts=len(delivery.dropped),
            connection_ids=connections.some_ids(post.member for post in delivery.dropped),
        )
    return delivery


@dataclass(slots=True)
class _Task:
    post: Post
    requests_done: int = 0
    attempts: int = 0
    throttled: bool = False


class _Bucket:
    """Tokens, one a post: so many a second, and what a tenth of a second brings at once.

    API Gateway's own throttle is a token bucket too; a small one here leaves its burst to those
    who cannot wait.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._capacity = max(1.0, per_second / 10)
        self._tokens = self._capacity
        self._filled_at = time.monotonic()

    def fill(self) -> None:
        """Put in what the time since the last filling has brought, a step's worth at least.

        Token by token, each would wake the loop for itself, at twice the processor time a post.
        """
        now = time.monotonic()
        if now - self._filled_at < STEP_SECONDS:
            return
        brought = (now - self._filled_at) * self._per_second
        self._tokens = min(self._capacity, self._tokens + brought)
        self._filled_at = now

    def take(self) -> bool:
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def seconds_to_next(self) -> float:
        if self._tokens >= 1:
            return 0
        step = max(STEP_SECONDS, (1 - self._tokens) / self._per_second)
        return max(0.0, self._filled_at + step - time.monotonic())


@cache
def _bucket(per_second: float) -> _Bucket:
    """Return the bucket that all runs of this process share."""
    return _Bucket(per_second)


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

    def run(
        self, posts: Sequence[Post], deadline: float, attempts: int, bucket: _Bucket
    ) -> Delivery:
        self._delivery = Delivery()
        self._deadline = deadline
        self._attempts = attempts
        self._bucket = bucket
        self._ready = deque(_Task(post) for post in posts)
        self._later: list[tuple[float, int, _Task]] = []
        self._ticket = count()
        self._url = settings.current().management_url
        # With the credentials of this moment: boto3 renews them in time.
        self._signer = Signer(aws.credentials(), aws.region(), self._url)
        try:
            while self._start_more():
                self._multi.perform()
                if not self._collect():
                    self._wait()
        finally:
            self._abandon()
        return self._delivery

    def _start_more(self) -> bool:
        """Fill the free places as the rate allows; say whether anything is left to do."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._ready.append(heapq.heappop(self._later)[2])
        if now >= self._deadline:
            self._end()
        self._bucket.fill()
        for _ in range(STARTS_AT_ONCE):
            if not self._may_start() or not self._bucket.take():
                break
            self._start(self._ready.popleft())
        return bool(self._in_flight or self._ready or self._later)

    def _may_start(self) -> bool:
        return bool(self._ready) and len(self._in_flight) < POSTS_AT_ONCE

    def _end(self) -> None:
        """Begin nothing more: the budget is spent."""
        for task in (*self._ready, *(task for _, _, task in self._later)):
            if task.attempts:
                self._give_up(task)
            else:
                self._delivery.unsent.append(task.post)
        self._ready.clear()
        self._later.clear()

    def _start(self, task: _Task) -> None:
        curl = self._idle.pop() if self._idle else self._new_handle()
        connection = quote(task.post.member.connection_id, safe="")
        bodies, done = task.post.bodies, task.requests_done
        method, body = ("POST", bodies[done]) if done < len(bodies) else ("DELETE", b"")
        curl.setopt(pycurl.URL, f"{self._url}/@connections/{connection}")
        curl.setopt(pycurl.CUSTOMREQUEST, method)
        curl.setopt(pycurl.HTTPHEADER, self._signer.headers(method, connection, body))
        curl.setopt(pycurl.POSTFIELDS, body)
        seconds = min(POST_SECONDS, self._deadline - time.monotonic())
        curl.setopt(pycurl.TIMEOUT_MS, max(1, int(seconds * 1000)))
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
        # The first connection tells whether there is HTTP/2, where one is enough for a hundred.
        curl.setopt(pycurl.PIPEWAIT, 1)
        return curl

    def _collect(self) -> int:
        """Take what has been answered; return how many."""
        taken = 0
        waiting = 1
        while waiting:
            waiting, answered, broken = self._multi.info_read()
            for curl in answered:
                self._take(curl, curl.getinfo(pycurl.RESPONSE_CODE))
            for curl, _code, _message in broken:
                self._take(curl, NO_ANSWER)
            taken += len(answered) + len(broken)
        return taken

    def _take(self, curl: pycurl.Curl, status: int) -> None:
        """Act on an answer to a post."""
        self._multi.remove_handle(curl)
        self._idle.append(curl)
        task = self._in_flight.pop(curl)
        if status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            self._take_done(task)
        elif status == HTTPStatus.GONE:
            self._delivery.gone.append(task.post)
        elif status == HTTPStatus.FORBIDDEN:
            raise Refused(f"403 from {settings.current().management_url}")
        elif status in (HTTPStatus.TOO_MANY_REQUESTS, NO_ANSWER) or status >= SERVER_ERRORS:
            task.throttled = status == HTTPStatus.TOO_MANY_REQUESTS
            self._delivery.throttles += task.throttled
            self._try_again(task)
        else:
            self._delivery.dropped_with.add(status)
            self._delivery.dropped.append(task.post)

    def _take_done(self, task: _Task) -> None:
        task.requests_done += 1
        task.attempts = 0
        if task.requests_done == task.post.requests:
            self._delivery.sent += 1
        else:
            # Ahead of those that have nothing yet, so that what the budget cuts off is whole.
            self._ready.appendleft(task)

    def _try_again(self, task: _Task) -> None:
        task.attempts += 1
        ceiling = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**task.attempts)
        due = time.monotonic() + _jitter.uniform(0, ceiling)
        if task.attempts < self._attempts and due < self._deadline:
            heapq.heappush(self._later, (due, next(self._ticket), task))
        else:
            self._give_up(task)

    def _give_up(self, task: _Task) -> None:
        left = self._delivery.throttled if task.throttled else self._delivery.failed
        left.append(task.post)

    def _wait(self) -> None:
        """Wait until a socket is ready, a retry or a token is due, or libcurl has a timer."""
        pause = self._pause()
        if self._in_flight:
            timer_ms = self._multi.timeout()
            self._multi.select(min(pause, timer_ms / 1000) if timer_ms >= 0 else pause)
        elif pause:
            time.sleep(pause)

    def _pause(self) -> float:
        if self._may_start():
            return min(LONGEST_PAUSE_SECONDS, self._bucket.seconds_to_next())
        if self._later:
            return min(LONGEST_PAUSE_SECONDS, max(0.0, self._later[0][0] - time.monotonic()))
        return LONGEST_PAUSE_SECONDS if self._in_flight else 0

    def _abandon(self) -> None:
        """Leave nothing behind for the next run, however this one ended."""
        for curl in self._in_flight:
            self._multi.remove_handle(curl)
            curl.close()
        self._in_flight.clear()
