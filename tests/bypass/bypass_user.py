"""Runs a script as another OS user: SCRIPT UID [ARGUMENTS]; started as root, it cannot come back.

The interpreter may lie where that user may not go, so its library is kept open from before.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import sys
import sysconfig


def become(uid: int) -> None:
    """This process, as `uid` from now on, in no group but its own."""
    library = sysconfig.get_paths()["stdlib"]
    kept = f"/proc/self/fd/{os.open(library, os.O_PATH)}"
    sys.path[:] = [path.replace(library, kept, 1) for path in sys.path]
    for module in list(sys.modules.values()):
        paths = getattr(module, "__path__", None)
        if isinstance(paths, list):
            paths[:] = [path.replace(library, kept, 1) for path in paths]  # pyright: ignore
    sys.path_importer_cache.clear()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    # As after an exec: `/proc` and ptrace treat it like any process of that user.
    if ctypes.CDLL(None).prctl(4, 1, 0, 0, 0):
        raise OSError("prctl")


if __name__ == "__main__":
    script, uid = sys.argv[1], int(sys.argv[2])
    become(uid)
    sys.argv[:] = [script, *sys.argv[3:]]
    runpy.run_path(script, run_name="__main__")
