"""Lines of a file or a pipe, as they come: bounded memory, whatever is between two line ends."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Iterator

MAX_LINE = 512 * 1024 * 1024
"""Twice what a text may have: JSON writes a byte as two and more."""
_CHUNK = 4 * 1024 * 1024


def lines(handle: int) -> Iterator[list[bytes | None]]:
    """Every line without its end, some at a time; None for one of more than MAX_LINE bytes.

    A pipe that makes us wait gives an empty list first, so that whoever writes a line and waits for
    its answer gets it.
    """
    waits = not stat.S_ISREG(os.fstat(handle).st_mode)
    parts: list[bytes] = []
    size = 0
    while True:
        if waits and not select.select([handle], [], [], 0)[0]:
            yield []
        chunk = os.read(handle, _CHUNK)
        if not chunk:
            break
        first, *rest = chunk.split(b"\n")
        parts.append(first)
        size += len(first)
        if size > MAX_LINE:
            parts.clear()  # its size is remembered, so that what follows of it is dropped too
        if rest:
            last = rest.pop()
            yield [_joined(parts, size), *rest]
            parts, size = [last], len(last)
    if size:
        yield [_joined(parts, size)]


def _joined(parts: list[bytes], size: int) -> bytes | None:
    return None if size > MAX_LINE else b"".join(parts)
