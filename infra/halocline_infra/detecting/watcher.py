"""The process behind `watching`: kills its parent once an answer takes too long.

Standard input has a line for each batch, `SECONDS WHERE`, and an empty one for its end. Loads
nothing but the standard library's smallest parts.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

_TICK_S = 0.5


def main() -> None:
    """Serve until standard input ends."""
    parent = os.getppid()
    until, where, held = 0.0, "", b""
    while True:
        if where and not select.select([0], [], [], _TICK_S)[0]:
            if _stopped(parent):  # by its user: that is no time
                until += _TICK_S
            elif time.monotonic() > until and parent == os.getppid():
                _kill(parent, where)
                return
            continue
        data = os.read(0, 65536)
        if not data:
            return
        *lines, held = (held + data).split(b"\n")
        if lines:
            seconds, _, where = lines[-1].decode().partition(" ")
            until = time.monotonic() + float(seconds or 0)


def _kill(parent: int, where: str) -> None:
    os.kill(parent, signal.SIGKILL)
    sys.stderr.write(
        f"halocline: a detector hangs ({where}), so the command ends here; with --timeout SECONDS"
        " such texts are unscanned and the others go on\n"
    )


def _stopped(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] in ("T", "t")
    except (OSError, IndexError):
        return False


if __name__ == "__main__":
    main()
