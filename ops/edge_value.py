"""Replace the value of the edge's secret that is not in use: make new-edge-value [STAGE=…]

The functions accept it within five minutes; a deployment then makes the edge send it.
"""

import argparse
import json
import secrets
import sys
from collections.abc import Mapping

from ops import stack
from vitrina import aws, copies

VALUE_BYTES = 32


def main() -> None:
    parser = argparse.ArgumentParser(description="Replace the edge's value that is not in use.")
    stack.add_option(parser)
    name = parser.parse_args().stack
    with stack.in_use(name):
        outputs = stack.outputs(name)
        if "EdgeSecret" not in outputs:
            sys.exit(f"{name} has no edge.")
        replaced = replace_unused(outputs)
    minutes = copies.TTL_SECONDS // 60
    print(f"Replaced `{replaced}`. In {minutes} minutes, deploy with edge_value={replaced}.")


def replace_unused(outputs: Mapping[str, str]) -> str:
    """Replace the value that the edge of a stack does not send; return its name."""
    secret = outputs["EdgeSecret"]
    found = aws.secretsmanager().get_secret_value(SecretId=secret)
    values: dict[str, str] = json.loads(found["SecretString"])
    [unused] = values.keys() - {outputs["EdgeValue"]}
    values[unused] = secrets.token_hex(VALUE_BYTES)
    aws.secretsmanager().put_secret_value(SecretId=secret, SecretString=json.dumps(values))
    return unused


if __name__ == "__main__":
    main()
