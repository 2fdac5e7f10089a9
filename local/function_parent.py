"""Forks the processes of functions, having imported once what takes most of a cold start.

Nothing of this project is imported before the fork, as functions differ in their environment.

The emulator's Python runs this file, and has nothing of this project.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from contextlib import suppress

PACKAGES = (
    "botocore.session",
    "botocore.httpsession",
    "aws_lambda_powertools.event_handler.openapi.params",
)


def main(copy: str, connection: socket.socket) -> None:
    """For each four file descriptors of a request, fork a process, and answer with its id."""
    sys.path.insert(0, copy)
    for name in PACKAGES:
        with suppress(ImportError):  # not in every archive
            importlib.import_module(name)
    sys.path.remove(copy)
    gc.freeze()  # a collection would write to all objects, and so copy their memory
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # leaves no zombies
    while descriptors := socket.recv_fds(connection, 1, 4)[1]:
        if not (pid := os.fork()):
            connection.close()
            run(*descriptors)
            return
        for each in descriptors:
            os.close(each)
        connection.send(str(pid).encode())


def run(stdin: int, stdout: int, stderr: int, _end: int) -> None:
    """Be the process of a function, until its end closes the last descriptor."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for standard, each in enumerate((stdin, stdout, stderr)):
        os.dup2(each, standard)
        os.close(each)
    script, folder, environment = json.loads(sys.stdin.readline())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
