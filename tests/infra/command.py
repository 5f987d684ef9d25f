"""`halocline` as people run it: a process of its own, with its own words, environment and outputs.

Python's start and the imports cost a second a command, and these tests run hundreds: here each is
forked from a process that has them behind it (tests/infra/forked.py). What start-up itself does is
tested with the real command (test_cli.py, test_manners.py, test_bare_install.py).
"""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

SERVER = Path(__file__).with_name("forked.py")
Done = subprocess.CompletedProcess[bytes]


def run(
    words: Sequence[object],
    env: Mapping[str, str],
    stdin: bytes = b"",
    stdout: int | None = None,
    timeout: float = 240.0,
) -> Done:
    """What the command answered: exit code, bytes of its outputs (none where `stdout` took them).

    Raises:
        TimeoutError: it was not done after `timeout` seconds.
    """
    command = [str(word) for word in words]
    asked = {"words": command, "env": {**env}, "cwd": str(Path.cwd())}
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin)
        given.seek(0)
        fds = given.fileno(), out.fileno() if stdout is None else stdout, err.fileno()
        code = _asked(json.dumps(asked).encode(), fds, timeout)
        return subprocess.CompletedProcess(command, code, _all(out), _all(err))


def in_text(done: Done) -> subprocess.CompletedProcess[str]:
    out, err = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def _asked(words: bytes, fds: tuple[int, ...], timeout: float) -> int:
    told, telling = os.pipe()
    try:
        try:
            socket.send_fds(_server(), [words], [*fds, telling])
        finally:
            os.close(telling)
        if not select.select([told], [], [], timeout)[0]:
            raise TimeoutError(f"not done after {timeout:.0f} s")
        return int(os.read(told, 16))
    finally:
        os.close(told)


@cache
def _server() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, SERVER, str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
    atexit.register(process.wait)
    atexit.register(ours.close)  # runs first: the server ends where nobody asks it any more
    return ours


def _all(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()
