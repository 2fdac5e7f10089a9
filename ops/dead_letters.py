"""Put dead letters back on the fan-out queue, or on that of push: make replay-dead-letters

The local cloud lacks SQS's own command, StartMessageMoveTask ("Start DLQ redrive" in the console).
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ops import stack
from vitrina import aws, config, push_tasks

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

MESSAGES_AT_ONCE = 10
# Long polling asks all of SQS's servers, so an empty response means that no message is left.
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
            sys.exit(f"\r{replayed} put back, then stopped. The others are still dead letters.")
        print(f"\r{replayed} put back." if replayed else "There are no dead letters.")


def _replay() -> Iterator[int]:
    """Move all messages in batches; yield the size of each batch."""
    dead_letters = dead_letters_of(config.current().fanout_queue_url)
    while batch := _receive(dead_letters):
        yield _move(batch, dead_letters)


def dead_letters_of(queue: str) -> str:
    """Return the URL of a queue's dead-letter queue."""
    found = aws.sqs().get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])
    arn: str = json.loads(found["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"]
    return aws.sqs().get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]


def _receive(queue: str) -> "list[MessageTypeDef]":
    answer = aws.sqs().receive_message(
        QueueUrl=queue, MaxNumberOfMessages=MESSAGES_AT_ONCE, WaitTimeSeconds=WAIT_SECONDS
    )
    return answer.get("Messages", [])


def _move(messages: "list[MessageTypeDef]", source: str) -> int:
    """Send, then delete: a task may be sent twice, but not lost; clients drop repeated events."""
    here = config.current()
    for message in messages:
        is_push = push_tasks.is_one(message["Body"])
        target = here.push_queue_url if is_push else here.fanout_queue_url
        aws.sqs().send_message(QueueUrl=target, MessageBody=message["Body"])
        aws.sqs().delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
    return len(messages)


if __name__ == "__main__":
    main()
