"""The fan-out queue, the retry queue, and their dead-letter queue."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cdk import queues
from infra.cdk.functions import FUNCTIONS, RETRY_WORKERS

# The task of a crashed worker comes again when the worker's lease of its lane has ended: this is
# longer than the function's timeout and a lease together.
VISIBILITY_SECONDS = 2 * FUNCTIONS["fanout"].timeout_seconds


class FanoutQueue(Construct):
    def __init__(self, scope: Construct, construct_id: str, *, in_cloud: bool) -> None:
        """`in_cloud`: require TLS, which the local cloud does not support."""
        super().__init__(scope, construct_id)
        self._in_cloud = in_cloud
        self.dead_letters = sqs.Queue(
            self, "DeadLetters", retention_period=cdk.Duration.days(14), enforce_ssl=in_cloud
        )
        self.queue, self.retries = (
            queues.task_queue(
                self, name, VISIBILITY_SECONDS, dead_letters=self.dead_letters, in_cloud=in_cloud
            )
            for name in ("Queue", "Retries")
        )

    def let_put(self, function: lambda_.IFunction) -> None:
        for queue in (self.queue, self.retries):
            queues.let_put(queue, function, in_cloud=self._in_cloud)

    def feed(self, function: lambda_.IFunction, workers: int) -> None:
        """Feed the tasks to the workers; the retry queue has two workers of its own."""
        queues.feed(function, self.queue, workers)
        queues.feed(function, self.retries, RETRY_WORKERS)
