"""The services at one loopback address, with AWS's own protocol, for the real boto3."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from bench.cloud.bill import Bill
from bench.cloud.queue import Queue
from bench.cloud.tables import Canceled, Tables
from harness.deployment import CONFIG, KEY

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]

# The duration of a call in seconds, including this server's own work. DynamoDB: "single-digit
# milliseconds" for an item, according to AWS; twice that for a page of a thousand or a transaction.
# SQS: a send and its delivery together took 16 ms in the median and 34 ms at the 90th percentile
# in bitesizedserverless.com's "Serverless Messaging: Latency Compared" (2022); this is in between.
LATENCY_SECONDS = {
    "GetItem": 0.005,
    "BatchGetItem": 0.005,
    "PutItem": 0.006,
    "UpdateItem": 0.006,
    "DeleteItem": 0.006,
    "Query": 0.010,
    "TransactWriteItems": 0.015,
    "SendMessageBatch": 0.010,
    "GetSecretValue": 0.010,
    # AWS publishes no figure for SNS; of publishing to a topic people report 20 to 40 ms.
    "Publish": 0.030,
}
PUBLISHED = (
    b"<PublishResponse><PublishResult><MessageId>id</MessageId></PublishResult></PublishResponse>"
)
PUSH_QUEUE_URL = CONFIG.fanout_queue_url.replace("fanout", "push")
SECRET = {"SecretString": KEY, "VersionId": "key-1", "CreatedDate": 0}
DELIVERY_SECONDS = 0.015
"""From a message's visibility to the start of the function."""


class StandIn:
    """The tables, the queues and the bill of one stack."""

    def __init__(self) -> None:
        self.bill = Bill()
        self.fanout_queue, self.retry_queue, self.push_queue = Queue(), Queue(), Queue()
        self.pushed_at: list[float] = []
        """When each publish to a device came, by `time.monotonic`."""
        self._queues = {
            CONFIG.fanout_queue_url: self.fanout_queue,
            CONFIG.retry_queue_url: self.retry_queue,
            PUSH_QUEUE_URL: self.push_queue,
        }
        self.tables = Tables(self.bill)
        self._lock = Lock()
        self._operations: dict[str, Operation] = {
            "Query": self.tables.query,
            "GetItem": self.tables.get_item,
            "BatchGetItem": self.tables.batch_get_item,
            "PutItem": self.tables.put_item,
            "UpdateItem": self.tables.update_item,
            "DeleteItem": self.tables.delete_item,
            "TransactWriteItems": self.tables.transact_write_items,
            "SendMessageBatch": self._send_message_batch,
            "GetSecretValue": lambda _request: SECRET,
        }

    def answer(self, operation: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Execute one call; return its status and response."""
        try:
            with self._lock:
                self.bill.add(operation)
                return HTTPStatus.OK, self._operations[operation](request)
        except Canceled as canceled:
            return HTTPStatus.BAD_REQUEST, _refusal(operation, canceled)

    def publish(self) -> None:
        """Take a publish of SNS, whose protocol is another one than the others'."""
        with self._lock:
            self.bill.add("pushes")
            self.pushed_at.append(time.monotonic())

    def wait_until_done(self, timeout_seconds: float) -> bool:
        """Wait until every message of both queues is done; return whether that happened in time."""
        deadline = time.monotonic() + timeout_seconds
        # In this order: tasks of the fan-out queue put messages on the other one.
        return all(
            queue.wait_until_done(max(0.0, deadline - time.monotonic()))
            for queue in (self.fanout_queue, self.retry_queue)
        )

    def _send_message_batch(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.bill.add("queue_requests")
        queue = self._queues[request["QueueUrl"]]
        for entry in request["Entries"]:
            queue.put(entry["MessageBody"], entry.get("DelaySeconds", 0))
        taken = [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in request["Entries"]]
        return {"Successful": taken, "Failed": []}


class _Server(ThreadingHTTPServer):
    # With the default of five, the system drops some of a function's simultaneous connections, and
    # these wait a second.
    request_queue_size = 128


@contextmanager
def serving(cloud: StandIn, latency_seconds: Mapping[str, float]) -> Iterator[str]:
    """Answer boto3's calls until the end of the block; yields the address."""
    server = _Server(("127.0.0.1", 0), _handler(cloud, latency_seconds))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(cloud: StandIn, latency_seconds: Mapping[str, float]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in one segment.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            due = time.monotonic()
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if target := self.headers["X-Amz-Target"]:
                operation, kind = target.rpartition(".")[2], "application/x-amz-json-1.0"
                status, answer = cloud.answer(operation, json.loads(content))
                body = json.dumps(answer).encode()
            else:
                operation, kind, status, body = "Publish", "text/xml", HTTPStatus.OK, PUBLISHED
                cloud.publish()
            due += latency_seconds[operation]
            time.sleep(max(0.0, due - time.monotonic()))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler


def _refusal(operation: str, canceled: Canceled) -> dict[str, Any]:
    if operation == "TransactWriteItems":
        reasons = [{"Code": reason} for reason in canceled.reasons]
        return {"__type": "TransactionCanceledException", "CancellationReasons": reasons}
    refusal = {"__type": "ConditionalCheckFailedException", "Message": str(canceled)}
    return refusal | ({"Item": canceled.old} if canceled.old else {})
