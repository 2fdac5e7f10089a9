"""What the documents say to type: such an operation of AWS exists, and takes such options.

The command line is made of the same descriptions that boto3 is.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import botocore.session
import pytest
from botocore import xform_name

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"\baws ([a-z0-9-]+) ([a-z-]+)([^\n|]*)")
# What every operation takes, and what is no operation but made of several.
EVERYWHERE = {"query", "output", "region"}
OTHERS = {("logs", "tail"), ("dynamodb", "wait")}


# These commands are run, on a deployed stack.
TRIED = {ROOT / "docs/runbook.md"}


class Command(NamedTuple):
    service: str
    operation: str
    options: frozenset[str]


def commands() -> Iterator[Command]:
    for page in set(ROOT.glob("docs/*.md")) - TRIED:
        for block in BLOCK.findall(page.read_text()):
            for service, operation, rest in COMMAND.findall(block.replace("\\\n", " ")):
                if (service, operation) not in OTHERS:
                    options = frozenset(re.findall(r"(?<= )--([a-z-]+)", rest)) - EVERYWHERE
                    yield Command(service, operation, options)


@pytest.mark.parametrize(
    "command", sorted(set(commands()), key=str), ids=lambda each: " ".join(each[:2])
)
def test_the_operation_exists_and_takes_these_options(command: Command) -> None:
    model = botocore.session.get_session().get_service_model(command.service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[command.operation]).input_shape
    members = {xform_name(name, "-"): name for name in shape.members} if shape else {}
    assert command.options <= members.keys()
    required = shape.required_members if shape else []
    assert set(required) <= {members[option] for option in command.options}
