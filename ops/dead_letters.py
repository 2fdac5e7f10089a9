"""Put tasks that no worker could do back on the fan-out queue: make replay-dead-letters

SQS has a command for that too, StartMessageMoveTask, which the console calls "Start DLQ redrive";
this one is tried on the local cloud, which lacks it. A task that was put back and could not be
deleted comes twice, and the clients know its events by their numbers.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ops import stack
from vitrina import aws, config

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

MESSAGES_AT_ONCE = 10
# Long enough for SQS to ask all of its servers: an empty answer means that none is left.
WAIT_SECONDS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description="Put dead letters of the fan-out queue back.")
    stack.add_option(parser)
    arguments = parser.parse_args()
    with stack.in_use(arguments.stack):
        replayed = 0
        try:
            for batch in _replay():
                replayed += batch
                print(f"\r{replayed} put back", end="", flush=True)
        except KeyboardInterrupt:
            sys.exit(f"\r{replayed} put back, and stopped: the others are where they were.")
        print(f"\r{replayed} put back." if replayed else "There are no dead letters.")


def _replay() -> Iterator[int]:
    """Move batch after batch until none is left; yield how many each had."""
    queue = config.current().fanout_queue_url
    dead_letters = dead_letters_of(queue)
    while batch := _receive(dead_letters):
        yield _move(batch, dead_letters, queue)


def dead_letters_of(queue: str) -> str:
    """Return the address of the queue where the tasks of another rest that failed every time."""
    found = aws.sqs().get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])
    arn: str = json.loads(found["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"]
    return aws.sqs().get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]


def _receive(queue: str) -> "list[MessageTypeDef]":
    answer = aws.sqs().receive_message(
        QueueUrl=queue, MaxNumberOfMessages=MESSAGES_AT_ONCE, WaitTimeSeconds=WAIT_SECONDS
    )
    return answer.get("Messages", [])


def _move(messages: "list[MessageTypeDef]", source: str, target: str) -> int:
    """Send first and delete then: what is lost between the two is nothing."""
    for message in messages:
        aws.sqs().send_message(QueueUrl=target, MessageBody=message["Body"])
        aws.sqs().delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
    return len(messages)


if __name__ == "__main__":
    main()
