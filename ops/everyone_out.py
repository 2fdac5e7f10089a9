"""End the sessions of all accounts of a deployed stack: make everyone-out [STAGE=…]

Everyone has to log in again. Connections get no more events, and the sweep closes them.
"""

import argparse
import time

from ops import stack
from vitrina import endings, sessions


def main() -> None:
    parser = argparse.ArgumentParser(description="End the sessions of all accounts.")
    stack.add_option(parser)
    arguments = parser.parse_args()
    with stack.in_use(arguments.stack):
        endings.end_everyone()
        # Each function keeps its copy of everyone's era for that long.
        time.sleep(sessions.MAX_EVERYONE_AGE_SECONDS)
    print("All tokens are refused, and no open connection gets an event. The sweep closes them.")


if __name__ == "__main__":
    main()
