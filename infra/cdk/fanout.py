"""The fan-out queue, the retry queue, and their dead-letter queue."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cdk.functions import FUNCTIONS, RETRY_WORKERS

# How long a crashed worker's task stays invisible. The task comes again when the worker's lease of
# its lane has ended: this is longer than the function's timeout and a lease together.
VISIBILITY_SECONDS = 2 * FUNCTIONS["fanout"].timeout_seconds
# An invocation that is throttled counts as a receive.
MAX_RECEIVE_COUNT = 10


class FanoutQueue(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, in_cloud: bool) -> None:
        """`in_cloud`: require TLS, which the local cloud does not support."""
        super().__init__(scope, construct_id)
        self._in_cloud = in_cloud
        self.dead_letters = sqs.Queue(
            self, "DeadLetters", retention_period=cdk.Duration.days(14), enforce_ssl=in_cloud
        )
        self.queue = self._queue("Queue")
        self.retries = self._queue("Retries")

    def _queue(self, construct_id: str) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            visibility_timeout=cdk.Duration.seconds(VISIBILITY_SECONDS),
            # Older events have expired from the history too.
            retention_period=cdk.Duration.days(1),
            enforce_ssl=self._in_cloud,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=MAX_RECEIVE_COUNT
            ),
        )

    def let_put(self, function: lambda_.IFunction) -> None:
        """Allow a function to put tasks; on AWS, batches need no action of their own."""
        for queue in (self.queue, self.retries):
            queue.grant(function, "sqs:SendMessage")
            if not self._in_cloud:
                queue.grant(function, "sqs:SendMessageBatch")

    def feed(self, function: lambda_.IFunction, workers: int) -> None:
        """Feed the tasks of the fan-out queue to at most `workers` concurrent workers.

        The retry queue has two of its own. Batch size 1, as a task may take seconds.
        """
        for queue, at_most in ((self.queue, workers), (self.retries, RETRY_WORKERS)):
            function.add_event_source(
                sources.SqsEventSource(
                    queue,
                    batch_size=1,
                    max_concurrency=at_most,
                    report_batch_item_failures=True,
                )
            )
