"""What a forked child says, in time or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

PATIENCE_S = 20


def in_a_child(act: Callable[[], str]) -> str:
    """What the act says in a forked child; it fails when the child hangs or dies."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = act()
        except BaseException as error:  # noqa: BLE001 - told to the parent
            said = f"{type(error).__name__}: {error}"
        os.write(theirs, said.encode()[:4000])
        os._exit(0)
    os.close(theirs)
    killer = threading.Timer(PATIENCE_S, os.kill, (child, 9))
    killer.start()
    with os.fdopen(ours) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    killer.cancel()
    assert os.waitstatus_to_exitcode(status) == 0, "the child hung or died"
    return said
