"""Run as a script: become OPA, but never outlive the process that asked for it.

PARENT_PID PROGRAM ARGUMENTS... The kernel kills us when the thread that started us ends, even by
`kill -9`; if that happened before we could say so, we end here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        sys.exit("prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the parent is gone")
    os.execve(sys.argv[2], sys.argv[2:], {"HOME": os.environ["HOME"]})
