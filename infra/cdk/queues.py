"""Queues of tasks: their settings, who may put tasks on them, and who works on them."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

# An invocation that is throttled counts as a receive.
MAX_RECEIVE_COUNT = 10


def task_queue(
    scope: Construct,
    construct_id: str,
    visibility_seconds: int,
    *,
    dead_letters: sqs.IQueue,
    in_cloud: bool,
) -> sqs.Queue:
    """Return a queue; the task of a worker that crashed comes again after `visibility_seconds`.

    `in_cloud`: require TLS, which the local cloud does not support.
    """
    return sqs.Queue(
        scope,
        construct_id,
        visibility_timeout=cdk.Duration.seconds(visibility_seconds),
        # Older events have expired from the history too.
        retention_period=cdk.Duration.days(1),
        enforce_ssl=in_cloud,
        dead_letter_queue=sqs.DeadLetterQueue(
            queue=dead_letters, max_receive_count=MAX_RECEIVE_COUNT
        ),
    )


def let_put(queue: sqs.Queue, function: lambda_.IFunction, *, in_cloud: bool) -> None:
    """Allow a function to put tasks; on AWS, batches need no action of their own."""
    queue.grant(function, "sqs:SendMessage")
    if not in_cloud:
        queue.grant(function, "sqs:SendMessageBatch")


def feed(function: lambda_.IFunction, queue: sqs.Queue, workers: int) -> None:
    """Feed the tasks to at most `workers` concurrent workers, one task at a time.

    A task may take seconds.
    """
    function.add_event_source(
        sources.SqsEventSource(
            queue, batch_size=1, max_concurrency=workers, report_batch_item_failures=True
        )
    )
