"""A deployed stack, found by its outputs."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from vitrina import aws
from vitrina.config import Config
from vitrina.errors import Problem


def add_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", default="Vitrina-prod", help="default Vitrina-prod")


@contextmanager
def in_use(stack: str) -> Iterator[None]:
    """Use a stack's configuration in this process.

    An error of AWS inside the block ends the program with one sentence.
    """
    # The functions' log lines and metrics do not belong on a terminal.
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"
    Logger().setLevel("CRITICAL")
    try:
        Config.from_outputs(outputs(stack)).use()
        yield
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{stack}: {error}")


@contextmanager
def refusals() -> Iterator[None]:
    """End the program with the reasons when input is invalid or the service refuses it."""
    try:
        yield
    except ValidationError as invalid:
        sys.exit("\n".join(error["msg"] for error in invalid.errors()))
    except Problem as problem:
        sys.exit(problem.detail)


def outputs(stack: str) -> dict[str, str]:
    """Return the outputs of a deployed stack, by their names in the template."""
    found = aws.cloudformation().describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    return {output["OutputKey"]: output["OutputValue"] for output in found}
