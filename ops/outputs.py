"""Print a deployed stack's outputs as shell variables: eval "$(make outputs STAGE=…)"

`HttpUrl` becomes HTTP_URL. STACK and the region are set too: in AWS_REGION for the AWS CLI, and in
AWS_DEFAULT_REGION for boto3.
"""

import argparse
import re
import shlex

from ops import stack
from vitrina import aws


def main() -> None:
    parser = argparse.ArgumentParser(description="Print a stack's outputs as shell variables.")
    stack.add_option(parser)
    name = parser.parse_args().stack
    with stack.in_use(name):
        outputs = {variable(output): value for output, value in stack.outputs(name).items()}
        regions = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), aws.region())
    for variable_name, value in ({"STACK": name} | regions | outputs).items():
        print(f"export {variable_name}={shlex.quote(value)}")


def variable(output: str) -> str:
    """Return the name of an output in a shell: HTTP_URL for HttpUrl, WEBSOCKET_URL."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", output.replace("WebSocket", "Websocket"))
    return words.upper()


if __name__ == "__main__":
    main()
