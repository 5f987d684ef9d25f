"""Lines of a file or a pipe, as they come: bounded memory, whatever is between two line ends."""

from __future__ import annotations

import enum
import os
import select
import stat
from collections.abc import Iterator

MAX_LINE = 512 * 1024 * 1024
"""Twice what a text may have: JSON writes a byte as two and more."""
_CHUNK = 4 * 1024 * 1024


class Mark(enum.Enum):
    """What stands in place of a line."""

    PAUSE = "nothing more is there at the moment"
    TOO_LONG = "a line of more than MAX_LINE bytes"


def lines(handle: int) -> Iterator[bytes | Mark]:
    """Every line without its end. A pipe that makes us wait gives `PAUSE` first, so that whoever
    writes a line and waits for its answer gets it."""
    waits = not stat.S_ISREG(os.fstat(handle).st_mode)
    parts: list[bytes] = []
    size = 0
    while True:
        if waits and not select.select([handle], [], [], 0)[0]:
            yield Mark.PAUSE
        chunk = os.read(handle, _CHUNK)
        if not chunk:
            break
        first, *rest = chunk.split(b"\n")
        parts.append(first)
        size += len(first)
        if size > MAX_LINE:
            parts.clear()  # its size is remembered, so that what follows of it is dropped too
        if rest:
            yield _joined(parts, size)
            yield from rest[:-1]
            parts, size = [rest[-1]], len(rest[-1])
    if size:
        yield _joined(parts, size)


def _joined(parts: list[bytes], size: int) -> bytes | Mark:
    return Mark.TOO_LONG if size > MAX_LINE else b"".join(parts)
