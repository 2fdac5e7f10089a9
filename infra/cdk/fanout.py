"""The fan-out queue and its dead-letter queue."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cdk.functions import FUNCTIONS

# How long a crashed worker's task stays invisible; AWS recommends six times the timeout.
VISIBILITY_SECONDS = 6 * FUNCTIONS["fanout"].timeout_seconds
# AWS recommends at least five for Lambda: an invocation that is throttled counts as a receive.
MAX_RECEIVE_COUNT = 5


class FanoutQueue(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, in_cloud: bool) -> None:
        """`in_cloud`: require TLS, which the local cloud does not support."""
        super().__init__(scope, construct_id)
        self._in_cloud = in_cloud
        self.dead_letters = sqs.Queue(
            self, "DeadLetters", retention_period=cdk.Duration.days(14), enforce_ssl=in_cloud
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            visibility_timeout=cdk.Duration.seconds(VISIBILITY_SECONDS),
            # Older events have expired from the history too.
            retention_period=cdk.Duration.days(1),
            enforce_ssl=in_cloud,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=MAX_RECEIVE_COUNT
            ),
        )

    def let_put(self, function: lambda_.IFunction) -> None:
        """Allow a function to put tasks; on AWS, batches need no action of their own."""
        self.queue.grant(function, "sqs:SendMessage")
        if not self._in_cloud:
            self.queue.grant(function, "sqs:SendMessageBatch")

    def feed(self, function: lambda_.IFunction, workers: int) -> None:
        """Feed tasks to at most `workers` concurrent workers.

        Batch size 1, so that no worker idles while another holds two tasks of half a second each.
        """
        function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=1,
                max_concurrency=workers,
                report_batch_item_failures=True,
            )
        )
