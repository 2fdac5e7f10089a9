"""Parallel posts to the management API from one process, with libcurl."""

import heapq
import math
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

from vitrina import aws, config, metrics, partitions
from vitrina.history import Span
from vitrina.partitions import Subscription
from vitrina.sigv4 import Signer

logger = Logger()

# With answers after 20 ms, 256 parallel posts make 12,800 posts a second. Lambda allows 1,024 file
# descriptors.
MAX_PARALLEL_POSTS = 256
# Starts per turn of the loop. Answers free connections between turns, so that no more connections
# are opened than the latency needs.
MAX_STARTS_PER_TURN = 32
POST_TIMEOUT_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 2
FIRST_BACKOFF_SECONDS = 0.1
MAX_BACKOFF_SECONDS = 2.0
MAX_PAUSE_SECONDS = 1.0
REFILL_INTERVAL_SECONDS = 0.02
# After a pause a process may post this much at once. All workers and requests together stay far
# below the account's burst, which is half a second's posts.
BURST_SECONDS = 0.25
LINGER_FACTOR = 3
# A connection is closed after this, even if it has not taken the frame with the reason. Otherwise a
# client that does not read would delay its close.
CLOSING_FRAME_ATTEMPTS = 2
CLOSING_FRAME_SECONDS = 2
# In place of a status when there is none: a timeout, a reset, no connection.
NO_ANSWER = 0
MIN_SERVER_ERROR = 500


class Post(NamedTuple):
    """Frames for one connection, posted in this order.

    It is closed after them if `closes`, and also if it does not take them.
    """

    subscription: Subscription
    bodies: tuple[bytes, ...]
    closes: bool = False
    method: str = "POST"
    """Of the request for each body."""
    span: Span | None = None
    """The events in the bodies, for posting them again."""

    @property
    def requests(self) -> int:
        return len(self.bodies) + self.closes


@dataclass
class Delivery:
    """The result of posting; a connection that took only some of its bodies is not sent."""

    sent: int = 0
    gone: list[Post] = field(default_factory=list)
    throttled: list[Post] = field(default_factory=list)
    """429 at the last attempt: the account's throttle, or a client with a full buffer."""
    failed: list[Post] = field(default_factory=list)
    """5xx or no answer at the last attempt."""
    unsent: list[Post] = field(default_factory=list)
    """Not started, or not finished, when the time budget ended."""
    dropped: list[Post] = field(default_factory=list)
    """Refused for good (400, 413): a defect of this service."""
    dropped_with: set[int] = field(default_factory=set)
    throttles: int = 0
    """The number of 429 answers, also of posts that succeeded later."""

    @property
    def unreached(self) -> list[Post]:
        return [*self.gone, *self.throttled, *self.failed, *self.unsent, *self.dropped]


class PostsForbidden(Exception):
    """The management API answered 403: a wrong endpoint, or a missing grant.

    The connections may be open, so none is forgotten.
    """


def post(
    posts: Sequence[Post],
    *,
    budget_seconds: float,
    attempts: int = 4,
    per_second: float | None = None,
    linger_seconds: float = math.inf,
) -> Delivery:
    """Post to many connections in parallel; return the result of each.

    A connection's next body is posted after the answer to the one before. 429, 5xx and broken
    connections are tried again with full jitter, `attempts` times in all, and do not delay other
    connections. A close is tried again until the time budget ends. `per_second` is this process's
    share of the account's throttle, by default all of `posts_per_second`. When all posts have been
    started, and no connection has taken a body for `linger_seconds`, or for three times the slowest
    response, the others are given up.

    Raises PostsForbidden on the first 403.
    """
    delivery = _run(posts, budget_seconds, attempts, per_second, linger_seconds)
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
            connection_ids=partitions.ids_to_log(post.subscription for post in delivery.dropped),
        )
    return delivery


def probe(
    subscriptions: Sequence[Subscription], *, budget_seconds: float, per_second: float | None = None
) -> Delivery:
    """Request the state of each connection once; `sent` is the number of open connections.

    Nothing is sent to a client, so every 429 comes from the account's throttle. Raises
    PostsForbidden on the first 403.
    """
    requests = [Post(subscription, (b"",), method="GET") for subscription in subscriptions]
    delivery = _run(requests, budget_seconds, 1, per_second)
    metrics.emit(Probes=len(requests), ProbesThrottled=delivery.throttles)
    return delivery


def _run(
    posts: Sequence[Post],
    budget_seconds: float,
    attempts: int,
    per_second: float | None,
    linger_seconds: float = math.inf,
) -> Delivery:
    bucket = _bucket()
    bucket.allow(per_second or config.current().posts_per_second)
    deadline = time.monotonic() + budget_seconds
    try:
        return _sender().run(posts, deadline, attempts, bucket, linger_seconds)
    except PostsForbidden:
        metrics.emit(Refused=1)
        raise


@dataclass(slots=True)
class _Transfer:
    post: Post
    requests_done: int = 0
    attempts: int = 0
    throttled: bool = False
    started_at: float = 0.0
    """When the last request began, by `time.monotonic`."""

    @property
    def is_closing(self) -> bool:
        """Whether the next request is the close."""
        return self.requests_done == len(self.post.bodies)

    @property
    def request(self) -> tuple[str, bytes]:
        """Return the method and the body of the next request."""
        if self.is_closing:
            return "DELETE", b""
        return self.post.method, self.post.bodies[self.requests_done]

    @property
    def seconds(self) -> float:
        """Return how long the next request may take."""
        is_closing_frame = self.post.closes and not self.is_closing
        return CLOSING_FRAME_SECONDS if is_closing_frame else POST_TIMEOUT_SECONDS


class _Bucket:
    """A token bucket, one token per post, that holds the tokens of a quarter of a second.

    API Gateway's own throttle is a token bucket too. A small bucket here leaves the burst of that
    one to HTTP requests, which cannot wait.
    """

    def __init__(self) -> None:
        self._per_second = 0.0
        self._tokens = math.inf
        self._filled_at = time.monotonic()

    def allow(self, per_second: float) -> None:
        """Change the rate. The bucket begins full, and keeps its tokens when the rate changes."""
        if self._per_second:
            self.fill()
        self._per_second = per_second
        self._tokens = min(self._capacity, self._tokens)

    @property
    def _capacity(self) -> float:
        return max(1.0, self._per_second * BURST_SECONDS)

    def fill(self) -> None:
        """Add the tokens of the time since the last call, in steps of 20 ms.

        Single tokens would wake the loop for each post, at twice the processor time per post.
        """
        now = time.monotonic()
        if now - self._filled_at < REFILL_INTERVAL_SECONDS:
            return
        added = (now - self._filled_at) * self._per_second
        self._tokens = min(self._capacity, self._tokens + added)
        self._filled_at = now

    def take(self) -> bool:
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def seconds_to_next(self) -> float:
        if self._tokens >= 1:
            return 0
        step = max(REFILL_INTERVAL_SECONDS, (1 - self._tokens) / self._per_second)
        return max(0.0, self._filled_at + step - time.monotonic())


def forget() -> None:
    """Open new connections, and allow a new burst, at the next use."""
    _bucket.cache_clear()
    _sender.cache_clear()


@cache
def _bucket() -> _Bucket:
    """Return the bucket that all runs in this process share."""
    return _Bucket()


@cache
def _sender() -> "_Sender":
    return _Sender()


class _Sender:
    """libcurl's multi interface; it and its open connections are kept between invocations."""

    def __init__(self) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, MAX_PARALLEL_POSTS)
        self._idle: list[pycurl.Curl] = []
        self._in_flight: dict[pycurl.Curl, _Transfer] = {}

    def run(
        self,
        posts: Sequence[Post],
        deadline: float,
        attempts: int,
        bucket: _Bucket,
        linger_seconds: float,
    ) -> Delivery:
        self._delivery = Delivery()
        self._deadline = deadline
        self._linger_seconds = linger_seconds
        self._taken_at = math.inf  # until the first answer
        self._slowest_seconds = 0.0
        self._attempts = attempts
        self._bucket = bucket
        self._ready = deque(_Transfer(post) for post in posts)
        self._later: list[tuple[float, int, _Transfer]] = []
        self._ticket = count()
        self._url = config.current().management_url
        # The credentials of this moment; botocore renews them before they expire.
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
        """Start as many posts as the rate allows; return whether anything is left to do."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._ready.append(heapq.heappop(self._later)[2])
        if now >= self._deadline:
            self._end()
        elif self._lingers_until() <= now:
            self._end()
            self._stop_waiting()
        self._bucket.fill()
        for _ in range(MAX_STARTS_PER_TURN):
            if not self._may_start() or not self._bucket.take():
                break
            self._start(self._ready.popleft())
        return bool(self._in_flight or self._ready or self._later)

    def _lingers_until(self) -> float:
        """Return until when to wait for connections that have not taken their next body."""
        if self._ready:
            return math.inf
        # If all responses are slow, a slow response does not mean a slow client.
        linger_seconds = max(self._linger_seconds, LINGER_FACTOR * self._slowest_seconds)
        return self._taken_at + linger_seconds

    def _stop_waiting(self) -> None:
        for transfer in self._in_flight.values():
            transfer.throttled = False
            self._give_up(transfer)
        self._abandon()

    def _may_start(self) -> bool:
        return bool(self._ready) and len(self._in_flight) < MAX_PARALLEL_POSTS

    def _end(self) -> None:
        """Start no further post: the time budget has ended."""
        for transfer in (*self._ready, *(transfer for _, _, transfer in self._later)):
            if transfer.attempts:
                self._give_up(transfer)
            else:
                self._delivery.unsent.append(transfer.post)
        self._ready.clear()
        self._later.clear()

    def _start(self, transfer: _Transfer) -> None:
        curl = self._idle.pop() if self._idle else self._new_handle()
        connection = quote(transfer.post.subscription.connection_id, safe="")
        method, body = transfer.request
        curl.setopt(pycurl.URL, f"{self._url}/@connections/{connection}")
        curl.setopt(pycurl.CUSTOMREQUEST, method)
        curl.setopt(pycurl.HTTPHEADER, self._signer.headers(method, connection, body))
        curl.setopt(pycurl.POSTFIELDS, body)
        transfer.started_at = time.monotonic()
        seconds = min(transfer.seconds, self._deadline - transfer.started_at)
        curl.setopt(pycurl.TIMEOUT_MS, max(1, int(seconds * 1000)))
        self._in_flight[curl] = transfer
        self._multi.add_handle(curl)

    def _new_handle(self) -> pycurl.Curl:
        curl = pycurl.Curl()
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.NOPROXY, "*")
        # libcurl's default is a path of the machine that built the wheel.
        curl.setopt(pycurl.CAINFO, aws.ca_bundle())
        curl.setopt(pycurl.CONNECTTIMEOUT, CONNECT_TIMEOUT_SECONDS)
        # Discard the body of the answer; its status is enough.
        curl.setopt(pycurl.WRITEFUNCTION, len)
        # Wait for the first connection to know whether HTTP/2 can multiplex posts on it.
        curl.setopt(pycurl.PIPEWAIT, 1)
        return curl

    def _collect(self) -> int:
        """Take the answers that have come; return their number."""
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
        """Act on the answer to one post."""
        self._multi.remove_handle(curl)
        self._idle.append(curl)
        transfer = self._in_flight.pop(curl)
        if status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.GONE):
            self._taken_at = time.monotonic()
            seconds = self._taken_at - transfer.started_at
            self._slowest_seconds = max(self._slowest_seconds, seconds)
        if status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            self._take_done(transfer)
        elif status == HTTPStatus.GONE:
            self._delivery.gone.append(transfer.post)
        elif status == HTTPStatus.FORBIDDEN:
            raise PostsForbidden(f"403 from {config.current().management_url}")
        elif status in (HTTPStatus.TOO_MANY_REQUESTS, NO_ANSWER) or status >= MIN_SERVER_ERROR:
            transfer.throttled = status == HTTPStatus.TOO_MANY_REQUESTS
            self._delivery.throttles += transfer.throttled
            self._try_again(transfer)
        elif transfer.post.closes and not transfer.is_closing:
            self._close_without_notice(transfer)
        else:
            self._delivery.dropped_with.add(status)
            self._delivery.dropped.append(transfer.post)

    def _take_done(self, transfer: _Transfer) -> None:
        transfer.requests_done += 1
        transfer.attempts = 0
        if transfer.requests_done == transfer.post.requests:
            self._delivery.sent += 1
        else:
            # Before connections that have no body yet: then more of the connections that the budget
            # cuts off have taken no body at all.
            self._ready.appendleft(transfer)

    def _try_again(self, transfer: _Transfer) -> None:
        transfer.attempts += 1
        if transfer.is_closing:
            # With short pauses: while the account throttles, one close in fifty may succeed.
            self._try_later(transfer, FIRST_BACKOFF_SECONDS)
        elif transfer.post.closes and transfer.attempts >= CLOSING_FRAME_ATTEMPTS:
            self._close_without_notice(transfer)
        elif transfer.attempts < self._attempts:
            backoff = FIRST_BACKOFF_SECONDS * 2**transfer.attempts
            self._try_later(transfer, min(MAX_BACKOFF_SECONDS, backoff))
        else:
            self._give_up(transfer)

    def _try_later(self, transfer: _Transfer, ceiling_seconds: float) -> None:
        due = time.monotonic() + aws.jitter(ceiling_seconds)
        if due < self._deadline:
            heapq.heappush(self._later, (due, next(self._ticket), transfer))
        else:
            self._give_up(transfer)

    def _close_without_notice(self, transfer: _Transfer) -> None:
        transfer.requests_done, transfer.attempts = len(transfer.post.bodies), 0
        self._ready.appendleft(transfer)

    def _give_up(self, transfer: _Transfer) -> None:
        left = self._delivery.throttled if transfer.throttled else self._delivery.failed
        left.append(transfer.post)

    def _wait(self) -> None:
        """Wait for a socket, for a retry or a token to be due, or for libcurl's timer."""
        pause = self._pause()
        if self._in_flight:
            timer_ms = self._multi.timeout()
            self._multi.select(min(pause, timer_ms / 1000) if timer_ms >= 0 else pause)
        elif pause:
            time.sleep(pause)

    def _pause(self) -> float:
        if self._may_start():
            return min(MAX_PAUSE_SECONDS, self._bucket.seconds_to_next())
        if not (self._later or self._in_flight):
            return 0
        due = [self._lingers_until(), *(due for due, _, _ in self._later[:1])]
        return min(MAX_PAUSE_SECONDS, max(0.0, min(due) - time.monotonic()))

    def _abandon(self) -> None:
        """Remove all transfers, so that the next run starts empty."""
        for curl in self._in_flight:
            self._multi.remove_handle(curl)
            curl.close()
        self._in_flight.clear()
