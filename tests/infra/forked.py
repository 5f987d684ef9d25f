"""The other end of tests/infra/command.py: waits with the imports loaded, forks once a command.

Nothing here runs a command's own code before the fork: imports alone, so each command is a process
whose state is its own.
"""

import gc
import importlib
import json
import os
import random
import signal
import socket
import sys
from typing import Any

LOADED = (
    "halocline_infra.cli",
    "halocline_infra.platform",
    "halocline_governance.control_room",
    "halocline_governance.guard",
    "halocline_governance.policy",
    "halocline_governance.state",
    "deltalake",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "sqlalchemy",
)


def serve(asked: socket.socket) -> None:
    """Returns in the process of each command, to run it; never in this one."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever waits below is nobody's to wait for
    while True:
        words, fds, _, _ = socket.recv_fds(asked, 1 << 20, 4)
        if not words:
            os._exit(0)
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asked.close()
            if not (command := os.fork()):
                return _become(json.loads(words), fds)
            _, status = os.waitpid(command, 0)
            os.write(fds[3], str(os.waitstatus_to_exitcode(status)).encode())
            os._exit(0)
        for fd in fds:
            os.close(fd)


def _become(asked: dict[str, Any], fds: list[int]) -> None:
    os.close(fds[3])
    for number, fd in enumerate(fds[:3]):
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.argv = ["halocline", *asked["words"]]
    random.seed()


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    sys.modules["halocline_infra.cli"].main()
