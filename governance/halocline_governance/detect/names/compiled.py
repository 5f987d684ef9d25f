"""numba's compiler behind a typed border; what is compiled here stays plain, exact Python.

All numbers are integers below 2^63, so that a compiled function and the same function without the
compiler (`.py_func`) give the same answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

_SOURCES = ("compiled.py", "alphabet.py", "tokens.py", "gate.py", "features.py", "tagger.py")


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compiled into the functions that call it, and not kept by itself."""
    return cast("Callable[P, R]", numba.njit(nogil=True)(function))


def entry(function: Callable[P, R]) -> Callable[P, R]:
    """Compiled and kept on disk, where there is a folder to keep it in. It must close over
    `DIGEST`, as numba's cache looks only at the function's own file: a change of another part
    would else leave the old code in force."""
    try:
        return cast("Callable[P, R]", numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return part(function)


def _digest() -> int:
    folder = Path(__file__).parent
    parts = [(folder / name).read_bytes() for name in _SOURCES]
    return int.from_bytes(hashlib.sha256(b"\0".join(parts)).digest()[:6], "big")


DIGEST = _digest()
